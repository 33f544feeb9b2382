// One statement of a connection: what the connection does itself (settings, prepared names, cursors), what goes through
// the door, and in which form the answer comes back.

import type { Ending } from '../../base/ending.ts'
import { Failure } from '../../base/failure.ts'
import { timeZoneNamed } from '../../base/time-zone.ts'
import { pgTypes, wireTypeOf } from '../../base/pg-types.ts'
import type { Policy } from '../../govern/index.ts'
import {
  aliasOf,
  indexAt,
  isChange,
  nameOf,
  openSession,
  outside,
  placeAt,
  quoteName,
  quoteText,
  splice,
  tokens,
  type Chunk,
  type Column,
  type Edit,
  type QueryResult,
  type Spliced,
  type Token,
} from '../../lake/index.ts'
import { backendCalls, sleep, type Backends } from './backend-calls.ts'
import { classify, type Command, type CopyFormat, type IndexName } from './classify.ts'
import { copiedNulls, copiedRows, type CopiedColumn } from './copy-in.ts'
import type { PgDeps } from './deps.ts'
import { isCatalogQuery, translate } from './dialect.ts'
import type { SessionNames, SessionTable } from './dialect/sql.ts'
import { guesses } from './guesses.ts'
import { repairOf } from './repairs.ts'
import type { Entered } from './log-in.ts'
import { dataRow, type Field, type Report } from './messages.ts'
import { nullEdits, parameterEdits, placeholders, typedEdits, type Bound, type Placeholder } from './parameters.ts'
import { RowStream } from './rows.ts'
import { openSettings, type Settings } from './settings.ts'

/** What a statement gave. Without `fields` there are no rows. */
export type Answer = {
  fields?: Field[]
  rows?: RowStream
  /** What stands behind the rows, asked when they were read; of them `told` came last. @throws QUERY_TOO_LARGE when they are not all */
  tag(count: number, told?: number): string
  copy?: CopyFormat
  /** The rights that the rows were chosen by. */
  policy?: Policy
}
/** `start`: where the statement begins in the text that the client sent. */
export type Asked = {
  sql: string
  start: number
  text: string
  values?: readonly Bound[]
  formats?: readonly number[]
  /** The columns that the client was told, before it bound values. */
  told?: readonly Field[] | undefined
  /** Whether a numeric is one, too, when it is a whole number. */
  exact?: boolean
}

export interface Statements {
  readonly settings: Settings
  readonly state: 'idle' | 'open' | 'failed'
  run(asked: Asked, signal: AbortSignal): Promise<Answer>
  /** The columns that COPY … FROM STDIN is for. @throws FORBIDDEN before anything is sent */
  copyColumns(asked: Asked, copy: CopyIn, signal: AbortSignal): Promise<CopiedColumn[]>
  /** Lines of `copyReader` become rows of the table. */
  copyIn(
    asked: Asked,
    copy: CopyIn,
    columns: readonly CopiedColumn[],
    lines: AsyncIterable<string>,
    signal: AbortSignal,
  ): Promise<Answer>
  /** Fields of the rows, undefined where there are none, and the types of the parameters. */
  describe(asked: Asked, oids: readonly number[], signal: AbortSignal): Promise<Described>
  /** Something failed that the door does not know of. */
  failed(): void
  /** @throws TRANSACTION_ABORTED after a failure, for all but what ends the transaction or goes back in it */
  mayGoOn(command?: Command): void
  /** Rows that were begun under other rights than those of now are not continued. @throws FORBIDDEN */
  mayContinue(answer: Answer): Promise<void>
  /** A transaction around statements that the client did not put into one. */
  beginImplicit(signal: AbortSignal): Promise<void>
  endImplicit(signal: AbortSignal): Promise<void>
  /** The temporary tables of the connection go. */
  discardTemporary(): Promise<void>
  close(): Promise<void>
}
export type CopyIn = Extract<Command, { kind: 'copy-in' }>
/** The protocol counts them in 16 bits. */
const parametersMax = 65_535
export type Described = { fields: Field[] | undefined; oids: number[] }

type World = {
  deps: PgDeps
  /** What a client cancels it by. */
  backendId: number
  backends: Backends
  entered: Entered
  notice(report: Omit<Report, 'severity'> & { severity?: Report['severity'] }): void
  status(name: string): void
  /** As in `SessionNames`. */
  rowsOf(table: SessionTable): string[][]
}

