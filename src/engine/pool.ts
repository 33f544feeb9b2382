// Engine hosts by class, under one memory budget.
//
// A class is one DuckDB instance with its share of the budget, its slots and a queue in front of them (`slots.ts`), in a child process
// of its own, or, for a command, in one with the others. A host that crashes, hangs or grows past its share is killed: its
// own queries fail with ENGINE_LOST and the next query gets a new host. Some SQL cannot be interrupted, so a cancel or a
// time-out that is not obeyed in `graceMs` kills too.

import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import { ending, type Ending } from '../base/ending.ts'
import { Failure } from '../base/failure.ts'
import { showBytes } from '../base/units.ts'
import { silentLog, type Log } from '../base/log.ts'
import {
  creditMax,
  type Chunk,
  type EngineColumn,
  type EngineError,
  type HostAnswer,
  type HostClass,
  type HostRequest,
  type HostSettings,
  type InstanceSettings,
} from './protocol.ts'
import { startHost } from './host-process.ts'
import { OwnHosts } from './own-hosts.ts'
import { Slots, type Place } from './slots.ts'

export type EngineOptions = {
  /** For all hosts of this process together. */
  memoryBytes: number
  threads: number
  tempDirectory: string
  tempBytes: number
  timeZone: string
  /** Folders that hosts may read; `write` hosts may write into them. */
  directories: string[]
  /** Further folders of the `write` class: the ingestion spool. */
  writeDirectories?: string[]
  /** Which classes this process needs; the budget is divided among them. */
  classes?: HostClass[]
  /** For a command: to start a second process takes longer than most of its queries. */
  inOneProcess?: boolean
  slots?: Partial<Record<HostClass, number>>
  log?: Log
}

export type EngineRequest = {
  class: HostClass
  sql: string
  setup?: string[]
  parameters?: (string | number | null)[]
  rowsMax?: number
  /**
   * Given: rows come as DataRow messages of the PostgreSQL protocol. 0 is text, 1 binary, 2 text with intervals as ISO 8601 has them; none: all text, one: for all
   * columns, else one per column.
   */
  formats?: readonly number[]
  /** With `formats`: types of PostgreSQL that columns are told to have, where theirs can be told so. */
  declared?: readonly (string | undefined)[]
  /** With `formats`: as which of those types JSON is told that has none. */
  json?: 'JSON' | 'JSONB'
  /** What times without an offset, days and hours mean in it, where that is not the zone of the options. */
  timeZone?: string
  /** With `formats`: in which zone times are written. */
  shownIn?: string
  timeoutMs?: number | undefined
  /** The most memory that it may use: it runs in a host of its own when its class has more. */
  memoryMost?: number
  signal?: AbortSignal
  /** Whose query it is: nobody takes all slots, or keeps too many results that are not read. */
  owner?: string
  /** Called when the host is done with the query, or its reader stalled: from now on it takes nobody's turn. */
  onIdle?: () => void
}

/** `chunks` may be read once. `truncated()` says, when they were read, whether `rowsMax` cut the result. */
export type EngineResult = { columns: EngineColumn[]; chunks: Ending<Chunk>; truncated(): boolean }

export type HostStatus = {
  class: HostClass
  pid: number | null
  running: number
  waiting: number
  rssBytes: number
  restarts: number
  memoryBytes: number
}

export interface Engine {
  /** Runs one statement. Rejects with EngineFailure for what DuckDB refuses, ENGINE_LOST, QUERY_TIMEOUT or QUERY_CANCELLED. */
  run(request: EngineRequest): Promise<EngineResult>
  /** All rows of a small result, parsed. */
  rows(request: EngineRequest): Promise<unknown[][]>
  /** Columns of a statement, without running it. */
  bind(request: Omit<EngineRequest, 'parameters' | 'rowsMax'>): Promise<EngineColumn[]>
  /** Types that DuckDB expects of `$1`, `$2` …; `UNKNOWN` where the statement does not say. */
  parameterTypes(request: Omit<EngineRequest, 'parameters' | 'rowsMax'>): Promise<string[]>
  status(): HostStatus[]
  close(): Promise<void>
}

