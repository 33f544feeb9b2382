// The conversation with one client that is logged in: simple queries, and the extended protocol with prepared statements
// and portals.
//
// Each message is answered before the next is read, so one connection runs one statement at a time. After an error in
// the extended protocol everything is skipped until Sync, as the protocol has it.

import { asFailure, Failure } from '../../base/failure.ts'
import { pgTypeOfOid, sqlNames } from '../../base/pg-types.ts'
import { indexAt, quoteText, splice, splitStatements } from '../../lake/index.ts'
import type { Backends } from './backend-calls.ts'
import { Body } from './body.ts'
import { classify, type Command } from './classify.ts'
import { copyReader } from './copy-in.ts'
import { CopyWriter } from './copy.ts'
import type { PgDeps } from './deps.ts'
import type { Entered } from './log-in.ts'
import { longInsert } from './long-insert.ts'
import type { Field } from './messages.ts'
import * as say from './messages.ts'
import { placeholders, type Bound } from './parameters.ts'
import { Gone, ProtocolViolation, type Message } from './socket.ts'
import { ScrolledRows } from './scroll.ts'
import { sqlStateOf } from './sqlstate.ts'
import { changedColumns, openStatements, type Answer, type Asked } from './statements.ts'

/** What another connection may do with this one. */
export type Cancellable = { cancel(): void; terminate(): void }

/** `told`: the columns that the client knows of it; `types`: those of its parameters, as PREPARE has them. */
type Prepared = {
  sql: string
  oids: number[]
  types?: readonly string[]
  told?: Field[] | undefined
  /** PREPARE, as it was written. */
  written?: string
  atMs: number
}
type Portal = {
  asked: Asked
  answer?: Answer | undefined
  hold: boolean
  /** Of the transaction that is open: it goes with it when that is rolled back. */
  isOfTransaction?: boolean
  cursor: boolean
  done: boolean
  /** Of a cursor that is read in any direction: undefined until it is begun. */
  scroll?: { rows: ScrolledRows | undefined }
  /** DECLARE, as it was written. */
  written?: string
  atMs: number
}
type Control = { id: number; key: number; session: Cancellable; backends: Backends; stopping: AbortSignal }

/** Of all messages (dlt sends 32 MiB of rows in one), and of those that hold SQL: its tokens take a hundred times as much. */
const [messageBytesMax, sqlBytesMax] = [34 * 2 ** 20, 2 ** 20]
const [preparedMax, portalsMax] = [1_000, 100]
const copyBytesMax = 8 * 2 ** 30
const quickWords = /^\s*(insert|update|delete|merge)\b/i

