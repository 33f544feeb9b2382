// Keeps the processes of one machine alive: what `boathouse up` runs. A child that dies is started again, sooner the
// first time and later each next; one that says it was used wrongly (exit code 2: a port taken, a setting wrong) ends
// the whole, because a restart would not help.
//
// No child outlives its supervisor, even one that was killed without a word: each child holds one end of a channel and
// ends when the other end closes (`watchParent`).

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync, renameSync, appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Clock, realClock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'
import type { Log } from '../base/log.ts'
import { isAlive, ownProcess, type ProcessId, processKey } from './process-id.ts'

export type ChildSpec = {
  name: string
  command: string
  args: readonly string[]
  env?: Record<string, string>
  cwd?: string
}

export type SuperviseOptions = {
  children: readonly ChildSpec[]
  /** Holds `run/up.json` (who runs) and `logs/NAME.log`. */
  stateDir: string
  log: Log
  clock?: Clock
  /** How long children may take to end before they are killed. */
  graceMs?: number
  /** Each line a child writes, besides going to its log file. */
  onLine?: (name: string, line: string) => void
  /** What a child reported by `reportReady`, at each of its starts. */
  onReady?: (name: string, info: unknown) => void
}

export type Supervisor = {
  /** Process ids of the children that run now. */
  pids(): Record<string, number>
  stop(): Promise<void>
  /** Resolves when all children have ended: after `stop`, or when one ended the whole with exit code 2. */
  readonly done: Promise<{ exitCode: number; child: string | null }>
}

const [restartMsMin, restartMsMax, healthyMs, usedWrongly, logBytesMax] = [500, 30_000, 60_000, 2, 10_000_000]

/** @throws Failure ALREADY_EXISTS when a supervisor of this state folder lives */
export function supervise({ clock = realClock, graceMs = 10_000, ...options }: SuperviseOptions): Supervisor {
  const { stateDir, log } = options
  const own = { ...ownProcess(), startedAt: new Date(clock.now()).toISOString() }
  const pidFile = join(stateDir, 'run', 'up.json')
  acquire(pidFile, own)
  mkdirSync(join(stateDir, 'logs'), { recursive: true })
  const stopping = new AbortController()
  const running = new Map<string, ChildProcess>()
  let end: { exitCode: number; child: string | null } = { exitCode: 0, child: null }

  const note = () => writeFileSync(pidFile, JSON.stringify({ ...own, children: pids() }))
  const pids = () => Object.fromEntries([...running].map(([name, { pid }]) => [name, pid ?? 0]))

  const keep = async (spec: ChildSpec): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      const startedAt = clock.now()
      const child = start(spec, options)
      running.set(spec.name, child)
      note()
      const { code, signal } = await ended(child)
      running.delete(spec.name)
      if (stopping.signal.aborted) return
      note()
      if (code === usedWrongly) {
        end = { exitCode: usedWrongly, child: spec.name }
        log.error('child cannot run', { child: spec.name, code })
        stopping.abort()
        return
      }
      if (clock.now() - startedAt >= healthyMs) failures = 0
      const waitMs = Math.min(restartMsMax, restartMsMin * 2 ** failures)
      log.warn('child ended and is started again', { child: spec.name, code, signal, waitMs })
      await clock.sleep(waitMs, stopping.signal).catch(() => {})
    }
  }

  const endAll = async (): Promise<void> => {
    const alive = [...running.values()]
    for (const child of alive) child.kill('SIGTERM')
    const settled = new AbortController()
    const late = clock.sleep(graceMs, settled.signal).then(
      () => {
        for (const [name, child] of running) {
          log.warn('child did not end and is killed', { child: name })
          child.kill('SIGKILL')
        }
      },
      () => {},
    )
    await Promise.all(alive.map(ended))
    settled.abort()
    await late
  }

  const done = (async () => {
    stopping.signal.addEventListener('abort', () => void endAll(), { once: true })
    await Promise.all(options.children.map(keep))
    rmSync(pidFile, { force: true })
    return end
  })()
  const stop = async () => {
    stopping.abort()
    await done
  }
  return { pids, stop, done }
}

