// Real processes, really killed.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../test/support/postgres.ts'
import { type Log, silentLog } from '../base/log.ts'
import { openRecords } from '../records/index.ts'
import {
  findSupervisor,
  openOrchestrator,
  stopSupervisor,
  supervise,
  type ChildSpec,
  type SuperviseOptions,
} from './index.ts'

const support = (name: string) => join(import.meta.dirname, '../../test/support', name)
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'boathouse-kill-'))
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function start(script: string, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [support(script), ...args], { stdio: ['ignore', 'inherit', 'inherit'] })
  cleanups.push(() => child.kill('SIGKILL'))
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5)
}

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

describe('kill -9 of a worker', () => {
  let postgres: TestPostgres
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres?.stop())

  test.each(['sqlite', 'postgres'])('repeats no finished step and finishes the run (%s)', async (kind) => {
    const folder = newFolder()
    const place = {
      stateDir: folder,
      records: { url: kind === 'postgres' ? postgres.url : undefined, schema: 'killed' },
    }
    const marks = join(folder, 'marks')
    writeFileSync(marks, '')
    const records = await openRecords(place)
    const orchestrator = openOrchestrator({ records, steps: {} })
    cleanups.push(async () => {
      await orchestrator.close()
      await records.close()
    })
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    const steps = names.map((id, index) => ({ id, kind: 'mark', dependsOn: index < 2 ? [] : [names[index - 2]!] }))
    const { id } = await orchestrator.enqueue({
      environment: 'dev',
      catalog: 'dev',
      kind: 'run',
      trigger: { kind: 'manual' },
      plan: { steps },
    })
    const finished = async () => (await orchestrator.get(id)).steps.filter(({ status }) => status === 'succeeded')

    const finishedAtKills = new Map<string, number>()
    for (const enough of [2, 5]) {
      const worker = start('worker-process.ts', JSON.stringify(place), marks, '30')
      await until(async () => (await finished()).length >= enough)
      await kill(worker)
      for (const step of await finished()) finishedAtKills.set(step.id, step.attempt)
    }
    expect(finishedAtKills.size).toBeGreaterThanOrEqual(5)
    expect((await orchestrator.get(id)).status).toBe('running')

    const last = start('worker-process.ts', JSON.stringify(place), marks, '1')
    const run = await orchestrator.ended(id, new AbortController().signal)
    await kill(last)
    expect(run).toMatchObject({ status: 'succeeded', attempt: 3, counts: { succeeded: 8 } })
    for (const { id: name, attempt } of run.steps) expect(attempt).toBe(finishedAtKills.get(name) ?? attempt)
    // Every call of a step that came to its mark was an attempt of the records, and none came twice.
    const marked = readFileSync(marks, 'utf8').trim().split('\n')
    expect(new Set(marked).size).toBe(marked.length)
    for (const { id: name, attempt } of run.steps)
      expect(marked.filter((line) => line.startsWith(`${name} `)).at(-1)).toBe(`${name} ${attempt}`)
    // The attempt that was kept is the last one: nothing ran after it.
    for (const step of run.steps) {
      expect(step.output).toEqual({ attempt: step.attempt })
      expect(step.attempts.map(({ status }) => status)).toEqual([
        ...Array<string>(step.attempt - 1).fill('lost'),
        'succeeded',
      ])
    }
    expect((await orchestrator.logs(id)).lines.filter(({ event }) => event === 'run taken over')).toHaveLength(2)
  })
})

describe('supervise', () => {
  const child = (name: string, way: string): ChildSpec => ({
    name,
    command: process.execPath,
    args: [support('supervised-process.ts'), 'child', way],
  })
  const run = (stateDir: string, children: ChildSpec[], more: Partial<SuperviseOptions> = {}) => {
    const supervisor = supervise({ children, stateDir, log: silentLog, ...more })
    cleanups.push(() => supervisor.stop())
    return supervisor
  }

  test('starts a dead child again and ends all at the end', async () => {
    const stateDir = newFolder()
    const [ready, lines] = [[] as number[], [] as string[]]
    const supervisor = run(stateDir, [child('serve', 'stay'), child('worker', 'stay')], {
      onReady: (name, info) => name === 'worker' && ready.push((info as { pid: number }).pid),
      onLine: (name, line) => lines.push(`${name}: ${line}`),
    })
    await until(() => ready.length === 1)
    const serving = supervisor.pids()['serve']!
    process.kill(ready[0]!, 'SIGKILL')
    await until(() => ready.length === 2)
    expect(supervisor.pids()).toEqual({ serve: serving, worker: ready[1] })
    expect(findSupervisor(stateDir)).toMatchObject({ pid: process.pid, children: supervisor.pids() })
    expect(() => supervise({ children: [], stateDir, log: silentLog })).toThrow(
      expect.objectContaining({ code: 'ALREADY_EXISTS' }),
    )
    await until(() => lines.includes(`worker: hello from ${ready[1]}`))
    expect(readFileSync(join(stateDir, 'logs/worker.log'), 'utf8')).toBe(
      ready.map((pid) => `hello from ${pid}\n`).join(''),
    )
    await supervisor.stop()
    expect([serving, ...ready].filter(lives)).toEqual([])
    expect(existsSync(join(stateDir, 'run/up.json'))).toBe(false)
    expect(findSupervisor(stateDir)).toBeUndefined()
  })

  test('a child that was used wrongly ends the whole', async () => {
    const supervisor = run(newFolder(), [child('serve', '2'), child('worker', 'stay')])
    expect(await supervisor.done).toEqual({ exitCode: 2, child: 'serve' })
    expect(supervisor.pids()).toEqual({})
  })

  test('a child that ignores the request to end is killed', async () => {
    const warned: string[] = []
    const log: Log = { ...silentLog, warn: (event) => void warned.push(event) }
    let ready = false
    const supervisor = run(newFolder(), [child('worker', 'deaf')], { log, graceMs: 50, onReady: () => (ready = true) })
    await until(() => ready)
    await sleep(50)
    await supervisor.stop()
    expect(warned).toEqual(['child did not end and is killed'])
  })

  test('a command that does not exist is tried again, not thrown', async () => {
    const warned: string[] = []
    const log: Log = { ...silentLog, warn: (event) => void warned.push(event) }
    const supervisor = run(newFolder(), [{ name: 'x', command: '/nowhere/boathouse', args: [] }], { log })
    await until(() => warned.length > 0)
    await supervisor.stop()
  })

  test.each(['SIGKILL', 'SIGTERM'] as const)('no child is left when the supervisor gets %s', async (signal) => {
    const stateDir = newFolder()
    const supervisor = start('supervised-process.ts', 'supervisor', stateDir)
    await until(() => Object.keys(findSupervisor(stateDir)?.children ?? {}).length === 2)
    const children = Object.values(findSupervisor(stateDir)!.children)
    supervisor.kill(signal)
    await until(() => !children.some(lives))
    await until(() => !lives(supervisor.pid!))
    expect(findSupervisor(stateDir)).toBeUndefined()
    // The place is free again.
    const next = run(stateDir, [])
    await next.stop()
  })

  test('is stopped from another process', async () => {
    const stateDir = newFolder()
    start('supervised-process.ts', 'supervisor', stateDir)
    await until(() => Object.keys(findSupervisor(stateDir)?.children ?? {}).length === 2)
    const { pid, children } = findSupervisor(stateDir)!
    expect(await stopSupervisor(stateDir)).toBe(true)
    expect([pid, ...Object.values(children)].filter(lives)).toEqual([])
    expect(await stopSupervisor(stateDir)).toBe(false)
  })
})