export async function runSession(deps: PgDeps, entered: Entered, control: Control): Promise<void> {
  const { wire } = entered
  const prepared = new Map<string, Prepared>()
  const portals = new Map<string, Portal>()
  const stopped = new Failure('ENGINE_LOST', 'terminating connection due to administrator command', {
    hint: 'Connect again.',
    sqlState: '57P01',
  })
  let current: AbortController | undefined
  let isSkipping = false

  const statements = openStatements({
    deps,
    backendId: control.id,
    backends: control.backends,
    entered,
    notice: (report) => {
      const all = { severity: 'NOTICE' as const, ...report }
      const least = /^(warning|error)$/i.exec(statements.settings.get('client_min_messages') ?? '')?.[1]
      const isHeard = least === undefined || (all.severity === 'WARNING' && /^warning$/i.test(least))
      if (isHeard) wire.send(say.noticeResponse(all))
    },
    rowsOf: (table) => (table === 'pg_cursors' ? cursorRows() : preparedRows()),
    status: (name) => wire.send(say.parameterStatus(name, statements.settings.get(name) ?? '')),
  })
  control.session.cancel = () =>
    current?.abort(new Failure('QUERY_CANCELLED', 'canceling statement due to user request'))
  const onStop = () => {
    current?.abort(stopped)
    if (!current) {
      wire.send(say.errorResponse({ severity: 'FATAL', sqlState: '57P01', message: stopped.message }))
      wire.end()
    }
  }
  let isTerminated = false
  control.session.terminate = () => {
    isTerminated = true
    onStop()
  }
  control.stopping.addEventListener('abort', onStop, { once: true })

  wire.send(
    say.authenticationOk,
    ...statements.settings.reported().map(([name, value]) => say.parameterStatus(name, value)),
    say.backendKeyData(control.id, control.key),
  )
  ready()
  try {
    while (!control.stopping.aborted && !isTerminated) {
      // What is sent in one go is answered so: psycopg's pipelines go by it.
      if (wire.ahead === 0) wire.flush()
      const message = await wire.next(messageBytesMax)
      if (message.type === 'X') return
      current = new AbortController()
      const signal = AbortSignal.any([wire.gone, current.signal])
      try {
        await take(message, signal)
      } catch (error) {
        if (error instanceof Gone || error instanceof ProtocolViolation || wire.gone.aborted) throw error
        await failed(message, signal, error)
      } finally {
        current = undefined
      }
    }
  } finally {
    control.stopping.removeEventListener('abort', onStop)
    await closePortals(() => true)
    await statements.close()
  }

  function ready(): void {
    const status = { idle: 'I', open: 'T', failed: 'E' } as const
    wire.send(say.readyForQuery(status[statements.state]))
    wire.flush()
  }

  async function failed({ type }: Message, signal: AbortSignal, error: unknown): Promise<void> {
    const reason = signal.aborted && signal.reason instanceof Failure ? signal.reason : error
    const failure = asFailure(reason)
    if (failure.code === 'INTERNAL')
      deps.log.error('a statement of a SQL client failed unexpectedly', {
        error: failure.message,
        stack: (failure.cause as Error | undefined)?.stack,
      })
    statements.failed()
    const isOver = failure === stopped || failure.code === 'UNAUTHENTICATED'
    wire.send(say.errorResponse({ ...reportOf(failure), severity: isOver ? 'FATAL' : 'ERROR' }))
    if (isOver) throw new Gone()
    if (type === 'Q' || type === 'S') {
      await endImplicit()
      await closePortals((portal) => !portal.hold)
      ready()
    } else isSkipping = true
  }

  /** Also after a failure: then it rolls back, and its own failure has nobody to tell. */
  async function endImplicit(): Promise<void> {
    await statements.endImplicit(AbortSignal.timeout(60_000)).catch(() => {})
  }

  async function take({ type, body: bytes }: Message, signal: AbortSignal): Promise<void> {
    if (isSkipping && type !== 'S') return
    if ((type === 'Q' || type === 'P') && bytes.length > sqlBytesMax) {
      const text = type === 'Q' ? new Body(bytes).text() : ''
      const parts = longInsert(text)
      if (parts) return insertParts(text, parts, signal)
      throw new Failure('QUERY_TOO_LARGE', `a statement has at most ${sqlBytesMax} bytes`, {
        hint: 'Bind large values as parameters. INSERT … VALUES of values alone may be longer.',
      })
    }
    const body = new Body(bytes)
    switch (type) {
      case 'Q':
        return simple(body.text(), signal)
      case 'P':
        return parse(body, signal)
      case 'B':
        return bind(body)
      case 'D':
        return describe(body.byte(), body.text(), signal)
      case 'E':
        return execute(body.text(), body.int32(), signal)
      case 'C':
        return close(body.byte(), body.text())
      case 'H':
        return wire.flush()
      case 'S': {
        const wasSkipping = isSkipping
        isSkipping = false
        if (wasSkipping) await endImplicit()
        else await statements.endImplicit(signal)
        if (statements.state === 'idle') await closePortals((portal) => !portal.hold)
        return ready()
      }
      case 'd':
      case 'c':
      case 'f':
        return // the rest of a COPY that was refused
      case 'F':
        throw new Failure('SQL_UNSUPPORTED', 'function calls of the protocol are not taken')
      default:
        throw new ProtocolViolation(`a message of the unknown type ${type}`)
    }
  }

  // Simple queries

  async function simple(text: string, signal: AbortSignal): Promise<void> {
    await closePortal('', false)
    const parts = splitStatements(text)
    if (parts.length === 0) {
      wire.send(say.emptyQuery)
      return ready()
    }
    const commands = parts.map(({ sql }) => classify(sql))
    const isOne =
      parts.length > 1 &&
      !commands.some(({ kind }) => kind === 'transaction') &&
      commands.some((command) => command.kind === 'lake' && !command.rows)
    if (isOne) await statements.beginImplicit(signal)
    for (const { sql, start } of parts) {
      const answer = await answerOf({ sql, start, text }, signal, true)
      if (!answer) continue
      if (answer.fields && !answer.copy) wire.send(say.rowDescription(answer.fields))
      await sendRows(answer, Infinity, signal)
    }
    await statements.endImplicit(signal)
    if (statements.state === 'idle') await closePortals((portal) => !portal.hold)
    ready()
  }

  /** One INSERT in several parts, which are one commit. */
  async function insertParts(
    text: string,
    parts: readonly { sql: string; start: number }[],
    signal: AbortSignal,
  ): Promise<void> {
    portals.delete('')
    await statements.beginImplicit(signal)
    let count = 0
    for (const { sql, start } of parts) {
      const { tag } = await statements.run({ sql, start, text }, signal)
      count += Number(tag(0).split(' ').at(-1))
    }
    await statements.endImplicit(signal)
    wire.send(say.commandComplete(`INSERT 0 ${count}`))
    ready()
  }

  /** Undefined when everything was said already. `isSimple`: rows are described unasked. */
  async function answerOf(asked: Asked, signal: AbortSignal, isSimple: boolean): Promise<Answer | undefined> {
    const command = classify(asked.sql)
    if (command.kind !== 'empty') statements.mayGoOn(command)
    switch (command.kind) {
      case 'empty':
        wire.send(say.emptyQuery)
        return undefined
      case 'prepare':
        keepPrepared(
          command.name,
          {
            sql: asked.sql.slice(command.start),
            oids: [],
            types: command.types,
            written: asked.sql,
            atMs: deps.clock.now(),
          },
          false,
        )
        return { tag: () => 'PREPARE' }
      case 'execute':
        return statements.run(instead(executed(command), asked), signal)
      case 'deallocate':
        if (command.name === undefined) prepared.clear()
        else if (!prepared.delete(command.name)) throw unknownStatement(command.name)
        return { tag: () => 'DEALLOCATE' }
      case 'discard':
        if (command.all) {
          prepared.clear()
          await closePortals(() => true)
          statements.settings.resetAll()
        }
        if (command.all || /TEMP/.test(command.tag)) await statements.discardTemporary()
        return { tag: () => command.tag }
      case 'copy-in': {
        const columns = await statements.copyColumns(asked, command, signal)
        const { from } = command
        wire.send(say.copyInResponse(from.format === 'binary' ? 1 : 0, columns.length))
        return statements.copyIn(asked, command, columns, copied(copyReader(from, columns), signal), signal)
      }
      case 'declare': {
        if (statements.state === 'idle' && !command.hold)
          throw new Failure('TRANSACTION_STATE', 'DECLARE CURSOR can only be used in transaction blocks', {
            hint: 'BEGIN first, or declare it WITH HOLD.',
            sqlState: '25P01',
          })
        const sql = asked.sql.slice(command.start)
        const { formats: _, ...rest } = asked
        const formats = command.binary ? { formats: [1] } : {}
        const inner: Asked = { ...rest, ...formats, sql, start: asked.start + command.start }
        const scroll = command.scroll ? { scroll: { rows: undefined } } : {}
        keepPortal(command.name, {
          asked: inner,
          hold: command.hold,
          isOfTransaction: statements.state !== 'idle',
          cursor: true,
          done: false,
          written: asked.sql,
          atMs: deps.clock.now(),
          ...scroll,
        })
        // Its rows are those of now, whatever is written before they are fetched.
        await started(portalOf(command.name), signal).catch(async (error: unknown) => {
          await closePortal(command.name, true)
          throw error
        })
        return { tag: () => 'DECLARE CURSOR' }
      }
      case 'fetch':
        return fetch(command, asked, signal, isSimple)
      case 'close':
        if (command.name === undefined) await closePortals(({ cursor }) => cursor)
        else await closePortal(command.name, true)
        return { tag: () => 'CLOSE CURSOR' }
      default: {
        const explained = explainedExecute(asked.sql)
        const answer = statements.run(explained === undefined ? asked : instead(explained, asked), signal)
        if (command.kind === 'transaction' && command.does === 'end') await endCursors(answer)
        return answer
      }
    }
  }

  /** What was declared in a transaction stays behind it when that is committed, and not otherwise. */
  async function endCursors(ending: Promise<Answer>): Promise<void> {
    const isKept = await ending.then(
      ({ tag }) => tag(0) === 'COMMIT',
      () => false,
    )
    if (isKept) for (const portal of portals.values()) portal.isOfTransaction = false
    else await closePortals((portal) => portal.isOfTransaction === true)
  }

  /** Another text, told in the formats that were asked for. */
  function instead(text: string, { formats }: Asked): Asked {
    return { sql: text, start: 0, text, ...(formats && { formats }) }
  }

  /** The text of a prepared statement with its values. */
  function executed({ name, arguments: values }: Extract<Command, { kind: 'execute' }>): string {
    const known = preparedOf(name)
    const edits = placeholders(known.sql).map(({ number, start, end }) => {
      const value = values[number - 1]
      if (value === undefined) throw new Failure('REQUEST_INVALID', `there is no value for the parameter $${number}`)
      const type = known.types?.[number - 1]?.trim()
      const isTyped = type !== undefined && !/^(unknown)?$/i.test(type)
      return { start, end, text: isTyped ? `CAST(${value} AS ${type})` : `(${value})` }
    })
    return splice(known.sql, edits).text
  }

  /** `EXPLAIN (FORMAT JSON) EXECUTE p(NULL)`, as sqlx asks what may be null: the same of the statement itself. */
  function explainedExecute(sql: string): string | undefined {
    const at = /^\s*explain\b[^'"]{0,100}?\b(?=execute\s)/i.exec(sql)?.[0].length
    const command = at === undefined ? undefined : classify(sql.slice(at))
    return command?.kind === 'execute' ? sql.slice(0, at) + executed(command) : undefined
  }

  /** What the client sends until it says that this is all. */
  async function* copied(read: (bytes?: Buffer) => string, signal: AbortSignal): AsyncGenerator<string> {
    let size = 0
    for (;;) {
      wire.flush()
      const { type, body } = await wire.next(messageBytesMax)
      signal.throwIfAborted()
      if (type === 'c') return yield read()
      if (type === 'f')
        throw new Failure('QUERY_CANCELLED', `COPY from stdin failed: ${new Body(body).text()}`, { sqlState: '57014' })
      // Between the rows they mean nothing.
      if (type === 'S' || type === 'H') continue
      if (type !== 'd') throw new ProtocolViolation(`a message of the type ${type} among the rows of COPY`)
      size += body.length
      if (size > copyBytesMax)
        throw new Failure('QUERY_TOO_LARGE', `one COPY takes at most ${copyBytesMax / 2 ** 30} GiB`, {
          hint: 'Send the rows in several.',
        })
      const lines = read(body)
      if (lines !== '') yield lines
    }
  }

  async function fetch(
    { name, where, move }: Extract<Command, { kind: 'fetch' }>,
    asked: Asked,
    signal: AbortSignal,
    isSimple: boolean,
  ): Promise<undefined> {
    const answer = await cursor(name, asked, signal)
    if (answer.fields && !move && isSimple) wire.send(say.rowDescription(answer.fields))
    const { scroll } = portalOf(name)
    let taken = 0
    if (scroll && answer.rows) {
      const rows = await (scroll.rows ??= new ScrolledRows(answer.rows)).take(where)
      answer.tag(answer.rows.count) // refuses what was cut
      if (!move) await sendAll(rows, signal)
      wire.send(say.commandComplete(`${move ? 'MOVE' : 'FETCH'} ${rows.length}`))
      return
    }
    if (where.kind !== 'rows' || where.count < 1)
      throw new Failure('SQL_UNSUPPORTED', `cursor "${name}" can only be read forward`, {
        hint: 'Declare it with SCROLL.',
        sqlState: '55000',
      })
    for (let left = where.count; left > 0 && answer.rows;) {
      const before = answer.rows.count
      const bytes = await answer.rows.take(left)
      if (!bytes) {
        answer.tag(answer.rows.count) // refuses what was cut
        break
      }
      taken += answer.rows.count - before
      left -= answer.rows.count - before
      if (!move) await sendAll([bytes], signal)
    }
    wire.send(say.commandComplete(`${move ? 'MOVE' : 'FETCH'} ${taken}`))
  }

  /** The rows of a cursor, in the formats that its first FETCH asked for. */
  async function cursor(name: string, { formats }: Asked, signal: AbortSignal): Promise<Answer> {
    const portal = portalOf(name)
    const isBinary = (one: readonly number[] | undefined) => one?.includes(1) === true
    // Who described it before they said how they read it.
    if (formats && portal.answer?.rows?.count === 0 && isBinary(formats) !== isBinary(portal.asked.formats)) {
      await portal.answer.rows.close()
      delete portal.answer
    }
    if (formats && !portal.answer) portal.asked = { ...portal.asked, formats }
    return started(portal, signal)
  }

  // The extended protocol

  async function parse(body: Body, signal: AbortSignal): Promise<void> {
    const name = body.text()
    const sql = body.text()
    const oids = body.list(() => body.int32() >>> 0)
    body.end()
    const parts = splitStatements(sql)
    if (parts.length > 1) throw new Failure('SQL_INVALID', 'cannot insert multiple commands into a prepared statement')
    // Without the semicolon behind it.
    const [{ start, sql: only } = { start: 0, sql: '' }] = parts
    const whole = sql.slice(0, start + only.length)
    if (name !== '') await checked(whole, oids, signal)
    keepPrepared(name, { sql: whole, oids, atMs: deps.clock.now() }, name === '')
    wire.send(say.parseComplete)
  }

  function bind(body: Body): void {
    const [name, from] = [body.text(), body.text()]
    const formats = body.list(() => body.int16())
    const values = body.list(() => body.value())
    const resultFormats = body.list(() => body.int16())
    body.end()
    const { sql, oids, told } = preparedOf(from)
    if ([...formats, ...resultFormats].some((format) => format !== 0 && format !== 1))
      throw new ProtocolViolation('a format is neither text nor binary')
    if (formats.length > 1 && formats.length !== values.length)
      throw new ProtocolViolation(`${formats.length} formats for ${values.length} parameters`)
    const bound = values.map((bytes, at): Bound => ({
      bytes,
      format: (formats.length === 1 ? formats[0] : formats[at]) ?? 0,
      oid: oids[at] ?? 0,
    }))
    const asked: Asked = { sql, start: 0, text: sql, values: bound, formats: resultFormats, told }
    keepPortal(name, { asked, hold: false, cursor: false, done: false, atMs: deps.clock.now() })
    wire.send(say.bindComplete)
  }

  /** A query that is kept under a name is one: what is wrong with others is told when they run, which costs nothing more. */
  async function checked(sql: string, oids: number[], signal: AbortSignal): Promise<void> {
    const command = classify(sql)
    if (command.kind !== 'lake' || !command.rows || command.changes || statements.state === 'failed') return
    if (explainedExecute(sql) !== undefined) return
    await statements.describe({ sql, start: 0, text: sql }, oids, signal).catch((error: unknown) => {
      if (error instanceof Failure && /^42(?!501)/.test(sqlStateOf(error))) throw error
    })
  }

  async function describe(what: string, name: string, signal: AbortSignal): Promise<void> {
    if (what === 'S') {
      const known = preparedOf(name)
      const command = classify(known.sql)
      if (command.kind === 'execute') {
        const { sql, oids } = preparedOf(command.name)
        const { fields } = await statements.describe({ sql, start: 0, text: sql }, oids, signal)
        wire.send(say.parameterDescription([]), fields ? say.rowDescription(fields) : say.noData)
        return
      }
      const text = explainedExecute(known.sql) ?? known.sql
      const { fields, oids } = await statements.describe({ sql: text, start: 0, text }, known.oids, signal)
      // Values are read as the client was told that they are.
      known.oids = oids
      known.told = fields
      wire.send(say.parameterDescription(oids), fields ? say.rowDescription(fields) : say.noData)
      return
    }
    if (what !== 'P') throw new ProtocolViolation('Describe is of a statement or a portal')
    const portal = portalOf(name)
    const command = classify(portal.asked.sql)
    const hasRows = (command.kind === 'lake' && command.rows) || command.kind === 'show' || command.kind === 'execute'
    // What gives rows is begun now: its columns are known when it runs.
    const answer = hasRows
      ? await started(portal, signal)
      : command.kind === 'fetch' && !command.move
        ? await cursor(command.name, portal.asked, signal)
        : undefined
    wire.send(answer?.fields ? say.rowDescription(answer.fields) : say.noData)
  }

  async function execute(name: string, max: number, signal: AbortSignal): Promise<void> {
    const portal = portalOf(name)
    const { asked } = portal
    if (portal.done && portal.answer?.rows) {
      wire.send(say.commandComplete(portal.answer.tag(0)))
      return
    }
    if (!portal.answer && changesRows(asked.sql)) await statements.beginImplicit(signal)
    const isContinued = portal.answer !== undefined
    const answer = portal.answer ?? (await begun(asked, signal))
    if (!answer) return
    portal.answer = answer
    if (isContinued && (answer.rows?.count ?? 0) > 0) await statements.mayContinue(answer)
    portal.done = await sendRows(answer, max > 0 ? max : Infinity, signal)
  }

  async function close(what: string, name: string): Promise<void> {
    if (what === 'S') prepared.delete(name)
    else if (what === 'P') await closePortal(name, false)
    else throw new ProtocolViolation('Close is of a statement or a portal')
    wire.send(say.closeComplete)
  }

  // Both

  async function started(portal: Portal, signal: AbortSignal): Promise<Answer> {
    if (portal.answer) await statements.mayContinue(portal.answer)
    else portal.answer = await begun(portal.asked, signal)
    if (!portal.answer) throw new Failure('SQL_UNSUPPORTED', 'this statement has no portal')
    return portal.answer
  }

  /** Whether a statement changes rows, and so may not be run again. */
  function changesRows(sql: string): boolean {
    if (quickWords.test(sql)) return true
    try {
      const command = classify(sql)
      if (command.kind === 'execute') return changesRows(preparedOf(command.name).sql)
      return command.kind === 'lake' && command.changes === true
    } catch {
      return false // what is wrong with it is told where it runs
    }
  }

  /** @throws where columns are not as the client was told, and would read them, after a change of what is read. */
  async function begun(given: Asked, signal: AbortSignal): Promise<Answer | undefined> {
    const { told } = given
    const hasNumeric = told?.some(({ type }) => type.type === 'numeric') === true
    // What changes rows is done once, so a numeric that was told is one from the first.
    const isDone = changesRows(given.sql)
    const asked = isDone && hasNumeric ? { ...given, exact: true } : given
    const answer = await answerOf(asked, signal, false)
    if (!told || !answer?.fields || areAlike(told, answer.fields)) return answer
    // Values may have made them other than types alone.
    const { values = [], sql, text } = asked
    const { fields } = await statements.describe({ sql, start: 0, text }, oidsOf(values), signal)
    const isUnchanged = fields !== undefined && areAlike(told, fields)
    const isMisread = answer.fields.some(({ type }, at) => type.type === 'json' && told[at]?.type.array)
    // `n * $1` is a whole number when 2 is bound, and a numeric was told.
    const isWhole = !isDone && !asked.exact && hasNumeric
    if (isUnchanged && !isMisread && !isWhole) return answer
    await answer.rows?.close().catch(() => {})
    if (isUnchanged && isWhole) return begun({ ...asked, exact: true }, signal)
    throw isUnchanged ? tooDeep() : changedColumns()
  }

  /** True when the end was reached. */
  async function sendRows(answer: Answer, max: number, signal: AbortSignal): Promise<boolean> {
    const { rows, copy, fields = [] } = answer
    const before = rows?.count ?? 0
    const copying = copy && new CopyWriter(copy, fields)
    if (copy) wire.send(say.copyOutResponse(copy.format === 'binary' ? 1 : 0, fields.length))
    try {
      while (rows) {
        const left = max - (rows.count - before)
        if (left === 0) {
          wire.send(say.portalSuspended)
          return false
        }
        const bytes = await rows.take(left)
        if (!bytes) break
        await sendAll(copying ? copying.rows(bytes) : [bytes], signal)
      }
    } catch (error) {
      await rows?.close().catch(() => {})
      throw error
    }
    // Of a portal that is read in parts each says how many rows it gave: postgres.js goes by that.
    const tag = answer.tag(rows?.count ?? 0, (rows?.count ?? 0) - before)
    if (copying) wire.send(...copying.end(), say.copyDone)
    wire.send(say.commandComplete(tag))
    return true
  }

  async function sendAll(messages: Buffer[], signal: AbortSignal): Promise<void> {
    wire.send(...messages)
    await wire.drained(signal)
  }

  /** The statement that asks is none of them. */
  function cursorRows(): string[][] {
    return [...portals].flatMap(([name, { cursor, asked, hold, scroll, written, atMs }]) =>
      cursor
        ? [
            [
              quoteText(name),
              quoteText(written ?? asked.sql),
              String(hold),
              String(asked.formats?.[0] === 1),
              String(scroll !== undefined),
              moment(atMs),
            ],
          ]
        : [],
    )
  }
  function preparedRows(): string[][] {
    return [...prepared].flatMap(([name, { sql, oids, types, told, written, atMs }]) => {
      if (name === '') return []
      const nameOf = (oid: number) => {
        const type = pgTypeOfOid(oid)
        return type ? `${sqlNames[type.type]}${type.array ? '[]' : ''}` : 'unknown'
      }
      const known = types?.map((type) => type.trim()) ?? oids.map(nameOf)
      const results = told?.map(({ type }) => nameOf(type.oid))
      const list = (items: readonly string[]) => `[${items.map(quoteText).join(', ')}]::VARCHAR[]`
      return [
        [
          quoteText(name),
          quoteText(written ?? sql),
          moment(atMs),
          list(known),
          results ? list(results) : 'NULL',
          String(written !== undefined),
          '0',
          '0',
        ],
      ]
    })
  }
  function preparedOf(name: string): Prepared {
    const found = prepared.get(name)
    if (!found) throw unknownStatement(name)
    return found
  }
  function keepPrepared(name: string, one: Prepared, replace: boolean): void {
    if (!replace && prepared.has(name))
      throw new Failure('ALREADY_EXISTS', `prepared statement "${name}" already exists`, { sqlState: '42P05' })
    if (prepared.size >= preparedMax)
      throw new Failure('QUERY_TOO_LARGE', `a connection keeps at most ${preparedMax} prepared statements`, {
        hint: 'Close some, or DISCARD ALL.',
      })
    prepared.set(name, one)
  }
  function portalOf(name: string): Portal {
    const found = portals.get(name)
    if (!found) throw new Failure('NOT_FOUND', `portal "${name}" does not exist`, { sqlState: '34000' })
    return found
  }
  function keepPortal(name: string, portal: Portal): void {
    const old = portals.get(name)
    if (old && name !== '')
      throw new Failure('ALREADY_EXISTS', `cursor "${name}" already exists`, { sqlState: '42P03' })
    if (portals.size >= portalsMax)
      throw new Failure('QUERY_TOO_LARGE', `a connection has at most ${portalsMax} open cursors`)
    void old?.answer?.rows?.close().catch(() => {})
    portals.set(name, portal)
  }
  async function closePortal(name: string, mustExist: boolean): Promise<void> {
    const portal = portals.get(name)
    if (!portal) {
      if (mustExist) throw new Failure('NOT_FOUND', `cursor "${name}" does not exist`, { sqlState: '34000' })
      return
    }
    portals.delete(name)
    await portal.answer?.rows?.close().catch(() => {})
  }
  async function closePortals(which: (portal: Portal) => boolean): Promise<void> {
    for (const [name, portal] of portals) if (which(portal)) await closePortal(name, false)
  }
}

const moment = (atMs: number): string => `TIMESTAMPTZ '${new Date(atMs).toISOString()}'`

const areAlike = (some: readonly Field[], others: readonly Field[]): boolean =>
  some.length === others.length && some.every(({ type }, at) => type.oid === others[at]!.type.oid)
const oidsOf = (values: readonly Bound[]) => values.map(({ oid }) => oid)

const tooDeep = () =>
  new Failure('SQL_UNSUPPORTED', 'a list of several dimensions was bound where the client was told of one', {
    hint: 'Cast the parameter to as many dimensions, for example `$1::int[][]`.',
  })

const unknownStatement = (name: string) =>
  new Failure('NOT_FOUND', `prepared statement "${name}" does not exist`, { sqlState: '26000' })

function reportOf(failure: Failure): say.Report {
  const { line, column } = failure.place ?? {}
  const text = typeof failure.context.text === 'string' ? failure.context.text : undefined
  const position =
    line !== undefined && text !== undefined
      ? Array.from(text.slice(0, indexAt(text, { line, column }))).length + 1
      : undefined
  return {
    severity: 'ERROR',
    sqlState: typeof failure.context.sqlState === 'string' ? failure.context.sqlState : sqlStateOf(failure),
    // Of our own bugs nothing is told.
    message: failure.code === 'INTERNAL' ? 'unexpected error' : failure.message,
    ...(failure.code === 'INTERNAL' ? {} : { hint: failure.hint }),
    ...(typeof failure.context['detail'] === 'string' && { detail: failure.context['detail'] }),
    ...(position === undefined ? {} : { position }),
    ...(failure.context['broken'] as Partial<say.Report> | undefined),
    ...(typeof failure.context.routine === 'string' ? { routine: failure.context.routine } : {}),
  }
}
