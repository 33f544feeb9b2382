// The tables of a folder that `boathouse dbt` built, as `schema/table.parquet`: by COPY, as anybody gets them out.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { dbtFolderText } from '../../../src/cli/dbt-folder.ts'
import { loadConfig, resolveEnvironment } from '../../../src/config/index.ts'
import { collect } from '../../../src/lake/index.ts'
import { open } from '../../../src/main.ts'

/** Of the environment that commands without `--env` work in. */
export async function tablesOf(dir: string, to: string): Promise<void> {
  const settings = loadConfig({ dir, instead: dbtFolderText(dir) })
  const config = { ...settings, copyDirectories: [to] }
  mkdirSync(to, { recursive: true })
  const environment = resolveEnvironment(config)
  const app = await open(config, environment, { quiet: true })
  try {
    const asking = app.asking('cli')
    const listed = await app.lake.query(
      `select table_schema, table_name from information_schema.tables
       where table_catalog = '${environment.catalog}' and table_schema not in ('files', 'information_schema', 'pg_catalog') order by all`,
      asking,
    )
    for (const [schema, table] of (await collect(listed)).rows as [string, string][]) {
      mkdirSync(join(to, schema), { recursive: true })
      try {
        await collect(
          await app.lake.query(`copy (select * from "${schema}"."${table}") to '${schema}/${table}.parquet'`, asking),
        )
      } catch (error) {
        console.warn(`${schema}.${table} cannot be read: ${(error as Error).message}`)
      }
    }
  } finally {
    await app.close()
  }
}
