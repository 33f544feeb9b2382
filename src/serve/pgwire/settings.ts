// What `SET`, `SHOW` and the start-up message speak of. Most of it exists because clients set or read it; what would
// change an answer and cannot (the encoding, the date style) is refused or stays as it is.

import { Failure } from '../../base/failure.ts'
import { timeZoneNamed } from '../../base/time-zone.ts'
import { parseDurationMs } from '../../base/units.ts'

type Kind = 'fixed' | 'text' | 'time'
type Known = { value: string; kind: Kind; reported?: true; is?: (value: string) => boolean }

export interface Settings {
  /** Undefined when there is no such setting. */
  get(name: string): string | undefined
  /** The name as it is reported, when its value is one that clients are told of. @throws NOT_FOUND, REQUEST_INVALID */
  set(name: string, value: string | undefined): string | undefined
  /** All back to what the connection began with. */
  resetAll(): void
  all(): [name: string, value: string][]
  /** As `pg_settings` has them: what is a time is a number of milliseconds there. */
  described(): {
    name: string
    setting: string
    unit?: 'ms'
    kind: 'bool' | 'integer' | 'string'
    isSet: boolean
    began: string
  }[]
  /** Those that a client is told of at the start and whenever they change. */
  reported(): [name: string, value: string][]
  /** In milliseconds; 0 is none. */
  statementTimeoutMs(): number
}

const settingsMax = 200
/** Of PostgreSQL's own planning, logging and upkeep: set by tools that know its server, and without effect on any answer. */
const withoutEffect =
  /^(enable_\w+|log_\w+|debug_\w+|track_\w+|max_parallel_\w+|parallel_\w+|\w+_cost|jit_\w+|geqo_\w+|tcp_\w+|\w+_flush_after|(maintenance|autovacuum)_work_mem|hash_mem_multiplier|temp_(buffers|file_limit|tablespaces)|effective_(cache_size|io_concurrency)|default_(statistics_target|toast_compression)|constraint_exclusion|(from|join)_collapse_limit|force_parallel_mode|session_replication_role|commit_(delay|siblings)|transaction_timeout|client_connection_check_interval|lo_compat_privileges|createrole_self_grant|vacuum_\w+|wal_\w+|gin_\w+|exit_on_error|restrict_nonsystem_relation_kind)$/
/** Settings of Spark by which rows go elsewhere, or mean something else: to take them and do nothing would be wrong in silence. */
const ofSpark: Readonly<Record<string, string>> = {
  'wap.branch': 'Name the branch with the table: INSERT INTO ns.t.branch_audit …, SELECT … FROM ns.t.branch_audit.',
  'wap.id': 'Write to a branch, INSERT INTO ns.t.branch_audit …, and CALL fast_forward(…) to publish it.',
  'session.timezone': 'SET TimeZone is what it is called here.',
}
const readsIso = (value: string) => /^(iso)\b/i.test(value) || /^(mdy|dmy|ymd|default)$/i.test(value)