/** What DuckDB said of a statement; `lake` turns it into a Failure with a place in the user's text. */
export class EngineFailure extends Error {
  readonly error: EngineError
  constructor(error: EngineError) {
    super(error.message)
    this.error = error
  }
}

/** In the words of DuckDB and of systems. */
export const isDiskFull = (message: string): boolean => /no space left|disk full/i.test(message)

const graceMs = 2_000
/** Who takes nothing for so long, while all that may be under way is there, has stalled. */
const stalledMs = 250
/** Node itself and DuckDB's allocations outside its own limit (strings, planning). */
const overheadBytes = 384 * 2 ** 20
const shares: Record<HostClass, number> = { plan: 0.08, interactive: 0.37, heavy: 0.3, write: 0.25 }
const defaultSlots: Record<HostClass, number> = { plan: 4, interactive: 8, heavy: 2, write: 2 }

export function openEngine(options: EngineOptions): Engine {
  const classes = options.classes ?? ['plan', 'interactive', 'heavy', 'write']
  const total = classes.reduce((sum, name) => sum + shares[name], 0)
  const parts = classes.map((name) => ({
    name,
    memoryBytes: Math.max(96 * 2 ** 20, Math.floor((options.memoryBytes * shares[name]) / total)),
    slots: options.slots?.[name] ?? defaultSlots[name],
  }))
  const keepers = options.inOneProcess
    ? [new HostKeeper(parts, options)]
    : parts.map((part) => new HostKeeper([part], options))
  const hosts = new Map(parts.map((part, at) => [part.name, new HostSeat(part, keepers[at] ?? keepers[0]!)]))
  // A planning host stands in for nobody: it may open no file.
  const seat = (name: HostClass) => {
    const found = hosts.get(name)
    return found && !found.isLent
      ? found
      : (hosts.get('interactive') ?? hosts.get('write') ?? found ?? [...hosts.values()][0]!)
  }
  const lender = hosts.get('heavy')
  const own = new OwnHosts<HostSeat>({
    // A process without that class lives for a command: what its hosts may use is beside the rest.
    bytesMax: lender?.memoryBytes ?? seat('interactive').memoryBytes,
    open(memoryBytes) {
      const part = { name: 'heavy', memoryBytes, slots: 1 } as const
      return new HostSeat(part, new HostKeeper([part], options))
    },
    lend: async (signal) => await lender?.lend(signal),
    giveBack: () => lender?.giveBack(),
    isFit: (host) => host.isFit(),
    cancelled,
  })
  const watch = setInterval(
    () => [...keepers, ...own.seats.map(({ keeper }) => keeper)].forEach((keeper) => keeper.checkMemory()),
    500,
  )
  watch.unref()

  async function submit(job: Job): Promise<JobResult> {
    const usual = seat(job.class)
    if (job.memoryMost === undefined || job.memoryMost >= usual.memoryBytes) return await usual.submit(job)
    const { seat: host, release } = await own.take(job.memoryMost, job.signal)
    return await host.submit(job, release)
  }
  const run = (request: EngineRequest) => submit({ ...request, kind: 'run' })
  const bound = async (request: EngineRequest) => {
    const result = await seat(request.class).submit({ ...request, kind: 'bind' })
    for await (const _ of result.chunks);
    return result
  }
  return {
    run,
    async rows(request) {
      const rows: unknown[][] = []
      const { chunks } = await submit({ ...request, kind: 'run', whole: true })
      for await (const chunk of chunks) rows.push(...(JSON.parse(chunk.json) as unknown[][]))
      return rows
    },
    bind: async (request) => (await bound(request)).columns,
    parameterTypes: async (request) => (await bound(request)).parameters,
    status: () => [...hosts.values(), ...own.seats].map((host) => host.status()),
    async close() {
      clearInterval(watch)
      await Promise.all([...keepers.map((keeper) => keeper.close()), own.close()])
    },
  }
}

type Job = EngineRequest & { kind: 'run' | 'bind'; whole?: true; again?: true; onEnd?: () => void }
type JobResult = EngineResult & { parameters: string[] }

/** What a class has of the process that runs its queries. */
type Part = { name: HostClass; memoryBytes: number; slots: number }