export function openStatements({ deps, backendId, backends, entered, notice, status, rowsOf }: World): Statements {
  const { lake, govern, settings: rules } = deps
  const { database, named, identity } = entered
  const settings = openSettings({
    version: `15.0 (Boathouse ${deps.version})`,
    user: identity.principal.name,
    timeZone: rules.timeZone,
    superuser: identity.principal.role === 'admin',
    initial: entered.settings,
  })
  const projectZone = timeZoneNamed(rules.timeZone)
  let zone = { text: rules.timeZone, name: projectZone }
  /** Of the client. To look a zone up takes longer than to parse a short statement. */
  const clientZone = (): string | undefined => {
    const text = settings.get('timezone')!
    if (text !== zone.text) zone = { text, name: timeZoneNamed(text) }
    return zone.name
  }
  const door = openSession(lake, {
    principal: identity.principal,
    catalog: database.catalog,
    aliases: entered.names,
    door: 'pgwire',
    environmentNamed: named,
    namespace: 'public',
  })
  /** Of the path that the client set; else what USE says. */
  const namespaceOfPath = () => {
    const path = settings.get('search_path') ?? ''
    return path === '"$user", public' ? undefined : firstOfPath(path)
  }
  let isFailed = false
  let isImplicit = false
  let isFresh = false
  let beganReadOnly = false
  let beganMs: number | undefined
  const locals: (() => void)[] = []

  const names: SessionNames = {
    user: identity.principal.name,
    catalog: aliasOf(database.catalog, { aliases: entered.names }),
    get schema() {
      return namespaceOfPath() ?? door.names.namespace
    },
    version: `PostgreSQL 15.0 (Boathouse ${deps.version})`,
    backendId,
    get beganMs() {
      return door.state === 'idle' ? undefined : beganMs
    },
    setting: (name) => settings.get(name),
    rowsOf: (table) => (table === 'pg_settings' ? settings.described().map(settingRow) : rowsOf(table)),
  }
  /** `SELECT set_config('search_path', '', false)`: done when it is read, as its value is part of the text then. */
  function applyConfig(sql: string): void {
    for (const [, name, value] of sql.matchAll(
      /\bset_config\(\s*'([a-z_.]{1,60})'\s*,\s*(?:CAST\()?'([^']{0,200})'/gi,
    )) {
      const reported = settings.set(name!, value)
      if (reported) status(reported)
    }
  }

  const state = () => (door.state === 'idle' ? 'idle' : isFailed ? 'failed' : door.state)
  const settle = () => {
    if (door.state !== 'idle') return
    isFailed = false
    isImplicit = false
    for (const restore of locals.splice(0).toReversed()) restore()
  }

  /** Asked anew for each statement: what was taken from somebody counts at once. */
  async function principal() {
    const found = await govern.wire.refresh(identity)
    if (!found)
      throw new Failure('UNAUTHENTICATED', 'the log-in has ended: the user was disabled, or the secret changed', {
        hint: 'Connect again.',
      })
    return found
  }

  async function options(signal: AbortSignal) {
    const asked = settings.statementTimeoutMs()
    const namespace = namespaceOfPath()
    const timeZone = clientZone()
    return {
      principal: await principal(),
      signal,
      timeoutMs: asked > 0 ? Math.min(asked, rules.queryTimeoutMs) : rules.queryTimeoutMs,
      ...(namespace === undefined ? {} : { namespace }),
      // Said each time: a transaction keeps what it was begun with.
      timeZone: timeZone === projectZone ? undefined : timeZone,
    }
  }

  async function through(
    asked: Asked,
    signal: AbortSignal,
    translated: Spliced,
  ): Promise<{ result: QueryResult; policy: Policy }> {
    // Before the query: what changes while it runs is noticed.
    const policy = await govern.access.policy()
    const more = await options(signal)
    const formats = shownFormats(asked.formats ?? [], settings.get('intervalstyle')!)
    const result = await placed(asked, translated, () =>
      door.query(translated.text, {
        ...more,
        formats,
        json: jsonOf(
          asked.sql,
          translated.text,
          asked.values?.map(({ oid }) => oid),
        ),
      }),
    )
    return { result, policy }
  }

  /** Values in binary of which nobody said of what type they are, as the statement has it. */
  async function typed(asked: Asked, signal: AbortSignal): Promise<readonly Bound[]> {
    const { values = [] } = asked
    const isUntold = ({ bytes, format, oid }: Bound) => bytes !== null && format === 1 && oid === 0
    if (!values.some(isUntold)) return values
    const { oids } = await statements.describe(
      asked,
      values.map(({ oid }) => oid),
      signal,
    )
    return values.map((value, at) => (isUntold(value) ? { ...value, oid: oids[at] ?? 0 } : value))
  }

  /** What the functions of a SELECT do to connections; which of them found theirs. */
  async function callBackends(sql: string, signal: AbortSignal): Promise<boolean[]> {
    const found: boolean[] = []
    for (const { does, argument } of backendCalls(sql, backendId)) {
      if (does === 'sleep') await sleep(argument, (await options(signal)).timeoutMs, signal)
      else {
        await principal()
        const isThere = backends.signal(argument, does)
        found.push(isThere)
        if (!isThere)
          notice({
            severity: 'WARNING',
            sqlState: '01000',
            message: `PID ${argument} is not a PostgreSQL server process`,
          })
      }
    }
    return found
  }

  function lakeAnswer(asked: Asked, signal: AbortSignal, rows: boolean): Promise<Answer> {
    const writes = isReadOnly() && isChange(asked.sql) && !/^\s*(explain|show)\b/i.test(asked.sql)
    return writes ? readOnlyAnswer(asked, signal, rows) : answerOf(asked, signal, rows)
  }

  async function answerOf(asked: Asked, signal: AbortSignal, rows: boolean): Promise<Answer> {
    const { sql } = asked
    const values = await typed(asked, signal)
    const write = (given: readonly Bound[]) =>
      parameterEdits(placeholders(sql), given, { plainText: isCatalogQuery(sql), exact: asked.exact === true })
    const said = splice(sql, write(values)).text
    applyConfig(said)
    const found = rows ? await callBackends(said, signal) : []
    const attempt = async (given: readonly Bound[], fits: readonly Edit[]) => {
      const session = { ...names, schema: names.schema, signalled: () => found.shift() ?? true }
      const isOpen = ({ start }: Edit) => !fits.some((one) => one.start === start && one.end > start)
      const translated = translate(sql, session, [...write(given).filter(isOpen), ...fits])
      return { translated, ...(await through(asked, signal, translated)) }
    }
    const { translated, result, policy } = await fitted(asked, values, signal, attempt)
    isFresh = false
    for (const message of result.notices ?? []) notice({ severity: 'NOTICE', sqlState: '00000', message })
    const { columns, command } = result
    const tag = (count: number, told = count) => {
      if (result.truncated())
        throw new Failure('QUERY_TOO_LARGE', `the result has more than ${count} rows`, {
          hint: `Aggregate or filter. The limit is ${result.rowsSetBy ?? 'limits.query_rows'}.`,
        })
      return command === 'SELECT' ? `SELECT ${told}` : tagOf(command, result.changed ?? count)
    }
    if (!rows || columns.length === 0) {
      const count = await countOf(result)
      return { tag: () => tagOf(command, count) }
    }
    // Whether rows are encoded already is known by the first of them: what the lake answers itself comes as JSON.
    const chunks = placedChunks(asked, translated, result.chunks)
    const first = await chunks.next()
    const encoded = first.done || first.value.bytes !== undefined
    const fields = encoded ? fieldsOf(columns, asked, vectorsTold) : textFields(columns)
    return { fields, rows: new RowStream(startingWith(first, chunks, encoded)), tag, policy }
  }

  /** Again, as long as the engine says what fits (`repairs.ts`); what it refused before ends no transaction. */
  async function fitted<Done>(
    asked: Asked,
    values: readonly Bound[],
    signal: AbortSignal,
    attempt: (given: readonly Bound[], fits: readonly Edit[]) => Promise<Done>,
  ): Promise<Done> {
    let given = values
    const fits: Edit[] = []
    const isWithin = door.state === 'open'
    const say = async (words: string) => isWithin && (await door.query(words, await options(signal)))
    for (let repairs = 0; ; repairs++) {
      await say('SAVEPOINT boathouse_fits')
      try {
        const done = await attempt(given, fits)
        await say('RELEASE boathouse_fits')
        return done
      } catch (error) {
        const at = offset(error, asked)
        const repair =
          repairs < repairsMax && error instanceof Failure ? repairOf(asked.sql, error.message, at, names) : undefined
        if (!repair) throw error
        const value = 'parameter' in repair ? given[repair.parameter - 1] : undefined
        if ('parameter' in repair && (value === undefined || value.oid !== 0)) throw error
        if ('edits' in repair) fits.push(...repair.edits)
        else given = given.with(repair.parameter - 1, { ...value!, oid: repair.oid })
        await say('ROLLBACK TO boathouse_fits')
      }
    }
  }

  async function transaction(
    command: Extract<Command, { kind: 'transaction' }>,
    { sql, start, text }: Asked,
    signal: AbortSignal,
  ): Promise<Answer> {
    const asked = { sql, start, text }
    const say = async (words: string) => {
      const { result } = await through(asked, signal, { text: words, origin: (index) => index })
      return result.command
    }
    if (command.does === 'begin') {
      if (door.state !== 'idle' && !isImplicit) {
        notice({ severity: 'WARNING', sqlState: '25001', message: 'there is already a transaction in progress' })
        return done(command.tag)
      }
      if (isImplicit) {
        isImplicit = false // it becomes the client's
        return done(command.tag)
      }
      await say(withDefaults(sql, settings))
      beganMs = deps.clock.now()
      for (const [name, value] of saidOfTransaction(sql)) {
        settings.set(name, value)
        locals.push(() => settings.set(name, undefined))
      }
      beganReadOnly = isReadOnly()
      // What the session is told later is for the next one.
      settings.set('transaction_read_only', beganReadOnly ? 'on' : 'off')
      locals.push(() => settings.set('transaction_read_only', undefined))
      isFresh = true
      return done(command.tag)
    }
    if (command.does === 'end') {
      if (door.state === 'idle') {
        if (/\band\s+chain\b/i.test(sql))
          throw new Failure('TRANSACTION_STATE', `${command.tag} AND CHAIN can only be used in transaction blocks`, {
            sqlState: '25P01',
          })
        notice({ severity: 'WARNING', sqlState: '25P01', message: 'there is no transaction in progress' })
        return done(command.tag)
      }
      const chained = /\band\s+(no\s+)?chain\b/i.exec(sql)
      const words = chained ? sql.slice(0, chained.index) : sql
      const level = settings.get('transaction_isolation') ?? ''
      const next = `BEGIN ISOLATION LEVEL ${level} ${beganReadOnly ? 'READ ONLY' : 'READ WRITE'}`
      let tag: string
      try {
        tag = await say(isFailed ? 'ROLLBACK' : words)
      } finally {
        settle()
      }
      if (chained && !chained[1])
        await transaction({ kind: 'transaction', does: 'begin', tag: 'BEGIN' }, { ...asked, sql: next }, signal)
      return done(tag)
    }
    const tag = await say(sql)
    if (tag === 'ROLLBACK') isFailed = false
    return done(tag)
  }

  /** SET TRANSACTION: the transaction that is open, and has done nothing so far, is begun again as is said. */
  async function change(name: string, value: string, signal: AbortSignal): Promise<void> {
    if (door.state !== 'open' || isImplicit) return
    const isLevel = name === 'transaction_isolation'
    if (isLevel ? value !== 'serializable' : (value === 'on') === isReadOnly()) return
    // What is asked of the statements that follow needs no other transaction.
    if (!isFresh && !isLevel && value === 'on') return
    if (!isFresh)
      throw new Failure(
        'TRANSACTION_STATE',
        isLevel
          ? 'SET TRANSACTION ISOLATION LEVEL must be called before any query'
          : 'transaction read-write mode must be set before any query',
        { sqlState: '25001' },
      )
    const more = await options(signal)
    const level = isLevel ? value : settings.get('transaction_isolation')
    beganReadOnly = isLevel ? isReadOnly() : value === 'on'
    await door.query('ROLLBACK', more)
    await door.query(
      `BEGIN${level === 'serializable' ? ' ISOLATION LEVEL SERIALIZABLE' : ''}${beganReadOnly ? ' READ ONLY' : ''}`,
      more,
    )
  }

  const isReadOnly = () => settings.get('transaction_read_only') === 'on'

  /** A statement of its own is in a transaction of its own, which the session may want to be read-only. */
  async function readOnlyAnswer(asked: Asked, signal: AbortSignal, rows: boolean): Promise<Answer> {
    const isOutside =
      /^\s*(?:(?:create|drop|alter)\s+(?:schema|role|user|group|environment)|grant|revoke|call)\b/i.test(asked.sql)
    if (isOutside || (door.state !== 'idle' && !beganReadOnly))
      throw new Failure('TRANSACTION_STATE', 'nothing can be written in a read-only transaction', {
        hint: 'SET default_transaction_read_only = off, or begin it without READ ONLY.',
        sqlState: '25006',
      })
    if (door.state !== 'idle') return answerOf(asked, signal, rows)
    await statements.beginImplicit(signal)
    try {
      return await answerOf(asked, signal, rows)
    } catch (error) {
      isFailed = true
      throw error
    } finally {
      await statements.endImplicit(signal)
    }
  }

  /** A unique index is kept as a constraint of its table; there are no others. */
  async function alterIndex(
    one: IndexName,
    does: 'DROP' | 'RENAME',
    behind: string,
    signal: AbortSignal,
  ): Promise<void> {
    const found = await door.query(
      tablesOfUnique(one.name, one.schema ?? names.schema ?? 'public'),
      await options(signal),
    )
    const tables: string[][] = []
    for await (const { json } of found.chunks) if (json !== '') tables.push(...(JSON.parse(json) as string[][]))
    for (const table of tables) {
      const sql = `ALTER TABLE ${table.map(quoteName).join('.')} ${does} CONSTRAINT ${quoteName(one.name)}${behind}`
      await lakeAnswer({ sql, start: 0, text: sql }, signal, false)
    }
  }

  function mayGoOn(command?: Command): void {
    const isWayOut = command?.kind === 'transaction' && (command.does === 'end' || command.tag === 'ROLLBACK')
    if (state() === 'failed' && !isWayOut)
      throw new Failure(
        'TRANSACTION_ABORTED',
        'current transaction is aborted, commands ignored until end of transaction block',
      )
  }

  const statements: Statements = {
    settings,
    mayGoOn,
    get state() {
      return state()
    },
    failed() {
      if (door.state !== 'idle') isFailed = true
    },

    async run(asked, signal) {
      const command = classified(asked)
      mayGoOn(command)
      switch (command.kind) {
        case 'lake':
          return lakeAnswer(asked, signal, command.rows)
        case 'copy': {
          const { query, start, to } = command
          const formats = [to.format === 'binary' ? 1 : 0]
          const inner = { ...asked, sql: query, start: asked.start + start, formats }
          const answer = await lakeAnswer(inner, signal, true)
          return { ...answer, copy: to, tag: (count) => (answer.tag(count), `COPY ${count}`) }
        }
        case 'transaction':
          return transaction(command, asked, signal)
        case 'set': {
          const { name, value, local } = command
          const before = settings.get(name)
          if (/^transaction_(isolation|read_only)$/.test(name) && value !== undefined) await change(name, value, signal)
          const reported = settings.set(name, value)
          if (reported) status(reported)
          // Of a transaction nothing stays: the next is as the session has it.
          if (local) locals.push(() => settings.set(name, name.startsWith('transaction_') ? undefined : before))
          settle()
          return done('SET')
        }
        case 'show':
          return show(command.name, settings)
        case 'reset':
          if (command.name === 'all') settings.resetAll()
          else settings.set(command.name, undefined)
          return done('RESET')
        case 'create-database': {
          // Tools make the database that they were told to use, and go on where it is there.
          const known = [deps.project, ...deps.databases.flatMap(({ name, catalog }) => [name, catalog])]
          if (!known.includes(command.name)) return lakeAnswer(asked, signal, false)
          throw new Failure('ALREADY_EXISTS', `database "${command.name}" already exists`, { sqlState: '42P04' })
        }
        case 'unique-index':
          await lakeAnswer({ sql: command.sql, start: 0, text: command.sql }, signal, false)
          return done('CREATE INDEX')
        case 'drop-index':
          for (const one of command.names) await alterIndex(one, 'DROP', '', signal)
          return done('DROP INDEX')
        case 'rename-index':
          await alterIndex(command.name, 'RENAME', ` TO ${quoteName(command.to)}`, signal)
          return done('ALTER INDEX')
        case 'nothing':
          if (command.notice) notice({ severity: 'NOTICE', sqlState: '00000', message: command.notice })
          return done(command.tag)
        default:
          throw new Failure('SQL_UNSUPPORTED', `${command.kind.toUpperCase()} is not for here`)
      }
    },

    async copyColumns(asked, { query, into, named, start }, signal) {
      mayGoOn()
      const more = await options(signal)
      const origin = (index: number) => start + index
      const seen = placed(asked, { text: query, origin }, () => door.describe(query, more))
      const { columns } = await seen.catch(async (error: unknown) => ({ columns: await insertedColumns(error) }))
      // Who may not insert is told so before they send anything: no rows are inserted, and that is taken back.
      const text = `INSERT INTO ${into} OVERRIDING SYSTEM VALUE SELECT ${copiedNulls(columns)} WHERE false`
      const own = isReadOnly() ? 'BEGIN READ ONLY' : 'BEGIN'
      const [begin, back] = door.state === 'idle' ? [own, 'ROLLBACK'] : [mark, `ROLLBACK TO ${mark}`]
      await door.query(begin, more)
      try {
        await placed(asked, { text, origin: () => start }, () => door.query(text, more))
      } finally {
        await door.query(back, more)
      }
      return columns

      /** Of columns that are named, to somebody who may insert them and not read them. @throws `error` where that is not why */
      async function insertedColumns(error: unknown): Promise<CopiedColumn[]> {
        const values = named.map((_, at) => `$${at + 1}`).join(', ')
        const inserted = door.describe(`INSERT INTO ${into} VALUES (${values})`, more)
        const { parameters } = await inserted.catch(() => ({ parameters: [] }))
        if (named.length === 0 || parameters.length !== named.length) throw error
        return parameters.map((type, at) => ({ name: named[at]!, type }))
      }
    },

    async copyIn(asked, { into, start }, columns, lines, signal) {
      const more = await options(signal)
      const types = columns.map((_, at) => ({ name: `c${at}`, type: 'VARCHAR' }))
      const csv = { text: lines, columns: [{ name: 'k', type: 'INTEGER' }, ...types], delimiter: ',', exact: true }
      // What is copied has its numbers, as in PostgreSQL.
      const statement = (table: string) => `INSERT INTO ${into} OVERRIDING SYSTEM VALUE ${copiedRows(columns, table)}`
      const origin = () => start
      const result = await placed(asked, { text: '', origin }, () => door.loading(csv, statement, more))
      const count = await countOf(result)
      return { tag: () => `COPY ${count}` }
    },

    async describe(asked, oids, signal) {
      const command = classified(asked)
      const places = placeholders(asked.sql)
      const count = Math.max(oids.length, ...places.map(({ number }) => number), 0)
      if (count > parametersMax)
        throw new Failure('SQL_INVALID', `a statement has at most ${parametersMax} parameters`, { sqlState: '42P02' })
      const casts = new Map(places.map(({ number, cast }) => [number - 1, cast]))
      const declared = Array.from({ length: count }, (_, at) => oids[at] || (casts.get(at) ?? 0))
      if (command.kind === 'show') return { fields: show(command.name, settings).fields, oids: declared }
      const isAsked = command.kind === 'lake' && (command.rows || (command.changes && declared.includes(0)))
      if (!isAsked) return { fields: undefined, oids: declared.map((oid) => oid || 25) }
      const more = await options(signal)
      const describe = async (translated: Spliced) =>
        placed(asked, translated, () =>
          door.describe(translated.text, { ...more, json: jsonOf(asked.sql, translated.text, declared) }),
        )
      let known = declared
      /** Those of which neither the client nor the engine says the type. */
      const open: number[] = []
      if (count > 0) {
        const typesOf = async (oids: readonly number[]) =>
          (await describe(translate(asked.sql, names, typedEdits(places, oids)))).parameters
        let parameters = await typesOf(declared).catch((error: unknown) => {
          // `doc @> $1`: the engine holds lists by lists, and knows of the other side alone what it is.
          if (!(error instanceof Failure) || !/'(@>|<@)\((JSON, UNKNOWN|UNKNOWN, JSON)\)'/.test(error.message))
            throw error
          for (const { number, isList } of places) if (isList) declared[number - 1] ||= pgTypes.jsonb.oid
          return typesOf(declared)
        })
        // `SET n = n + $1` does not say which number, and DuckDB looks no further behind it. No column of an answer has a type by it.
        const isNumber = ({ number, counts }: Placeholder) =>
          counts && command.changes === true && declared[number - 1] === 0 && parameters[number - 1] === 'UNKNOWN'
        const numbers = new Set(places.flatMap((place) => (isNumber(place) ? [place.number - 1] : [])))
        const guessed = declared.map((oid, at) => (numbers.has(at) ? pgTypes.numeric.oid : oid))
        if (numbers.size > 0) parameters = await typesOf(guessed)
        const lists = new Set(places.flatMap(({ number, any }) => (any ? [number - 1] : [])))
        const likely = new Map(places.map((place) => [place.number - 1, place.likely]))
        known = guessed.map((oid, at) => {
          const type = parameters[at]
          if (!oid && type === 'UNKNOWN') {
            open.push(at)
            if (likely.get(at)) return likely.get(at)!
          }
          return oid || (type ? wireTypeOf(lists.has(at) ? `${type}[]` : type).oid : likely.get(at) || 25)
        })
      }
      if (!command.rows) return { fields: undefined, oids: known }
      const bind = async (oids: number[]) => {
        const nulls = (unknown: boolean) => describe(translate(asked.sql, names, nullEdits(places, oids, unknown)))
        // What is computed of a null that is seen may have no type; but some functions take what is seen only.
        const { columns } = count > 0 ? await nulls(true).catch(() => nulls(false)) : await nulls(false)
        return { columns, oids }
      }
      const bound = await bind(known).catch((error: unknown) => guessed(error, known, new Set(open)))
      // What the lake answers itself comes as texts.
      const isOwn = command.changes !== true && isChange(asked.sql)
      return { fields: isOwn ? textFields(bound.columns) : fieldsOf(bound.columns, asked), oids: bound.oids }

      /** One of those after the other, as what the engine takes where it stands. @throws `error` where it takes none */
      async function guessed(error: unknown, oids: number[], left: ReadonlySet<number>): ReturnType<typeof bind> {
        if (!(error instanceof Failure)) throw error
        const at = offset(error, asked)
        const repair = repairOf(asked.sql, error.message, at, names)
        if (repair && 'parameter' in repair && left.has(repair.parameter - 1)) {
          const tried = oids.with(repair.parameter - 1, repair.oid)
          const others = new Set([...left].filter((one) => one !== repair.parameter - 1))
          return bind(tried).catch((other: unknown) => guessed(other, tried, others))
        }
        const nearest = places
          .filter(({ number }) => left.has(number - 1))
          .sort((a, b) => (at === undefined ? 0 : Math.abs(a.start - at) - Math.abs(b.start - at)))
          .slice(0, triedMax)
        for (const [{ number }, oid] of nearest.flatMap((place) =>
          guesses(error.message).map((oid) => [place, oid] as const),
        )) {
          const tried = oids.with(number - 1, oid)
          const result = await bind(tried).catch((other: unknown) => other)
          if (!(result instanceof Error)) return result as Awaited<ReturnType<typeof bind>>
          if (offset(result, asked) !== at)
            return guessed(result, tried, new Set([...left].filter((one) => one !== number - 1)))
        }
        throw error
      }
    },

    async mayContinue({ policy }) {
      await principal()
      if (policy && policy !== (await govern.access.policy()))
        throw new Failure('FORBIDDEN', 'rights were changed since these rows were chosen', {
          hint: 'Run the statement again.',
        })
    },

    async beginImplicit(signal) {
      if (door.state !== 'idle') return
      beganReadOnly = isReadOnly()
      await door.query(beganReadOnly ? 'BEGIN READ ONLY' : 'BEGIN', await options(signal))
      beganMs = deps.clock.now()
      isImplicit = true
    },
    async endImplicit(signal) {
      if (!isImplicit) return
      const words = state() === 'failed' ? 'ROLLBACK' : 'COMMIT'
      try {
        await door.query(words, await options(signal))
      } finally {
        settle()
      }
    },
    discardTemporary: () => door.discardTemporary(),
    close: () => door.close(),
  }
  return statements
}

