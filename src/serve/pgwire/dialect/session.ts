// What belongs to the session, the user, the database and settings, is written as literals; and locks, of which there are none.

import { quoteText } from '../../../lake/index.ts'
import { backendCalls } from '../backend-calls.ts'
import { isAlias } from './lists.ts'
import type { EditedSql, SessionTable } from './sql.ts'

/** Names of the session: `current_user`, `current_database()`, `current_setting('x')`. */
export function sessionName(sql: EditedSql, at: number): boolean {
  const token = sql.tokens[at]!
  if (token.kind !== 'word') return false
  const word = sql.words[at]!
  const before = sql.words[at - 1]
  const first = before === '.' ? (sql.words[at - 2] === 'pg_catalog' ? at - 2 : -1) : at
  if (first < 0) return false
  const isCall = sql.words[at + 1] === '('
  const end = isCall ? sql.closing(at + 1) : at
  if (end === undefined || (!isCall && sql.words[at + 1] === '.')) return false
  const value = sql.session
  const isTable = !isCall && sql.words[first - 1] === 'from' && !sql.selects.has(first)
  const give = (text: string, last = end) =>
    isTable
      ? sql.replace(first, last, `(SELECT ${text} AS ${word})`)
      : sql.replace(first, last, text + (sql.isItem(first, last) ? ` AS ${word}` : ''))
  // A view that keeps its text asks for whoever reads it (`lake/sql/session-words.ts`).
  if (ofReaders.has(word) && isOfView(sql)) return false
  const name = quoteText(value.user)
  // Before values are bound nothing is to be done.
  const isDone = () =>
    value.signalled === undefined ||
    backendCalls(sql.text.slice(token.start, sql.tokens[end]!.end), value.backendId).length > 0
  const moment = momentOf(sql, word)
  if (moment && (isCall ? end === at + 2 && ofCalls.has(word) : before !== 'as' && !ofCalls.has(word)))
    return give(moment)
  switch (word) {
    case 'current_user':
    case 'session_user':
    case 'current_role':
      return !isCall && before !== 'as' && give(name)
    case 'user':
      return !isCall && sql.isItem(first, end) && give(name)
    case 'current_catalog':
      return !isCall && before !== 'as' && give(quoteText(value.catalog))
    case 'current_schema':
      return before !== 'as' && give(value.schema === undefined ? `'public'` : quoteText(value.schema))
  }
  if (!isCall) return false
  switch (word) {
    case 'current_database':
      return give(quoteText(value.catalog))
    case 'current_schemas': {
      const schemas = [value.schema ?? 'public']
      return give(`[${['pg_catalog', ...schemas].map(quoteText).join(', ')}]`)
    }
    case 'version':
      return give(quoteText(value.version))
    // Pools ask for it before they give a connection on; nobody holds such a lock here.
    case 'pg_advisory_unlock_all':
      return give("''")
    case 'pg_backend_pid':
      return give(String(value.backendId))
    case 'pg_sleep':
      return isDone() && give("''")
    case 'pg_cancel_backend':
    case 'pg_terminate_backend':
      return isDone() && give(String(value.signalled?.() ?? true))
    case 'current_setting':
    case 'set_config': {
      const argument = sql.tokens[at + 2]
      if (word === 'set_config' && isOfNone(sql, at)) return give('NULL::VARCHAR')
      if (argument?.kind !== 'string' || !argument.text.startsWith("'")) return false
      const asked = argument.text.slice(1, -1).replaceAll("''", "'")
      const found = value.setting(asked)
      const isFlag = sql.words[end + 1] === '::' && /^bool(ean)?$/.test(sql.words[end + 2] ?? '')
      const shown = isFlag && /^(on|off)$/.test(found ?? '') ? String(found === 'on') : found
      return give(shown === undefined ? 'NULL::VARCHAR' : quoteText(shown))
    }
    default:
      return false
  }
}