/** Where the queries of one class wait for their turn. */
class HostSeat {
  readonly name: HostClass
  readonly memoryBytes: number
  readonly keeper: HostKeeper
  readonly #slots: Slots
  /** Statements that were submitted and have not ended, and who waits for the last of them. */
  #busy = 0
  #whenIdle: (() => void)[] = []
  /** Its memory is somebody else's: nothing is to be asked of it. */
  isLent = false

  constructor({ name, memoryBytes, slots }: Part, keeper: HostKeeper) {
    this.name = name
    this.memoryBytes = memoryBytes
    this.keeper = keeper
    this.#slots = new Slots(slots)
  }

  /** `onEnd` is called once, when the host is done with it, whatever came of it. */
  async submit(job: Job, onEnd?: () => void): Promise<JobResult> {
    this.#busy++
    let isOver = false
    const end = () => {
      if (isOver) return
      isOver = true
      onEnd?.()
      if (--this.#busy === 0) for (const go of this.#whenIdle.splice(0)) go()
    }
    try {
      if (job.signal?.aborted) throw cancelled()
      const place = await this.#slots.enter(job.owner ?? '', job.signal, cancelled)
      return await this.#submitAt(place, { ...job, onEnd: end })
    } catch (error) {
      end()
      throw error
    }
  }

  /** Ends its host when that has nothing to do any more. @throws QUERY_CANCELLED when `signal` is aborted first */
  async lend(signal: AbortSignal | undefined): Promise<void> {
    this.isLent = true
    while (this.#busy > 0) {
      if (signal?.aborted) throw cancelled()
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#whenIdle.push(resolve)
      signal?.addEventListener('abort', () => resolve(), { once: true })
      await promise
    }
    await this.keeper.end()
  }

  giveBack(): void {
    this.isLent = false
  }

  async #submitAt(place: Place, job: Job): Promise<JobResult> {
    try {
      return await (await this.keeper.ensure()).submit(this.name, job, place)
    } catch (error) {
      place.leave()
      // Planning reads nothing and changes nothing: when its host is lost it is asked once more.
      const lost = this.name === 'plan' && error instanceof Failure && error.code === 'ENGINE_LOST'
      if (lost && !job.again && !this.keeper.closed) {
        const next = await this.#slots.enter(job.owner ?? '', job.signal, cancelled)
        return await this.#submitAt(next, { ...job, again: true })
      }
      throw error
    }
  }

  isFit(): boolean {
    return this.keeper.isFit()
  }

  status(): HostStatus {
    return {
      class: this.name,
      running: this.#slots.running,
      waiting: this.#slots.waiting,
      memoryBytes: this.memoryBytes,
      ...this.keeper.status(),
    }
  }

  close(): Promise<void> {
    return this.keeper.close()
  }
}

/** The place of one host: outlives the processes that fill it. */
class HostKeeper {
  readonly #parts: readonly Part[]
  readonly #memoryBytes: number
  readonly #options: EngineOptions
  readonly #log: Log
  #host: Host | undefined
  /** Hosts that get no more queries, and end with their last one. */
  readonly #leaving = new Set<Host>()
  #restarts = 0
  closed = false

  constructor(parts: readonly Part[], options: EngineOptions) {
    this.#parts = parts
    this.#memoryBytes = parts.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)
    this.#options = options
    this.#log = (options.log ?? silentLog).child({ host: parts.map(({ name }) => name).join('+') })
  }

