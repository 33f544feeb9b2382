// A CSV file → a table with the columns and types that dbt would give it.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../base/failure.ts'
import { quoteName } from '../../lake/index.ts'
import type { DbtNode } from '../../project/dbt/index.ts'
import type { Outcome, Work } from '../work.ts'
import { isPlainName } from './plain-names.ts'
import { asker, type Asking } from './scope.ts'
import { asInTable, seedColumns } from './seed-types.ts'
import { isFullRefresh, lakeName, tableOptions } from './target.ts'

/** dbt empties a table that is there and keeps its columns; here it gets those of the file, so that a new one needs no `--full-refresh`. */
export async function loadSeed(node: DbtNode, work: Work): Promise<Outcome> {
  const { file } = node
  const { text, delimiter, columns, rows: all } = await readSeed(node, work)
  const { empty } = work.project.options.flags
  const [target, options] = [lakeName(work.project, node), tableOptions(node, work)]
  const loading = empty
    ? work.changes.replaceTable(target, withoutRows(columns), options)
    : work.changes.loadCsv(target, { text, columns, delimiter }, options)
  const written = await loading.catch((error: unknown) => {
    throw error instanceof Failure ? inFile(error, file) : error
  })
  const rows = empty ? 0 : all
  const code = isFullRefresh(node, work.project) ? 'CREATE' : 'INSERT'
  return {
    status: 'success',
    message: `${code} ${rows}`,
    adapterResponse: { _message: `${code} ${rows}`, code, rows_affected: rows },
    rows: written.rowsWritten,
    failures: undefined,
    table: written.table,
    compiledSql: undefined,
  }
}

const withoutRows = (columns: readonly { name: string; type: string }[]): string =>
  `select ${columns.map(({ name, type }) => `cast(null as ${type}) as ${quoteName(name)}`).join(', ')} where false`

/** The file with its columns as they will be loaded. @throws MODEL_INVALID for a file that cannot be read or breaks its own form */
export async function readSeed(node: DbtNode, work: Asking) {
  const { file } = node
  const text = await seedText(work.project.dir, node)
  const delimiter = textOr(node.config['delimiter'], ',')
  const given = Object.fromEntries(
    Object.entries((node.config['column_types'] ?? {}) as Record<string, unknown>).map(([name, type]) => [
      name,
      String(type),
    ]),
  )
  const { columns: found, rows } = seedColumns(text, { file, delimiter, given })
  const quoted = asInTable(found, await columnsInLake(node, work))
  if (node.config['quote_columns'] !== false) return { text, delimiter, columns: quoted, rows }
  // Blanks around a name are none of it where it is written without quotes.
  const columns = quoted.map((column) => ({ ...column, name: column.name.trim() }))
  const wrong = columns.find(({ name }) => !isPlainName(name))
  if (wrong)
    throw new Failure('MODEL_INVALID', `the column "${wrong.name}" of seed "${node.name}" is no name without quotes`, {
      place: { file, line: 1 },
      hint: 'Set `quote_columns: true` for this seed, or give the column another name.',
    })
  return { text, delimiter, columns, rows }
}

/** None when the table is made anew. */
async function columnsInLake(node: DbtNode, work: Asking): Promise<readonly { name: string; type: string }[]> {
  if (isFullRefresh(node, work.project)) return []
  const ask = asker(work)
  const { database, schema, alias: identifier } = node
  const relation = await ask({ kind: 'relation', database, schema, identifier })
  if (relation.kind !== 'relation' || relation.found !== 'table') return []
  const answer = await ask({ kind: 'columns', database, schema, identifier })
  return answer.kind === 'columns' ? answer.columns : []
}

async function seedText(dir: string, { name, file }: DbtNode): Promise<string> {
  try {
    return (await readFile(join(dir, file), 'utf8')).replace(/^\uFEFF/, '')
  } catch (cause) {
    throw new Failure('MODEL_INVALID', `the file of seed "${name}" cannot be read`, { place: { file }, cause })
  }
}

const textOr = (value: unknown, fallback: string): string =>
  typeof value === 'string' && value !== '' ? value : fallback

const inFile = ({ code, message, place, context, hint, cause }: Failure, file: string): Failure =>
  new Failure(code, message, {
    ...context,
    place: { ...place, file },
    hint: code === 'QUERY_FAILED' ? 'Correct the value, or give the column another type with `column_types`.' : hint,
    cause,
  })