function start(
  { name, command, args, env, cwd }: ChildSpec,
  { stateDir, onLine, onReady }: SuperviseOptions,
): ChildProcess {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
    ...(cwd ? { cwd } : {}),
  })
  const file = join(stateDir, 'logs', `${name}.log`)
  for (const stream of [child.stdout!, child.stderr!])
    createInterface({ input: stream }).on('line', (line) => {
      appendRotating(file, line)
      onLine?.(name, line)
    })
  child.on('message', (message) => {
    const { ready } = (message ?? {}) as { ready?: unknown }
    if (ready !== undefined) onReady?.(name, ready)
  })
  return child
}

/** A child that could not be started at all ends like one that failed. */
async function ended(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  if (child.exitCode !== null || child.signalCode !== null) return { code: child.exitCode, signal: child.signalCode }
  const { promise, resolve } = Promise.withResolvers<{ code: number | null; signal: NodeJS.Signals | null }>()
  child.once('exit', (code, signal) => resolve({ code, signal }))
  child.once('error', () => child.pid === undefined && resolve({ code: null, signal: null }))
  return promise
}

function appendRotating(file: string, line: string): void {
  try {
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > logBytesMax) renameSync(file, `${file}.1`)
    appendFileSync(file, `${line}\n`)
  } catch {
    // A full disk must not stop the processes; their lines still reach `onLine`.
  }
}

// ---- who runs

export type RunningSupervisor = ProcessId & { startedAt: string; children: Record<string, number> }

/** The supervisor of this state folder; undefined when none lives. */
export function findSupervisor(stateDir: string): RunningSupervisor | undefined {
  return holderOf(join(stateDir, 'run', 'up.json'))
}

/**
 * Ends the supervisor of this state folder and waits for it: SIGTERM, and SIGKILL after `graceMs`, whereupon its
 * children end by themselves. False when none was running.
 */
export async function stopSupervisor(stateDir: string, { clock = realClock, graceMs = 20_000 } = {}): Promise<boolean> {
  const found = findSupervisor(stateDir)
  if (!found) return false
  const family = [found, ...Object.values(found.children).map((pid) => ({ ...found, pid, key: processKey(pid) }))]
  process.kill(found.pid, 'SIGTERM')
  const deadline = clock.now() + graceMs
  let killed = false
  while (family.some((one) => isAlive(one))) {
    if (clock.now() > deadline && !killed) {
      killed = true
      if (isAlive(found)) process.kill(found.pid, 'SIGKILL')
    }
    await clock.sleep(50)
  }
  return true
}

function holderOf(pidFile: string): RunningSupervisor | undefined {
  try {
    const holder = JSON.parse(readFileSync(pidFile, 'utf8')) as RunningSupervisor
    return isAlive(holder) === false ? undefined : { ...holder, children: holder.children ?? {} }
  } catch {
    return undefined
  }
}

/** Makes the pid file, or takes it from a supervisor that is dead. */
function acquire(pidFile: string, own: ProcessId & { startedAt: string }): void {
  mkdirSync(join(pidFile, '..'), { recursive: true })
  const holder = holderOf(pidFile)
  if (holder)
    throw new Failure('ALREADY_EXISTS', `Boathouse already runs for this project (process ${holder.pid})`, {
      hint: 'Stop it with `boathouse down`.',
    })
  rmSync(pidFile, { force: true })
  writeFileSync(pidFile, JSON.stringify({ ...own, children: {} }), { flag: 'wx' })
}

// ---- the child's side

/** Tells the supervisor that this process is up; nothing without one. */
export function reportReady(info: unknown): void {
  process.send?.({ ready: info })
}

/**
 * Calls `onGone` when the supervisor is gone, and ends the process when that took longer than `graceMs`. Nothing
 * without a supervisor.
 */
export function watchParent(onGone: () => void, { graceMs = 15_000 } = {}): void {
  const gone = () => {
    setTimeout(() => process.exit(1), graceMs).unref()
    onGone()
  }
  // False, not undefined: there was a channel, and its other end closed before we came here.
  if (process.connected === false) gone()
  if (!process.channel) return
  process.once('disconnect', gone)
  // The channel alone must not keep a finished process alive.
  process.channel.unref()
}
