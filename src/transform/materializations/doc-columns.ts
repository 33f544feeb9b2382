// Descriptions of columns that a table has not: a warning of dbt's, where they are to be kept with the table.

import { recordOf } from '../../base/record.ts'
import { relationNameOf, type DbtNode } from '../../project/dbt/index.ts'
import type { Ask, Compiler } from '../compile.ts'
import { chosenFor } from './chosen.ts'

/** Once the table or view is there. `ask` sees what the run has written. */
export async function tellMissingColumns(
  node: DbtNode,
  { compiler: { project, macros }, ask }: { compiler: Compiler; ask: Ask },
): Promise<void> {
  if (recordOf(node.config['persist_docs'])['columns'] !== true || node.columns.length === 0) return
  const chosen = chosenFor(node, project, macros)
  // A template of the project's own says it itself, if it calls `persist_docs`.
  if ('macro' in chosen && chosen.macro.package !== 'dbt') return
  const { database, schema, alias: identifier } = node
  const answer = await ask({ kind: 'columns', database, schema, identifier })
  const names = answer.kind === 'columns' ? answer.columns.map(({ name }) => name) : []
  const lower = new Set(names.map((name) => name.toLowerCase()))
  const missing = node.columns.filter(
    ({ name, quote }) => !(quote ? names.includes(name) : lower.has(name.toLowerCase())),
  )
  if (missing.length === 0) return
  const listed = missing.map(({ name }) => name).join(', ')
  project.options.onLog(
    'warn',
    `In relation ${relationNameOf(node)}: The following columns are specified in the schema but are not present in the database: ${listed}`,
    node.patch ?? node.place,
  )
}
