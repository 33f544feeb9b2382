// `system.audit` and `system.queries`: what was done and decided, as tables. Their rows come from the logs of Boathouse, newest
// first; conditions on the time and the principal are asked of the logs, so that a question about a day reads a day.

import type { LogRange, Subject } from '../../govern/index.ts'
import { Failure } from '../../base/failure.ts'
import type { AuditRow, QueryLogRow } from '../../records/index.ts'
import type { Field, Predicate, Schema, Type } from '../../iceberg/index.ts'
import { metadataSql } from './metadata-tables.ts'

export type SystemTableName = 'audit' | 'queries'

/** Where rows come from, by page. */
export type SystemLogs = {
  audit: { scan(range: LogRange): AsyncIterable<AuditRow> }
  queries: { scan(range: LogRange): AsyncIterable<QueryLogRow> }
}

/** Undefined for a name that is none of these tables. */
export const systemTable = (namespace: string | undefined, name: string): SystemTableName | undefined => {
  const lower = name.toLowerCase()
  return namespace?.toLowerCase() === 'system' && (lower === 'audit' || lower === 'queries') ? lower : undefined
}

/** Readers read data; what others do is for administrators and for those to whom it is granted. */
export const asReaderOfLogs = (asker: Subject): Subject =>
  asker.role === 'reader' ? { ...asker, role: 'member' } : asker

const [text, long, moment]: Type[] = [{ kind: 'string' }, { kind: 'long' }, { kind: 'timestamptz' }]
const texts: Type = { kind: 'list', elementId: 100, elementRequired: false, element: text! }

const shared: [name: string, type: Type][] = [
  ['id', text!],
  // `at` is a word of the language.
  ['occurred_at', moment!],
  ['principal', text!],
  ['door', text!],
  ['catalog', text!],
  ['sql', text!],
  ['tables', texts],
  ['rows', long!],
  ['ms', long!],
  ['request_id', text!],
  ['failure_code', text!],
]
const columns: Record<SystemTableName, [name: string, type: Type][]> = {
  audit: [...shared, ['action', text!], ['verdict', text!], ['snapshots', text!]],
  queries: [...shared, ['cached', { kind: 'boolean' }], ['run_id', text!]],
}

const schemas = Object.fromEntries(
  Object.entries(columns).map(([name, all], schemaId) => [
    name,
    {
      schemaId,
      identifierFieldIds: [],
      fields: all.map(([column, type], at): Field => ({ id: at + 1, name: column, type, required: false })),
    },
  ]),
) as unknown as Record<SystemTableName, Schema>

export const systemSchema = (name: SystemTableName): Schema => schemas[name]

/** A SELECT in parentheses with the rows that the predicate leaves, and maybe more. @throws QUERY_TOO_LARGE */
export async function systemSql(
  name: SystemTableName,
  logs: SystemLogs,
  predicate: Predicate | undefined,
): Promise<string> {
  const range = rangeOf(predicate)
  const schema = schemas[name]
  try {
    return await metadataSql(`system.${name}`, {
      columns: schema.fields,
      async *rows() {
        for await (const row of logs[name].scan(range)) yield schema.fields.map((field) => cellOf(row, field.name))
      },
    })
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'QUERY_TOO_LARGE') throw error
    throw new Failure('QUERY_TOO_LARGE', `system.${name} has too many rows for one statement`, {
      hint: `Ask for less of the time, for example WHERE occurred_at > now() - INTERVAL 1 DAY.`,
      cause: error,
    })
  }
}

type Row = Omit<AuditRow, keyof OfAudit> & Partial<OfAudit> & Partial<Pick<QueryLogRow, 'cached' | 'run_id'>>
type OfAudit = Pick<AuditRow, 'action' | 'verdict' | 'snapshots_json'>

function cellOf(row: Row, column: string) {
  switch (column) {
    case 'occurred_at':
      return BigInt(Date.parse(row.at)) * 1_000n
    case 'tables':
      return JSON.parse(row.tables_json ?? '[]') as string[]
    case 'snapshots':
      return row.snapshots_json ?? null
    case 'cached':
      return row.cached === 1
    case 'rows':
    case 'ms': {
      const number = row[column]
      return number === null || number === undefined ? null : BigInt(number)
    }
    default:
      return row[column as 'principal'] ?? null
  }
}

const [atField, principalField] = [2, 3]

/** What of a condition the logs can be asked for; everything else is left to the engine. */
function rangeOf(predicate: Predicate | undefined): LogRange {
  if (!predicate) return {}
  if (predicate.op === 'and') return Object.assign({}, ...predicate.of.map(rangeOf)) as LogRange
  if (!('field' in predicate) || !('value' in predicate)) return {}
  const { op, field, value } = predicate
  if (field === principalField && op === '=' && typeof value === 'string') return { principal: value }
  if (field !== atField || typeof value !== 'bigint') return {}
  const ms = Number(value / 1_000n)
  if (!Number.isSafeInteger(ms) || Math.abs(ms) > 8e15) return {}
  // A millisecond to either side: times have microseconds in SQL.
  const time = (shift: number) => new Date(ms + shift).toISOString()
  return {
    ...(op === '>' || op === '>=' || op === '=' ? { from: time(-1) } : {}),
    ...(op === '<' || op === '<=' || op === '=' ? { to: time(1) } : {}),
  }
}
