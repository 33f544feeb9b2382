// Tables that Spark 3.5 with Iceberg 1.10 and PyIceberg 0.12 wrote, kept in test/golden: more are made and read by
// `make conformance` (test/conformance/reading).

import { join } from 'node:path'
import { describe } from 'vitest'
import { readsLikeItsWriter } from '../../test/support/peer-tables.ts'

const golden = join(import.meta.dirname, '../../test/golden')
describe('Spark', () => readsLikeItsWriter(join(golden, 'spark')))
describe('PyIceberg', () => readsLikeItsWriter(join(golden, 'pyiceberg')))