const mark = 'SAVEPOINT boathouse_copy'

/** How many operands of a statement are written as lists. */
const repairsMax = 8

/** How many parameters a failure may be about. */
const triedMax = 3

/** Where a failure is, in the statement. */
function offset(error: unknown, { text, start }: Asked): number | undefined {
  const { line, column } = (error instanceof Failure ? error.place : undefined) ?? {}
  return line === undefined ? undefined : indexAt(text, { line, column }) - start
}

const tablesOfUnique = (name: string, schema: string): string => `
  SELECT n.nspname, c.relname FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE k.contype = 'u' AND k.conname = ${quoteText(name)} AND n.nspname = ${quoteText(schema)}`

const done = (tag: string): Answer => ({ tag: () => tag })

/** A statement's text is looked at once, whatever is asked of it. */
function classified(asked: Asked): Command {
  try {
    return classify(asked.sql)
  } catch (error) {
    throw error instanceof Failure ? relocated(error, asked, (index) => index, asked.sql) : error
  }
}

/** A failure of the translated text gets its place in what the client sent. */
async function placed<Value>(asked: Asked, translated: Spliced, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof Failure ? relocated(error, asked, translated.origin, translated.text) : error
  }
}

async function* placedChunks(
  asked: Asked,
  translated: Spliced,
  chunks: AsyncIterable<Chunk>,
): AsyncGenerator<Chunk, undefined> {
  try {
    yield* chunks
  } catch (error) {
    throw error instanceof Failure ? relocated(error, asked, translated.origin, translated.text) : error
  }
  return undefined
}

