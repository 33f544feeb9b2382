// Tables that Spark and Iceberg's Java library write - every kind of delete, type and transform, evolved schemas and
// specs, files without ids - read here, and every value compared with what Spark reads. `spark.sh` installs both;
// SPARK_TABLES names a folder of tables that were made before.

import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, test } from 'vitest'
import { readsLikeItsWriter } from '../../support/peer-tables.ts'

const { SPARK_TABLES: ready } = process.env
const made = ready ? undefined : makeTables()
afterAll(() => made && rm(made, { recursive: true }))

function makeTables(): string | undefined {
  let installed: string[]
  try {
    installed = execFileSync(join(import.meta.dirname, 'spark.sh'), { encoding: 'utf8' })
      .trim()
      .split('\n')
  } catch {
    return undefined
  }
  const [python, jar] = installed as [string, string]
  const folder = mkdtempSync(join(tmpdir(), 'boathouse-spark-'))
  execFileSync(python, [join(import.meta.dirname, 'spark_tables.py'), folder, jar], { stdio: 'ignore' })
  return folder
}

const folder = ready ?? made
if (folder) describe('Spark', () => readsLikeItsWriter(folder))
else test.skip('Spark: no Java 17, Maven and Python, or no package index', () => {})
