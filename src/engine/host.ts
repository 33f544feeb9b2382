// The program of an engine host: a locked-down DuckDB instance, or one of each class for a command, in a process of its own.
//
// A native crash, a query that cannot be interrupted, or too much memory ends this process and nothing else.
// It is started by `host-process.ts`, told its settings by `pool.ts`, and ends when its parent goes away.

import { DuckDBInstance, type DuckDBDataChunk, type DuckDBType, type DuckDBValue } from '@duckdb/node-api'
import { ByteWriter } from './bytes.ts'
import { chunkEncoder, typeName } from './encode.ts'
import { filePattern } from './file-pattern.ts'
import { registerFunctions } from './functions.ts'
import { openConnection, type HostConnection } from './host-connection.ts'
import { namesPgFunction, pgFunctionsSql } from './pg-functions.ts'
import {
  creditMax,
  type Chunk,
  type EngineError,
  type HostAnswer,
  type HostClass,
  type HostRequest,
  type HostSettings,
  type InstanceSettings,
} from './protocol.ts'
import { toldAs, wireEncoder } from './wire-encode.ts'

const send = (...answers: HostAnswer[]) => void process.send?.(answers, undefined, undefined, () => {})

const quote = (text: string) => `'${text.replaceAll("'", "''")}'`

async function open(settings: InstanceSettings): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(settings.threads),
    memory_limit: `${Math.floor(settings.memoryBytes / 2 ** 20)}MiB`,
  })
  const connection = await instance.connect()
  const lock = [
    `SET GLOBAL TimeZone = ${quote(settings.timeZone)}`,
    'SET GLOBAL autoinstall_known_extensions = false',
    'SET GLOBAL autoload_known_extensions = false',
    'SET GLOBAL allow_community_extensions = false',
    'SET GLOBAL python_enable_replacement_scans = false',
    'SET GLOBAL max_expression_depth = 250',
    `SET GLOBAL disabled_optimizers = ${quote(settings.disabledOptimizers.join(','))}`,
    `SET GLOBAL temp_directory = ${quote(settings.tempDirectory)}`,
    `SET GLOBAL max_temp_directory_size = ${quote(`${Math.floor(settings.tempBytes / 2 ** 20)}MiB`)}`,
    // Paths are compared as they are spelled, and files are spelled as patterns where they are read.
    `SET GLOBAL allowed_directories = [${settings.directories
      .flatMap((one) => [one, filePattern(one)])
      .map(quote)
      .join(', ')}]`,
    // A statement has the zone of its asker.
    "SET GLOBAL allowed_configs = ['TimeZone']",
    'SET GLOBAL enable_external_access = false',
    'SET GLOBAL lock_configuration = true',
  ]
  for (const statement of lock) {
    try {
      await connection.run(statement)
    } catch (error) {
      // Not every build has this one, and without Python there is nothing to switch off.
      if (!statement.includes('python_enable_replacement_scans')) throw error
    }
  }
  registerFunctions(connection)
  connection.closeSync()
  return instance
}

/** Rows on their way into one message to the parent. */
type Gathered = {
  add(chunk: DuckDBDataChunk, rows: number): void
  size(): number
  take(rowCount: number): Chunk
}

function jsonRows(types: readonly DuckDBType[]): Gathered {
  const encode = chunkEncoder(types)
  let parts: string[] = []
  let size = 0
  return {
    add(chunk, rows) {
      const json = encode(chunk, rows)
      parts.push(json)
      size += json.length
    },
    size: () => size,
    take(rowCount) {
      const json = parts.length === 1 ? parts[0]! : `[${parts.map((part) => part.slice(1, -1)).join(',')}]`
      parts = []
      size = 0
      return { rowCount, json }
    },
  }
}

function wireRows(
  types: readonly DuckDBType[],
  formats: readonly number[],
  declared: readonly (string | undefined)[],
  timeZone: string,
): Gathered {
  const encoder = wireEncoder(types, formats, declared, timeZone)
  const out = new ByteWriter()
  return {
    add: (chunk, rows) => encoder.encode(chunk, rows, out),
    size: () => out.at,
    // Sending copies it at once.
    take: (rowCount) => ({ rowCount, json: '', bytes: out.take() }),
  }
}

type Running = { connection?: HostConnection; cancelled: boolean; credit: number; wake?: () => void }

const madeMax = 10_000

type Served = HostRequest & { kind: 'run' | 'bind' }