function relocated(error: Failure, asked: Asked, origin: (index: number) => number, text: string): Failure {
  const { line, column } = error.place ?? {}
  if (line === undefined) return error
  const index = indexAt(text, { line, column })
  const { code, message, hint, cause, context } = error
  const place = placeAt(asked.text, asked.start + origin(index))
  return new Failure(code, message, { ...context, cause, hint, place, text: asked.text })
}

/** Clients know these words, and prepare the statement again. */
export const changedColumns = () =>
  new Failure('SQL_UNSUPPORTED', 'cached plan must not change result type', {
    hint: 'Prepare the statement again: what it reads has other columns now.',
    routine: 'RevalidateCachedQuery',
  })

function fieldsOf(
  columns: readonly Column[],
  { sql, formats = [], told }: Asked,
  textType?: (name: string, sql: string) => number | undefined,
): Field[] {
  if (told && told.length !== columns.length) throw changedColumns()
  if (formats.length > 1 && formats.length !== columns.length)
    throw new Failure('REQUEST_INVALID', `${formats.length} formats for ${columns.length} columns`)
  const isValues = /^\s*values\b/i.test(sql)
  // Behind `*` a column may be called as an operation is.
  const mayBeColumns =
    /(?:\bselect|\bdistinct|\ball|\breturning|[,.])\s*\*/i.test(sql) ||
    !/^\s*(select|with|insert|update|delete)\b/i.test(sql)
  return columns.map(({ name, type }, at) => {
    const format = (formats.length === 1 ? formats[0] : formats[at]) ?? 0
    const own = wireTypeOf(type)
    return {
      // `AS "SUM(amount)"`: a name that the client chose is not ours to shorten.
      name: isValues
        ? `column${at + 1}`
        : sql.includes(quoteName(name))
          ? name
          : mayBeColumns
            ? shownName(name)
            : toldName(name, sql),
      type:
        format === 0 && own.oid === pgTypes.text.array && areNames(name, sql)
          ? { ...own, oid: pgTypes.name.array }
          : {
              ...own,
              oid: (format === 0 && own.oid === pgTypes.text.oid && !told && textType?.(name, sql)) || own.oid,
            },
      format,
    }
  })
}