export function openSettings(about: {
  version: string
  user: string
  timeZone: string
  superuser: boolean
  initial: ReadonlyMap<string, string>
}): Settings {
  const fixed = (value: string): Known => ({ value, kind: 'fixed' })
  const free = (value: string): Known => ({ value, kind: 'text' })
  const time: Known = { value: '0', kind: 'time' }
  const known: Record<string, Known> = {
    server_version: { ...fixed(about.version), reported: true },
    server_version_num: fixed('150000'),
    server_encoding: { ...fixed('UTF8'), reported: true },
    client_encoding: {
      ...free('UTF8'),
      reported: true,
      is: (value) => /^(utf-?8|unicode|sql_ascii|auto|default)$/i.test(value),
    },
    application_name: { ...free(''), reported: true },
    datestyle: { ...free('ISO, MDY'), reported: true, is: readsIso },
    intervalstyle: { ...free('postgres'), reported: true, is: (value) => /^(postgres|iso_8601)$/i.test(value) },
    timezone: { ...free(about.timeZone), reported: true, is: (value) => timeZoneNamed(value) !== undefined },
    integer_datetimes: { ...fixed('on'), reported: true },
    standard_conforming_strings: {
      ...free('on'),
      reported: true,
      is: (value) => /^(on|true|1|yes|default)$/i.test(value),
    },
    is_superuser: { ...fixed(about.superuser ? 'on' : 'off'), reported: true },
    session_authorization: { ...fixed(about.user), reported: true },
    in_hot_standby: { ...fixed('off'), reported: true },
    default_transaction_read_only: { ...free('off'), reported: true },
    default_transaction_isolation: free('read committed'),
    default_transaction_deferrable: free('off'),
    transaction_isolation: free('read committed'),
    transaction_read_only: free('off'),
    transaction_deferrable: free('off'),
    search_path: free('"$user", public'),
    statement_timeout: time,
    lock_timeout: time,
    idle_in_transaction_session_timeout: time,
    idle_session_timeout: time,
    extra_float_digits: free('1'),
    bytea_output: { ...free('hex'), is: (value) => /^hex$/i.test(value) },
    client_min_messages: free('notice'),
    max_identifier_length: fixed('63'),
    max_index_keys: fixed('32'),
    block_size: fixed('8192'),
    lc_collate: fixed('C'),
    lc_ctype: fixed('C'),
    lc_messages: free('C'),
    lc_monetary: free('C'),
    lc_numeric: free('C'),
    lc_time: free('C'),
    ssl: fixed('off'),
    port: fixed('5439'),
    row_security: free('on'),
    jit: free('off'),
    geqo: free('on'),
    synchronize_seqscans: free('on'),
    synchronous_commit: free('on'),
    default_tablespace: free(''),
    default_table_access_method: free('heap'),
    default_with_oids: fixed('off'),
    check_function_bodies: free('on'),
    xmloption: free('content'),
    xmlbinary: free('base64'),
    role: free('none'),
    work_mem: free('4MB'),
    max_connections: fixed('100'),
    enable_seqscan: free('on'),
    plan_cache_mode: free('auto'),
    cursor_tuple_fraction: free('0.1'),
    random_page_cost: free('4'),
    quote_all_identifiers: free('off'),
    escape_string_warning: free('on'),
    backslash_quote: free('safe_encoding'),
    array_nulls: free('on'),
    password_encryption: fixed('scram-sha-256'),
  }
  const spelling: Record<string, string> = {
    datestyle: 'DateStyle',
    intervalstyle: 'IntervalStyle',
    timezone: 'TimeZone',
  }
  const values = new Map<string, string>()
  /** What the client said when it connected. */
  const atStart = new Map<string, string>()
  const spelled = (name: string) => spelling[name] ?? name
  const keyOf = (name: string) => name.toLowerCase()

  const settings: Settings = {
    get(name) {
      const key = keyOf(name)
      // What a transaction does not say itself is as the default of the session.
      if (/^transaction_(isolation|read_only|deferrable)$/.test(key) && !values.has(key))
        return settings.get(`default_${key}`)
      return values.get(key) ?? (Object.hasOwn(known, key) ? known[key]!.value : undefined)
    },
    set(name, value) {
      const key = keyOf(name)
      const one = Object.hasOwn(known, key) ? known[key] : undefined
      const instead = one ? undefined : Object.entries(ofSpark).find(([end]) => key.endsWith(end))?.[1]
      if (instead !== undefined && value !== undefined)
        throw new Failure('SQL_UNSUPPORTED', `${key} does nothing here`, { hint: instead })
      // Names with a dot are anybody's, as PostgreSQL has it.
      if (!one && !key.includes('.') && !withoutEffect.test(key))
        throw new Failure('NOT_FOUND', `unrecognized configuration parameter "${name}"`, {
          hint: 'SHOW ALL lists the settings of a connection.',
        })
      if (one?.kind === 'fixed')
        throw new Failure('REQUEST_INVALID', `parameter "${name}" cannot be changed`, { hint: 'Leave it out.' })
      if (value !== undefined && (value.length > 1_000 || (one?.is && !one.is(value))))
        throw new Failure('REQUEST_INVALID', `invalid value for parameter "${name}": "${value.slice(0, 100)}"`, {
          hint: `It is ${one?.value ?? 'shorter'} here.`,
        })
      if (value !== undefined && one?.kind === 'time') timeMs(name, value)
      const began = value === undefined || /^default$/i.test(value)
      if (began && atStart.has(key)) values.set(key, atStart.get(key)!)
      else if (began) values.delete(key)
      else if (values.size < settingsMax || values.has(key))
        values.set(key, one?.kind === 'time' ? showMs(timeMs(name, value)) : canonical(key, value, one?.value))
      return one?.reported ? spelled(key) : undefined
    },
    resetAll() {
      values.clear()
      for (const [key, value] of atStart) values.set(key, value)
    },
    all: () =>
      [...new Set([...Object.keys(known), ...values.keys()])]
        .sort()
        .map((key) => [spelled(key), settings.get(key) ?? '']),
    described: () =>
      settings.all().map(([name, shown]) => {
        const key = keyOf(name)
        const isTime = known[key]?.kind === 'time'
        const bare = (value: string) => (isTime ? String(timeMs(name, value)) : value)
        const setting = bare(shown)
        const kind = /^(on|off)$/.test(setting) ? 'bool' : /^-?\d+$/.test(setting) ? 'integer' : 'string'
        const began = bare(atStart.get(key) ?? known[key]?.value ?? '')
        return { name, setting, ...(isTime ? { unit: 'ms' as const } : {}), kind, isSet: values.has(key), began }
      }),
    reported: () =>
      Object.entries(known)
        .filter(([, one]) => one.reported)
        .map(([key]) => [spelled(key), settings.get(key)!]),
    statementTimeoutMs: () => timeMs('statement_timeout', settings.get('statement_timeout')!),
  }
  const initial = [...about.initial].filter(([name]) => name !== 'options')
  for (const [name, value] of [...initial, ...optionsOf(about.initial.get('options') ?? '')]) {
    try {
      settings.set(name, value)
    } catch {
      // A client that asks for more than there is gets what there is: it is told by the values that are reported.
    }
  }
  for (const [key, value] of values) atStart.set(key, value)
  return settings
}