/** `SELECT set_config(name, …) FROM pg_settings WHERE name = 'x'`, as pg_dump asks for what only some servers have: of one that is not here. */
function isOfNone({ words, tokens, session }: EditedSql, at: number): boolean {
  const from = words.indexOf('from', at)
  const isByName = words[at + 2] === 'name' && words.slice(from, from + 5).join(' ') === 'from pg_settings where name ='
  const name = tokens[from + 5]
  return isByName && name?.kind === 'string' && session.setting(name.text.slice(1, -1)) === undefined
}

const sessionTables: Record<SessionTable, string> = {
  pg_cursors: 'name, statement, is_holdable, is_binary, is_scrollable, creation_time',
  pg_prepared_statements:
    'name, statement, prepare_time, parameter_types, result_types, from_sql, generic_plans, custom_plans',
  pg_settings:
    'name, setting, unit, category, short_desc, extra_desc, context, vartype, source, min_val, max_val, enumvals, boot_val, reset_val, sourcefile, sourceline, pending_restart',
}

/** `FROM pg_cursors`: what the connection holds, which nobody else knows. */
export function sessionTable(sql: EditedSql, at: number): boolean {
  const table = sql.words[at]!
  if (!Object.hasOwn(sessionTables, table)) return false
  const first = sql.words[at - 1] === '.' && sql.words[at - 2] === 'pg_catalog' ? at - 2 : at
  const rows = sql.session.rowsOf?.(table as SessionTable)
  if (!rows || !/^(from|join|,)$/.test(sql.words[first - 1] ?? '')) return false
  const names = sessionTables[table as SessionTable]
  const none = names.split(', ').map((name) => (/^(is_|from_sql|pending)/.test(name) ? 'false' : 'NULL'))
  // The first row says of which types the columns are, where there is none besides.
  const values = [...rows, none].map((row) => `(${row.join(', ')})`).join(', ')
  const isNamed = sql.words[at + 1] === 'as' || isAlias(sql, at + 1)
  // Who asks the catalog may use its functions.
  const isCatalogs = table === 'pg_settings' ? ' AND EXISTS (FROM pg_catalog.pg_settings)' : ''
  return sql.replace(
    first,
    at,
    `(SELECT * FROM (VALUES ${values}) AS held(${names}) WHERE name IS NOT NULL${isCatalogs})${isNamed ? '' : ` AS ${table}`}`,
  )
}

const ofReaders: ReadonlySet<string> = new Set(
  'current_user session_user current_role user current_catalog current_schema current_database'.split(' '),
)
const isOfView = ({ words }: EditedSql): boolean =>
  words[0] === 'create' &&
  /^(?:(?:or replace|temp|temporary) )*view$/.test(words.slice(1, words.indexOf('view') + 1).join(' '))

const moments: Record<string, string> = {
  now: '',
  transaction_timestamp: '',
  current_timestamp: '',
  localtimestamp: '::TIMESTAMP',
  localtime: '::TIMESTAMP::TIME',
  current_date: '::DATE',
}
const ofCalls: ReadonlySet<string> = new Set(['now', 'transaction_timestamp'])

/** `now()` in a transaction is when that began, for all of its statements. What keeps its text, as a default or a view, keeps the function. */
export function momentOf({ session: { beganMs }, words }: EditedSql, name: string): string | undefined {
  if (beganMs === undefined || !Object.hasOwn(moments, name) || /^(create|alter|prepare)$/.test(words[0] ?? ''))
    return undefined
  return `(TIMESTAMPTZ '${new Date(beganMs).toISOString()}')${moments[name]!}`
}

/** `FOR UPDATE OF t SKIP LOCKED`: nothing is locked here, and of two who change a row the second is told at its commit. */
export function locking(sql: EditedSql, at: number): boolean {
  if (sql.words[at] !== 'for') return false
  const clause = /^for (no key update|key share|update|share)\b/.exec(sql.words.slice(at, at + 4).join(' '))?.[1]
  if (clause === undefined) return false
  let last = at + clause.split(' ').length
  if (sql.words[last + 1] === 'of') for (last += 2; [',', '.'].includes(sql.words[last + 1] ?? '');) last += 2
  if (sql.words[last + 1] === 'nowait') last++
  else if (sql.words[last + 1] === 'skip' && sql.words[last + 2] === 'locked') last += 2
  return sql.replace(at, last, '')
}