/** Which of PostgreSQL's two types what is computed of JSON has, as far as the statement tells: the engine has one. */
const jsonOf = (sql: string, meant: string, parameters: readonly number[] = []): 'JSON' | 'JSONB' =>
  parameters.includes(pgTypes.jsonb.oid) ||
  /\bjsonb_delete\w*\(/.test(meant) ||
  (!/\b(json_\w+|to_json|row_to_json|array_to_json)\s*\(|(::|\bas)\s*json\b/i.test(sql) && /\bjsonb|->|#>/i.test(sql))
    ? 'JSONB'
    : 'JSON'

/** `array_agg(a.attname) AS column_names` is of the type `name[]`, which clients take apart themselves; `a.attname::text` is not. */
const areNames = (column: string, sql: string): boolean =>
  /^\w+$/.test(column) &&
  new RegExp(
    `\\barray_agg\\(\\s*(distinct\\s+)?(\\w+\\.)?(att|rel|con|nsp|typ|pro|rol|col)name\\b[^():]*\\)\\s+as\\s+"?${column}\\b`,
    'i',
  ).test(sql)

/**
 * `SELECT indkey FROM pg_index`: a text of numbers, of which psqlODBC makes numbers where it is told the type. Who describes a
 * statement first may ask for it in binary, and is told of a text.
 */
function vectorsTold(name: string, sql: string): number | undefined {
  const known = /^(?:(indkey|indoption)|indclass|indcollation|proargtypes)$/i.exec(name)
  const isCast = known && new RegExp(`\\b${name}"?\\s*::`, 'i').test(sql)
  if (!known || isCast || !/\bpg_(index|proc)\b/i.test(sql)) return undefined
  return known[1] ? 22 : 30
}

/** An operation, and a value, have no name in PostgreSQL; nor has an operator that is a call to the engine. */
function toldName(name: string, sql: string): string {
  const shown = shownName(name)
  const isCall = shown !== name && /^\w+$/.test(shown) && new RegExp(`^(main\\.)?"?${shown}"?\\(`).test(name)
  if (isCall && !calledAs.has(shown) && !sql.toLowerCase().includes(shown.toLowerCase())) return '?column?'
  const isTruth = /^CAST\('[tf]' AS BOOLEAN\)$/.test(name) && !/bool/i.test(sql)
  return /^[-+]?\(.*\)$/s.test(shown) || constant.test(shown) || isTruth ? '?column?' : shown
}

/** PostgreSQL names an expression by its outermost function, a query by its column, the engine both by their whole text. */
export function shownName(name: string): string {
  if (/^CASE\s.*END$/s.test(name)) return 'case'
  if (/^\(ARRAY\[.*\]\)$/s.test(name)) return 'array'
  const query = /^\(SELECT (?:DISTINCT )?(.*)\)$/s.exec(name)?.[1]
  if (query !== undefined && query.length < queryTextMax) return columnOf(query) ?? name
  if (name.length > 500) return name
  const cast = wholeCast.exec(name)
  // A constant has no name of its own, so it is called as its type.
  if (cast && constant.test(uncast(cast[1]!))) return constantOf(cast[2]!.toUpperCase())
  if (cast) return lastOfPath.exec(cast[1]!)?.[1]?.replace(/^"|"$/g, '').replaceAll('""', '"') ?? shownName(cast[1]!)
  // `tags[1]` is called as the list.
  const list = /^(.+)\[[^[\]]*\]$/s.exec(name)?.[1]
  if (list !== undefined) return lastOfPath.exec(list)?.[1] ?? shownName(list)
  const call = /^(?:main\.)?"?([a-z_][\w$]*)"?\(.*\)$/is.exec(name)?.[1]
  return calledElsewhere[call ?? name] ?? call ?? name
}

const constantOf = (type: string): string => (type === 'DECIMAL' ? 'numeric' : wireTypeOf(type).type)

/** What the one column of a query is called, whose list begins here. */
function columnOf(query: string): string | undefined {
  const all = [...tokens(query)]
  const last = outside(all).find(([{ text }]) => /^(from|,)$/i.test(text))?.[1]
  const item = all.slice(0, last)
  const [before, alias] = item.slice(-2)
  const isName = ({ kind }: Token) => kind === 'word' || kind === 'quoted'
  const isPath = item.every((token, index) => (index % 2 === 0 ? isName(token) : token.text === '.'))
  if (alias && isName(alias) && (before?.text.toLowerCase() === 'as' || isPath)) return nameOf(alias)
  const [first] = item
  if (!first) return undefined
  return isPath ? nameOf(item.at(-1)!) : shownName(query.slice(first.start, item.at(-1)!.end))
}
const queryTextMax = 20_000
/** `k.id`, `k."Name"`: a column of a table. */
const lastOfPath = /^(?:[a-z_]\w*|"(?:[^"]|"")+")(?:\.(?:[a-z_]\w*|"(?:[^"]|"")+"))*\.([a-z_]\w*|"(?:[^"]|"")+")$/i
/** A value and its type. */
const wholeCast = /^CAST\((.*) AS "?([^()"]*)"?(?:\([^()]*\))?\)$/s
const uncast = (text: string): string => {
  const inner = wholeCast.exec(text)?.[1]
  return inner === undefined ? text : uncast(inner)
}
const constant = /^('(?:[^']|'')*'|-?[\d.]+|NULL|\(SELECT NULL\))$/