/** Serves the queries of one class. */
async function openInstance(settings: InstanceSettings) {
  const instance = await open(settings)
  const running = new Map<number, Running>()
  /** Setup that was run: its effect lasts as long as this process. */
  const made = new Set<string>()
  const idle: HostConnection[] = []
  let isBroken = false
  let functions: Promise<void> | undefined

  async function makeFunctions(): Promise<void> {
    const connection = await instance.connect()
    await connection.run(pgFunctionsSql)
    connection.closeSync()
  }
  /** A statement of the planning host is a parameter of what is asked about it. */
  const needsFunctions = (request: Served) =>
    [request.sql, ...request.setup, ...(request.kind === 'run' ? request.parameters : [])].some(
      (text) => typeof text === 'string' && namesPgFunction(text),
    )

  async function run(request: Served) {
    const state: Running = { cancelled: false, credit: creditMax }
    running.set(request.id, state)
    let connection: HostConnection | undefined
    try {
      connection = idle.pop() ?? (await openConnection(instance, settings.timeZone))
      state.connection = connection
      if (functions || needsFunctions(request)) await (functions ??= makeFunctions())
      if (state.cancelled) throw new Error('INTERRUPT Error: Interrupted!')
      await connection.inZone(request.timeZone ?? settings.timeZone)
      for (const statement of request.setup) {
        if (made.has(statement)) continue
        await connection.run(statement)
        if (made.size >= madeMax) made.clear()
        made.add(statement)
      }
      if (request.kind === 'bind') await bind(connection, request)
      else await stream(connection, request, state)
      idle.push(connection)
    } catch (error) {
      connection?.close()
      send({ kind: 'failed', id: request.id, error: await explain(error, request, state.cancelled) })
    } finally {
      running.delete(request.id)
    }
  }

  /**
   * A fault of DuckDB itself leaves an instance that answers nothing any more, and says to everybody what it said of the one
   * query that met the fault: that query alone may be told, as the text may hold values of it.
   */
  function fatal(message: string, isItsOwn: boolean): EngineError {
    isBroken = true
    return { type: 'fatal', message: isItsOwn ? (/Original error: "([^]*)"\s*$/.exec(message)?.[1] ?? message) : '' }
  }
  const isAlive = async () => {
    try {
      const connection = await instance.connect()
      await connection.run('SELECT 1')
      connection.closeSync()
      return true
    } catch {
      return false
    }
  }

  async function bind(connection: HostConnection, { id, sql }: HostRequest & { kind: 'bind' }) {
    const prepared = await connection.prepare(sql)
    // Where the types of parameters are not said, neither they nor what depends on them have one.
    const known = (typeOf: () => DuckDBType) => {
      try {
        return typeName(typeOf())
      } catch {
        return 'UNKNOWN'
      }
    }
    const columns = Array.from({ length: prepared.columnCount }, (_, at) => ({
      name: prepared.columnName(at),
      type: known(() => prepared.columnType(at)),
    }))
    const parameters = Array.from({ length: prepared.parameterCount }, (_, at) =>
      known(() => prepared.parameterType(at + 1)),
    )
    prepared.destroySync()
    send({ kind: 'columns', id, columns, parameters }, { kind: 'done', id, truncated: false })
  }

  async function stream(connection: HostConnection, request: HostRequest & { kind: 'run' }, state: Running) {
    const { id, sql, rowsMax, whole } = request
    // A streamed query that fails half way ends like a normal end. In a transaction the failure is remembered:
    // it cannot be committed, and then the result is made again, whole, to learn why.
    if (!whole) await connection.begin()
    try {
      const parameters = request.parameters as DuckDBValue[]
      const result = await (whole ? connection.run(sql, parameters) : connection.stream(sql, parameters))
      const types = result.columnTypes()
      const declared = types.map((type, at) =>
        toldAs(type, request.declared?.[at] ?? (type.alias === 'JSON' ? request.json : undefined)),
      )
      /** What goes with the next message. */
      let held: HostAnswer[] = [
        {
          kind: 'columns',
          id,
          columns: result.columnNames().map((name, at) => ({ name, type: declared[at] ?? typeName(types[at]!) })),
        },
      ]
      const gathered = request.formats
        ? wireRows(types, request.formats, declared, request.shownIn ?? settings.timeZone)
        : jsonRows(types)
      let sent = 0
      let truncated = false
      let pendingRows = 0
      const flush = async (...last: HostAnswer[]) => {
        if (pendingRows > 0) {
          while (state.credit === 0 && !state.cancelled) await new Promise<void>((wake) => (state.wake = wake))
          if (state.cancelled) throw new Error('INTERRUPT Error: Interrupted!')
          state.credit--
          held.push({ kind: 'chunk', id, chunk: gathered.take(pendingRows) })
          pendingRows = 0
        }
        send(...held, ...last)
        held = []
      }
      // The next chunk is computed while this one is encoded.
      const fetch = () => {
        const coming = result.fetchChunk()
        coming.catch(() => {}) // told when it is awaited
        return coming
      }
      let coming = fetch()
      try {
        for (;;) {
          const chunk = await coming
          if (!chunk || chunk.rowCount === 0) break
          const rows = Math.min(chunk.rowCount, rowsMax - sent)
          truncated = rows < chunk.rowCount
          if (!truncated) coming = fetch()
          if (rows > 0) {
            gathered.add(chunk, rows)
            pendingRows += rows
            sent += rows
          }
          if (gathered.size() > 256 * 1024) await flush()
          if (truncated) break
        }
      } finally {
        // Nothing else may be asked of the connection before.
        await coming.catch(() => {})
      }
      if (state.cancelled) throw new Error('INTERRUPT Error: Interrupted!')
      if (!whole && !truncated)
        await connection.commit().catch(async () => {
          await connection.rollback()
          await connection.run(sql, parameters)
          throw new Error('the result ended early')
        })
      await flush({ kind: 'done', id, truncated })
      if (!whole && truncated) await connection.rollback()
    } catch (error) {
      if (!whole) await connection.rollback()
      throw error
    }
  }

  async function explain(error: unknown, { sql, kind }: Served, cancelled: boolean): Promise<EngineError> {
    const whole = error instanceof Error ? error.message : String(error)
    const match = /^([A-Za-z ]+?) Error: ([^]*)$/.exec(whole)
    const type = (match?.[1] ?? 'Internal').toLowerCase()
    const message = (match?.[2] ?? whole).replace(/\n+LINE \d+:[^]*$/, '')
    if (type === 'fatal') return fatal(message, !isBroken && running.size === 1)
    if (type === 'internal' && !(await isAlive())) return fatal(message, true)
    if (cancelled || type === 'interrupt') return { type: 'interrupt', message, interrupted: true }
    // The client library gives no position; the serialiser of plans does.
    if (kind !== 'bind' && !['parser', 'binder', 'catalog', 'syntax'].includes(type)) return { type, message }
    const located = await locate(sql)
    return located ?? { type, message }
  }

  async function locate(sql: string): Promise<EngineError | undefined> {
    const connection = await instance.connect()
    try {
      const reader = await connection.runAndReadAll('SELECT json_serialize_plan($1::VARCHAR)', [sql])
      const answer = JSON.parse(String(reader.getRows()[0]?.[0])) as Record<string, string | boolean>
      if (answer.error !== true) return undefined
      return {
        type: String(answer.error_type),
        message: String(answer.error_message).replace(/\n+LINE \d+:[^]*$/, ''),
        ...(answer.position === undefined ? {} : { offset: Number(answer.position) }),
        ...(answer.candidates ? { candidates: String(answer.candidates) } : {}),
      }
    } catch {
      return undefined
    } finally {
      connection.closeSync()
    }
  }

  return {
    run,
    /** Does nothing for a query that is not under way here. */
    control({ kind, id }: HostRequest & { kind: 'ack' | 'cancel' }) {
      const state = running.get(id)
      if (!state) return
      if (kind === 'ack') state.credit++
      else {
        state.cancelled = true
        // An interrupt between two statements of the same job hits nothing, so it is repeated until the job has ended.
        const again = () => {
          if (!running.has(id)) return
          state.connection?.interrupt()
          setTimeout(again, 100)
        }
        again()
      }
      state.wake?.()
      delete state.wake
    },
  }
}

// Not `exit`: that waits for the native threads of queries that run, which nobody wants any more.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
// A terminal's Ctrl-C reaches the whole process group; the parent decides when a host ends.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

let settingsOf: HostSettings = {}
/** By class: each is opened for its first query. */
const instances = new Map<HostClass, ReturnType<typeof openInstance>>()
const broken = (error: unknown) => {
  send({ kind: 'broken', message: error instanceof Error ? error.message : String(error) })
  setTimeout(() => process.exit(1), 100)
}
process.on('message', (request: HostRequest) => {
  // Asked in the order in which they came: what is said of a query comes after it, however long opening takes.
  if (request.kind === 'open') {
    settingsOf = request.settings
    send({ kind: 'ready' })
  } else if (request.kind === 'run' || request.kind === 'bind') {
    let instance = instances.get(request.class)
    if (!instance) instances.set(request.class, (instance = openInstance(settingsOf[request.class]!)))
    instance.then(({ run }) => void run(request), broken)
  } else for (const instance of instances.values()) instance.then(({ control }) => control(request), broken)
})
