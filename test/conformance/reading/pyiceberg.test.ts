// Tables of PyIceberg, made anew by the PyIceberg that PYICEBERG_PYTHON names.

import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, test } from 'vitest'
import { readsLikeItsWriter } from '../../support/peer-tables.ts'

const python = process.env.PYICEBERG_PYTHON
const folder = mkdtempSync(join(tmpdir(), 'boathouse-pyiceberg-'))
afterAll(() => rm(folder, { recursive: true }))

if (python) {
  execFileSync(python, [join(import.meta.dirname, 'pyiceberg_tables.py'), folder], { stdio: 'ignore' })
  describe('PyIceberg', () => readsLikeItsWriter(folder))
} else test.skip('PyIceberg: PYICEBERG_PYTHON names no Python', () => {})