const calledElsewhere: Record<string, string> = {
  count_star: 'count',
  list_value: 'array',
  EXISTS: 'exists',
  GROUPING: 'grouping',
  quantile_cont: 'percentile_cont',
  quantile_disc: 'percentile_disc',
  COALESCE: 'coalesce',
  // `trim(leading 'x' FROM y)` and its sisters.
  trim: 'btrim',
  ltrim: 'ltrim',
  rtrim: 'rtrim',
}

const calledAs = new Set(Object.values(calledElsewhere))

const textFields = (columns: readonly Column[]): Field[] =>
  columns.map(({ name, type }) => ({ name, type: wireTypeOf(type === 'JSON' ? type : 'VARCHAR'), format: 0 }))

function startingWith(
  first: IteratorResult<Chunk, undefined>,
  rest: AsyncGenerator<Chunk, undefined>,
  encoded: boolean,
): Ending<Chunk> {
  let ahead: typeof first | undefined = first
  return {
    async next() {
      const step = ahead ?? (await rest.next())
      ahead = undefined
      return step.done || encoded ? step : { value: asWire(step.value) }
    },
    return: () => rest.return(undefined),
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

function asWire({ rowCount, json }: Chunk): Chunk {
  const rows = JSON.parse(json) as unknown[][]
  const show = (value: unknown) =>
    value === null ? null : typeof value === 'object' ? JSON.stringify(value) : String(value)
  return { rowCount, json: '', bytes: Buffer.concat(rows.map((row) => dataRow(row.map(show)))) }
}

/** Rows that a change says it touched. */
async function countOf({ chunks }: QueryResult): Promise<number> {
  let count = 0
  for await (const { json } of chunks) {
    const value = json === '' ? 0 : (JSON.parse(json) as unknown[][])[0]?.[0]
    count += Number(value) || 0
  }
  return count
}

function tagOf(command: string, count: number): string {
  if (command === 'INSERT') return `INSERT 0 ${count}`
  if (command === 'CREATE TABLE' && count > 0) return `SELECT ${count}` // AS SELECT
  return ['UPDATE', 'DELETE', 'MERGE', 'COPY'].includes(command) ? `${command} ${count}` : command
}

function show(name: string, settings: Settings): Answer {
  const rows: [string[], (string | null)[][]] =
    name === 'all'
      ? [['name', 'setting', 'description'], settings.all().map(([key, value]) => [key, value, ''])]
      : [[name === 'transaction_isolation' ? 'transaction_isolation' : name], [[valueOf(name, settings)]]]
  const [names, lines] = rows
  const chunk = { rowCount: lines.length, json: '', bytes: Buffer.concat(lines.map(dataRow)) }
  return {
    fields: names.map((one) => ({ name: one, type: wireTypeOf('VARCHAR'), format: 0 })),
    rows: new RowStream(
      (async function* () {
        yield chunk
      })(),
    ),
    tag: () => 'SHOW',
  }
}

function valueOf(name: string, settings: Settings): string {
  const value = settings.get(name)
  if (value === undefined) throw new Failure('NOT_FOUND', `unrecognized configuration parameter "${name}"`)
  return value
}

/** What SHOW tells of a transaction while it lasts. */
function saidOfTransaction(sql: string): [name: string, value: string][] {
  const said = sql.toLowerCase().replaceAll(/\s+/g, ' ')
  const level = /isolation level (serializable|repeatable read|read committed|read uncommitted)/.exec(said)?.[1]
  const access = /\bread (only|write)\b/.exec(said)?.[1]
  const deferrable = /\b(not )?deferrable\b/.exec(said)
  return [
    ...(level ? [['transaction_isolation', level] as [string, string]] : []),
    ...(access ? [['transaction_read_only', access === 'only' ? 'on' : 'off'] as [string, string]] : []),
    ...(deferrable ? [['transaction_deferrable', deferrable[1] ? 'off' : 'on'] as [string, string]] : []),
  ]
}

/** What `SET SESSION CHARACTERISTICS` said holds for each BEGIN that says nothing itself. */
function withDefaults(sql: string, settings: Settings): string {
  const isolation =
    /isolation/i.test(sql) || settings.get('default_transaction_isolation') !== 'serializable'
      ? ''
      : ' ISOLATION LEVEL SERIALIZABLE'
  const reading =
    /\bread\s+(only|write)/i.test(sql) || settings.get('default_transaction_read_only') !== 'on' ? '' : ' READ ONLY'
  return `${sql}${isolation}${reading}`
}

/** The schema of names without one: the first of the path that is an ordinary one. */
function firstOfPath(path: string): string | undefined {
  return path
    .split(',')
    .map((one) => one.trim().replace(/^"(.*)"$/, '$1'))
    .find((one) => one !== '' && !['$user', 'pg_catalog', 'pg_temp', 'information_schema'].includes(one))
}

const settingRow = ({
  name,
  setting,
  unit,
  kind,
  isSet,
  began,
}: ReturnType<Settings['described']>[number]): string[] => {
  const texts = [name, setting, unit, 'Boathouse', '', undefined, 'user', kind, isSet ? 'session' : 'default']
  const more = [undefined, undefined, undefined, began, began, undefined, undefined]
  return [...[...texts, ...more].map((text) => (text === undefined ? 'NULL' : quoteText(text))), 'false']
}

/** Intervals as `SET intervalstyle` says: Ruby on Rails does so for each connection. */
function shownFormats(formats: readonly number[], style: string): readonly number[] {
  if (!/^iso_8601$/i.test(style)) return formats
  return formats.length === 0 ? [2] : formats.map((format) => (format === 0 ? 2 : format))
}
