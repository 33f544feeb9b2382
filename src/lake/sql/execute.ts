// `ALTER TABLE t EXECUTE optimize(…) WHERE …`, as Trino writes the upkeep of its tables: CALL of a procedure in other words.

import { Failure } from '../../base/failure.ts'
import { parseBytes, parseDurationMs } from '../../base/units.ts'
import { callArguments, type Argument, type Call } from './call.ts'
import type { Piece, Reader, WrittenName } from './reader.ts'
import { placeAt, quoteName, quoteText } from './tokens.ts'

/** What one of Trino's arguments is to the procedure; nothing where it says what is so anyway. */
type Parameter = { as(value: Piece, reader: Reader): Argument | undefined; otherwise?: string }
type TableProcedure = { procedure: string; parameters: Readonly<Record<string, Parameter>> }

const same = (name: string): Parameter => ({ as: (value) => ({ name, value }) })
/** Trino keeps the snapshots and files of the last week. */
const retention: Parameter = { as: olderThan, otherwise: "'7d'" }

const tableProcedures: Readonly<Record<string, TableProcedure>> = {
  optimize: {
    procedure: 'rewrite_data_files',
    parameters: { file_size_threshold: { as: smallerThan, otherwise: '' } },
  },
  optimize_manifests: { procedure: 'rewrite_manifests', parameters: {} },
  expire_snapshots: {
    procedure: 'expire_snapshots',
    parameters: {
      retention_threshold: retention,
      retain_last: same('retain_last'),
      clean_expired_metadata: same('clean_expired_metadata'),
    },
  },
  remove_orphan_files: { procedure: 'remove_orphan_files', parameters: { retention_threshold: retention } },
  create_branch: { procedure: 'create_branch', parameters: { name: same('branch') } },
  drop_branch: { procedure: 'drop_branch', parameters: { name: same('branch') } },
  fast_forward: { procedure: 'fast_forward', parameters: { from: same('branch'), to: same('to') } },
  rollback_to_snapshot: { procedure: 'rollback_to_snapshot', parameters: { snapshot_id: same('snapshot_id') } },
}

/** Behind EXECUTE. */
export function execute(reader: Reader, table: WrittenName): Call {
  const start = reader.at()
  const word = reader.identifier('a table procedure').toLowerCase()
  const found = Object.hasOwn(tableProcedures, word) ? tableProcedures[word]! : undefined
  if (!found) {
    const known = Object.keys(tableProcedures).join(', ')
    throw reader.unsupported(`EXECUTE ${word}`, `There are ${known}, and the procedures of CALL.`)
  }
  const { procedure, parameters } = found
  const names = Object.keys(parameters)
  const written = reader.peek('(') ? callArguments(reader) : []
  const values = new Map(written.map(({ name, value }, index) => [name ?? names[index] ?? '', value]))
  const stranger = [...values.keys()].find((name) => !names.includes(name))
  if (stranger !== undefined)
    throw invalid(
      reader,
      start,
      stranger ? `${word} has no argument ${stranger}` : `${word} has ${names.length} arguments`,
    )
  const given = Object.entries(parameters).flatMap(([name, { as, otherwise }]) => {
    const value = values.get(name) ?? (otherwise === undefined ? undefined : { sql: otherwise, start })
    return value ? (as(value, reader) ?? []) : []
  })
  const where = word === 'optimize' && reader.take('where') ? reader.rest('a condition') : undefined
  reader.end()
  const name = quoteText(table.map(quoteName).join('.'))
  return {
    kind: 'call',
    procedure,
    catalog: undefined,
    start,
    given: [
      { name: 'table', value: { sql: name, start } },
      ...given,
      ...(where ? [{ name: 'where', value: { sql: quoteText(where.sql), start: where.start } }] : []),
    ],
  }
}

function olderThan({ sql, start }: Piece, reader: Reader): Argument {
  const ms = parseDurationMs(textOf(sql))
  if (ms === undefined) throw invalid(reader, start, `retention_threshold is a duration such as '7d', found ${sql}`)
  return { name: 'older_than', value: { sql: `now() - INTERVAL ${ms / 1000} SECONDS`, start } }
}

/** Two small files are enough, and one file with deletes is: Trino leaves neither behind. */
function smallerThan({ sql, start }: Piece, reader: Reader): Argument {
  const bytes = parseBytes(textOf(sql))
  if (bytes === undefined && sql !== '')
    throw invalid(reader, start, `file_size_threshold is a size such as '100MB', found ${sql}`)
  const least = bytes === undefined ? '' : `, 'min-file-size-bytes': '${bytes}'`
  const options = `MAP {'min-input-files': '2', 'delete-file-threshold': '1'${least}}`
  return { name: 'options', value: { sql: options, start } }
}

const invalid = (reader: Reader, start: number, message: string) =>
  new Failure('SQL_INVALID', message, { place: placeAt(reader.sql, start) })

const textOf = (sql: string): string => /^\s*'([^']*)'\s*$/.exec(sql)?.[1] ?? ''