  async ensure(): Promise<Host> {
    if (this.closed) throw new Failure('ENGINE_LOST', 'the engine is closed')
    if (this.#host && !this.#host.lost && !this.#host.leaving) return this.#host
    if (this.#host) {
      if (!this.#host.lost) this.#watchLeaving(this.#host)
      this.#restarts++
      this.#log.warn('engine host replaced', { restarts: this.#restarts })
    }
    const host = new Host(this.#parts, this.#options, this.#log)
    this.#host = host
    await host.ready
    return host
  }

  /** Far enough from being ended for what it holds on to. */
  isFit(): boolean {
    const host = this.#host
    return host !== undefined && !host.lost && !host.leaving && host.rssBytes() < this.#memoryBytes + overheadBytes / 2
  }

  #watchLeaving(host: Host) {
    this.#leaving.add(host)
    void host.exited.then(() => this.#leaving.delete(host))
  }

  checkMemory() {
    for (const host of [this.#host, ...this.#leaving]) {
      if (!host || host.lost) continue
      const rss = host.rssBytes()
      if (rss > this.#memoryBytes + overheadBytes)
        host.kill(`it used ${showBytes(rss)}, its share is ${showBytes(this.#memoryBytes)}`)
    }
  }

  status(): Pick<HostStatus, 'pid' | 'rssBytes' | 'restarts'> {
    const host = this.#host?.lost ? undefined : this.#host
    return { pid: host?.pid ?? null, rssBytes: host?.rssBytes() ?? 0, restarts: this.#restarts }
  }

  /** Until the next query. */
  async end(): Promise<void> {
    const host = this.#host
    this.#host = undefined
    await host?.close()
  }

  async close(): Promise<void> {
    this.closed = true
    await Promise.all([this.#host, ...this.#leaving].map((host) => host?.close()))
  }
}

type Waiting = {
  columns(columns: EngineColumn[], parameters: string[]): void
  chunk(chunk: Chunk): void
  done(truncated: boolean): void
  failed(error: Error): void
}

class Host {
  readonly ready: Promise<void>
  lost = false
  leaving = false
  readonly exited: Promise<void>
  readonly #child: ChildProcess
  readonly #jobs = new Map<number, Waiting>()
  readonly #temp: string
  #reason = 'its process ended'
  #next = 1

  constructor(parts: readonly Part[], options: EngineOptions, log: Log) {
    const names = parts.map(({ name }) => name)
    // Of nobody else: in containers the next process has the same id, and so may one beside it that shares the folder.
    mkdirSync(options.tempDirectory, { recursive: true })
    this.#temp = mkdtempSync(join(options.tempDirectory, `${names.join('-')}-`))
    const settings: HostSettings = Object.fromEntries(
      parts.map((part) => [part.name, instanceSettings(part, this.#temp, options)]),
    )
    this.#child = startHost(parts.reduce((sum, { slots }) => sum + slots, 0))
    this.#send({ kind: 'open', settings })
    // Whoever waits for a cached page or for /healthz goes before whoever computes for a minute.
    const isPlanning = names.every((name) => name === 'plan')
    if (!isPlanning && this.#child.pid !== undefined)
      lowerPriority(this.#child.pid, names.includes('interactive') ? 5 : 10)
    this.#child.stderr?.on('data', (text: Buffer) =>
      log.warn('engine host says', { text: text.toString().slice(0, 2_000) }),
    )
    this.exited = new Promise((resolve) => this.#child.once('exit', () => resolve()))
    this.ready = new Promise((resolve, reject) => {
      const late = setTimeout(() => this.kill('it did not start in two minutes'), 120_000)
      const settle = (fn: () => void) => {
        clearTimeout(late)
        fn()
      }
      this.#child.on('message', (answers: HostAnswer[]) => {
        for (const answer of answers)
          if (answer.kind === 'ready') settle(resolve)
          else if (answer.kind === 'broken') {
            this.#reason = answer.message
            settle(() => reject(new Failure('ENGINE_LOST', `the engine did not start: ${answer.message}`)))
          } else this.#take(answer)
      })
      const gone = (code: number | null, killedBy: string | null) => {
        this.lost = true
        if (killedBy && this.#reason === 'its process ended') this.#reason = `its process was ended by ${killedBy}`
        const failure = this.#gone({ exitCode: code })
        settle(() => reject(failure))
        for (const job of this.#jobs.values()) job.failed(failure)
        this.#jobs.clear()
        rmSync(this.#temp, { recursive: true, force: true })
      }
      this.#child.once('exit', gone)
      this.#child.once('error', (error) => {
        this.#reason = error.message
        gone(null, null)
      })
    })
    this.ready.catch(() => {})
  }

  get pid() {
    return this.#child.pid ?? null
  }

  rssBytes(): number {
    try {
      return Number(readFileSync(`/proc/${this.#child.pid}/statm`, 'utf8').split(' ')[1]) * 4096
    } catch {
      return 0 // other systems: DuckDB's own limit alone
    }
  }

  #gone(more: { exitCode?: number | null } = {}): Failure {
    return new Failure('ENGINE_LOST', `the engine was lost: ${this.#reason}`, more)
  }

  kill(reason: string) {
    this.#reason = reason
    this.lost = true
    this.#child.kill('SIGKILL')
  }

  async close() {
    this.lost = true
    if (this.#child.connected) this.#child.disconnect()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs)
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.exited
    clearTimeout(timer)
  }

  /** What DuckDB spilled to a disk that is full then it keeps for as long as it lives, so it ends when nothing is under way. */
  #leave() {
    this.leaving = true
    if (this.#jobs.size === 0) void this.close()
  }

  #take(answer: Exclude<HostAnswer, { kind: 'ready' | 'broken' }>) {
    const job = this.#jobs.get(answer.id)
    if (!job) return
    if (answer.kind === 'columns') job.columns(answer.columns, answer.parameters ?? [])
    else if (answer.kind === 'chunk') job.chunk(answer.chunk)
    else {
      this.#jobs.delete(answer.id)
      if (answer.kind === 'done') job.done(answer.truncated)
      else if (answer.error.type !== 'fatal') job.failed(new EngineFailure(answer.error))
      else {
        this.kill('a query met a fault of DuckDB itself')
        job.failed(answer.error.message === '' ? this.#gone() : new EngineFailure(answer.error))
      }
      if (this.leaving || (answer.kind === 'failed' && spilledToFullDisk(answer.error, this.#temp))) this.#leave()
    }
  }

  #send(request: HostRequest) {
    if (this.#child.connected) this.#child.send(request, () => {})
  }

  submit(name: HostClass, request: Job, place: Place): Promise<JobResult> {
    const id = this.#next++
    let verdict: Failure | undefined
    let killer: NodeJS.Timeout | undefined
    const stop = (failure: Failure) => {
      if (verdict || !this.#jobs.has(id)) return
      verdict = failure
      this.#send({ kind: 'cancel', id })
      killer = setTimeout(() => {
        if (this.#jobs.has(id)) this.kill('a query did not stop when it was told to')
      }, graceMs)
    }
    const { timeoutMs } = request
    const tooLong = () => stop(new Failure('QUERY_TIMEOUT', `the query ran longer than ${timeoutMs! / 1000} s`))
    const countdown = timeoutMs === undefined ? undefined : startCountdown(timeoutMs, tooLong)
    const onAbort = () => stop(cancelled())
    request.signal?.addEventListener('abort', onAbort, { once: true })
    let stalling: NodeJS.Timeout | undefined
    const stalled = () => {
      place.stalled(() => stop(tooManyStalled()))
      request.onIdle?.()
    }
    const finish = () => {
      countdown?.pause()
      clearTimeout(killer)
      clearTimeout(stalling)
      request.signal?.removeEventListener('abort', onAbort)
      place.leave()
      request.onIdle?.()
      request.onEnd?.()
    }

    return new Promise((resolve, reject) => {
      const queue: Chunk[] = []
      let over = false
      let truncated = false
      let error: Error | undefined
      let wake: (() => void) | undefined
      const poke = () => {
        wake?.()
        wake = undefined
      }
      const read = async function* (host: Host): AsyncGenerator<Chunk> {
        for (;;) {
          const chunk = queue.shift()
          if (chunk) {
            clearTimeout(stalling)
            place.resumed()
            if (!over) {
              countdown?.resume()
              host.#send({ kind: 'ack', id })
            }
            yield chunk
          } else if (error) throw error
          else if (over) return
          else await new Promise<void>((next) => (wake = next))
        }
      }
      const chunks = ending(read(this), () => {
        // The reader left early: nobody wants the rest.
        if (!over && !error) stop(cancelled())
      })
      this.#jobs.set(id, {
        columns: (columns, parameters) => resolve({ columns, parameters, chunks, truncated: () => truncated }),
        chunk: (chunk) => {
          queue.push(chunk)
          if (queue.length === creditMax) {
            stalling = setTimeout(stalled, stalledMs)
            // The query waits for its reader, which is no time of its own.
            countdown?.pause()
          }
          poke()
        },
        done: (cut) => {
          over = true
          truncated = cut
          finish()
          poke()
        },
        failed: (failure) => {
          error = verdict ?? failure
          finish()
          reject(error) // has no effect when the columns were there already
          poke()
        },
      })
      const {
        kind,
        sql,
        setup = [],
        parameters = [],
        rowsMax = Number.MAX_SAFE_INTEGER,
        formats,
        declared,
        json,
        timeZone,
        shownIn,
        whole = false,
      } = request
      if (this.lost) {
        this.#jobs.delete(id)
        finish()
        reject(this.#gone())
      } else if (kind === 'bind') this.#send({ kind, id, class: name, sql, setup, ...(timeZone ? { timeZone } : {}) })
      else
        this.#send({
          kind,
          id,
          class: name,
          sql,
          setup,
          parameters,
          rowsMax,
          whole,
          ...(timeZone ? { timeZone } : {}),
          ...(shownIn ? { shownIn } : {}),
          ...(formats ? { formats } : {}),
          ...(declared ? { declared: declared.map((one) => one ?? null) } : {}),
          ...(json ? { json } : {}),
        })
      // Aborted while the host was starting: the event is past, so nobody else would tell.
      if (request.signal?.aborted) onAbort()
    })
  }
}

// DuckDB 1.5 pushes what a join's other side holds also below a LIMIT or DISTINCT ON, and then, when that side happens to
// be done first, gives other rows than were asked for. The lake itself finds which files a join can meet.
const queryingWithout = ['join_filter_pushdown']
// Statistics of the empty shadow tables would turn every scan into "no rows" and drop filters. The others leave
// plans that json_serialize_plan cannot name columns of ("inequal num bindings/types"): select d, 1 from t limit 3,
// joins of several tables (half of TPC-H), CTEs that are aggregated. What they do says nothing of the conditions.
const planningWithout = [
  'statistics_propagation',
  'late_materialization',
  'limit_pushdown',
  'build_side_probe_side',
  'top_n_window_elimination',
  'unused_columns',
]

/** Calls `end` once it has run for so long, pauses left out. */
function startCountdown(ms: number, end: () => void) {
  let left = ms
  let since = 0
  let timer: NodeJS.Timeout | undefined
  const countdown = {
    pause() {
      if (!timer) return
      clearTimeout(timer)
      timer = undefined
      left -= performance.now() - since
    },
    resume() {
      if (timer) return
      since = performance.now()
      timer = setTimeout(end, left)
    },
  }
  countdown.resume()
  return countdown
}

const spilledToFullDisk = ({ type, message }: EngineError, temp: string) =>
  type === 'io' && isDiskFull(message) && message.includes(temp)

/** A query that spills leaves room on the disk for what everybody writes: without the audit nothing is answered. */
const shareOfDisk = 0.9
function mostToSpill(folder: string, tempBytes: number): number {
  const { blocks, bavail, bsize } = statfsSync(folder)
  // Some file systems do not tell.
  if (blocks === 0) return tempBytes
  return Math.min(tempBytes, Math.floor(bavail * bsize * shareOfDisk))
}

function instanceSettings(
  { name, memoryBytes }: Part,
  temp: string,
  { threads, tempBytes, timeZone, directories, writeDirectories = [] }: EngineOptions,
): InstanceSettings {
  const tempDirectory = join(temp, name)
  mkdirSync(tempDirectory)
  return {
    memoryBytes,
    threads: name === 'plan' ? 1 : threads,
    tempDirectory,
    tempBytes: mostToSpill(tempDirectory, tempBytes),
    timeZone,
    directories: name === 'plan' ? [] : [...directories, ...(name === 'write' ? writeDirectories : [])],
    disabledOptimizers: name === 'plan' ? planningWithout : queryingWithout,
  }
}

function lowerPriority(pid: number, to: number): void {
  try {
    setPriority(pid, to)
  } catch {
    // A child that ended at once, or a system that does not let us: it runs all the same.
  }
}
const cancelled = () => new Failure('QUERY_CANCELLED', 'the query was cancelled')
const tooManyStalled = () =>
  new Failure('QUERY_CANCELLED', 'the query was ended: its rows were not read, and too many others wait to be read', {
    hint: 'Read results as they come, close cursors that are not needed, or select fewer rows.',
  })