/** Settings as PostgreSQL's own command line has them: `-c search_path=marts --statement_timeout=5s`; a backslash keeps a blank. */
function optionsOf(text: string): [name: string, value: string][] {
  const words = (text.match(/(?:\\.|\S)+/gs) ?? []).map((word) => word.replace(/\\(.)/gs, '$1'))
  return words.flatMap((word, at): [string, string][] => {
    const given =
      word === '-c' ? words[at + 1] : /^(?:-c|--)(?=\w)/.test(word) ? word.replace(/^(-c|--)/, '') : undefined
    const [, name, value] = /^([\w.-]+)=(.*)$/s.exec(given ?? '') ?? []
    return name === undefined ? [] : [[name.replaceAll('-', '_'), value!]]
  })
}

/** Settings that are words of a list: told in small letters, however they were written. */
const worded = /^(client_min_messages|intervalstyle|bytea_output|(default_)?transaction_isolation|xmloption|xmlbinary)$/

function canonical(key: string, value: string, began: string | undefined): string {
  // Drivers go by the very word: of `ON` libpq takes it that backslashes mean something in texts.
  if (/^(on|off)$/.test(began ?? '')) {
    if (/^(on|true|yes|1|t|y)$/i.test(value)) return 'on'
    if (/^(off|false|no|0|f|n)$/i.test(value)) return 'off'
  }
  if (worded.test(key)) return value.toLowerCase()
  if (key === 'client_encoding') return 'UTF8'
  if (key === 'datestyle') return 'ISO, MDY'
  if (key !== 'timezone') return value
  const zone = timeZoneNamed(value)!
  return zone.toLowerCase() === value.toLowerCase() || !/^[a-z]/i.test(value) ? zone : value
}

/** In the largest unit that needs no fraction. */
function showMs(ms: number): string {
  const units: [string, number][] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
    ['ms', 1],
  ]
  const [unit, size] = units.find(([, one]) => ms % one === 0) ?? ['ms', 1]
  return ms === 0 ? '0' : `${ms / size}${unit}`
}

function timeMs(name: string, value: string): number {
  const ms = /^\d{1,9}$/.test(value.trim()) ? Number(value) : parseDurationMs(value.trim().replaceAll(' ', ''))
  if (ms === undefined)
    throw new Failure('REQUEST_INVALID', `invalid value for parameter "${name}": "${value.slice(0, 100)}"`, {
      hint: 'A number of milliseconds, or for example 30s.',
    })
  return ms
}
