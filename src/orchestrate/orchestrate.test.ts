import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { fakeClock, type FakeClock } from '../../test/support/fake-clock.ts'
import { startPostgres, type TestPostgres } from '../../test/support/postgres.ts'
import { Failure } from '../base/failure.ts'
import { openRecords, type Records } from '../records/index.ts'
import {
  openOrchestrator,
  type Orchestrator,
  type OrchestratorOptions,
  type PlannedStep,
  type RunEvent,
  type RunRequest,
  type StepContext,
  type StepFunctions,
  type WorkerOptions,
} from './index.ts'
import { ownProcess } from './process-id.ts'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres?.stop())

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

let counter = 0
async function openStore(kind: 'sqlite' | 'postgres', schema = `orchestrate_${++counter}`): Promise<Records> {
  const stateDir = mkdtempSync(join(tmpdir(), 'boathouse-orchestrate-'))
  cleanups.push(() => rmSync(stateDir, { recursive: true, force: true }))
  const records = await openRecords({
    stateDir,
    records: { url: kind === 'postgres' ? postgres.url : undefined, schema },
  })
  cleanups.push(() => records.close())
  return records
}

function open(records: Records, steps: StepFunctions, options: Partial<OrchestratorOptions> = {}): Orchestrator {
  const orchestrator = openOrchestrator({ records, steps, retry: { waitMsMin: 1, waitMsMax: 2 }, ...options })
  cleanups.push(() => orchestrator.close())
  return orchestrator
}

async function work(orchestrator: Orchestrator, options: Partial<WorkerOptions> = {}) {
  const worker = await orchestrator.startWorker({ workerId: `w${++counter}`, concurrency: 2, graceMs: 100, ...options })
  cleanups.push(() => worker.stop())
  return worker
}

const request = (steps: PlannedStep[], more: Partial<RunRequest> = {}): RunRequest => ({
  environment: 'dev',
  catalog: 'dev_analytics',
  kind: 'run',
  trigger: { kind: 'manual', by: 'ann' },
  plan: { steps },
  ...more,
})
const step = (id: string, more: Partial<PlannedStep> = {}): PlannedStep => ({ id, kind: 'do', ...more })
const forever = new AbortController().signal

/** Waits for what other parts bring about by themselves. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 2_000; tries++) {
    if (await holds()) return
    await sleep(5)
  }
  throw new Error('it never came to hold')
}

/** A step that starts, says so, and ends when told or aborted. */
function gate() {
  const started = Promise.withResolvers<StepContext>()
  const opened = Promise.withResolvers<void>()
  const run = async (_: unknown, context: StepContext) => {
    started.resolve(context)
    const aborted = new Promise<never>((_resolve, reject) =>
      context.signal.addEventListener('abort', () => reject(context.signal.reason as Error)),
    )
    await Promise.race([opened.promise, aborted])
    return { ok: true }
  }
  return { run, started: started.promise, open: () => opened.resolve() }
}

const statuses = (run: { steps: { id: string; status: string }[] }) =>
  Object.fromEntries(run.steps.map(({ id, status }) => [id, status]))

describe.each(['sqlite', 'postgres'] as const)('%s', (kind) => {
  test('a run is executed in the order of its graph, and all it did is kept', async () => {
    const order: string[] = []
    const orchestrator = open(await openStore(kind), {
      do: async (input, { stepId, log, progress }) => {
        order.push(stepId)
        log.info('rows read', { rows: 3n })
        progress({ percent: 50 })
        return { input, publicationId: stepId === 'publish' ? 'p1' : undefined }
      },
    })
    await work(orchestrator)
    const queued = await orchestrator.enqueue(
      request(
        [
          step('a', { input: { n: 1 }, asset: 'raw.sales' }),
          step('b', { dependsOn: ['a'] }),
          step('publish', { dependsOn: 'all' }),
        ],
        { selection: 'sales+' },
      ),
    )
    expect(queued).toMatchObject({
      selection: 'sales+',
      trigger: { kind: 'manual', by: 'ann', schedule: null, runId: null },
      counts: { total: 3 },
    })
    const run = await orchestrator.ended(queued.id, forever)
    expect(order).toEqual(['a', 'b', 'publish'])
    expect(run).toMatchObject({
      status: 'succeeded',
      failure: null,
      publicationId: 'p1',
      attempt: 1,
      counts: { total: 3, succeeded: 3 },
    })
    expect(run.steps[0]).toMatchObject({
      asset: 'raw.sales',
      input: { n: 1 },
      output: { input: { n: 1 } },
      attempts: [{ number: 1, status: 'succeeded', failure: null }],
    })
    expect(run.steps[2]!.dependsOn).toEqual(['a', 'b'])
    const { lines, ended } = await orchestrator.logs(run.id)
    expect(ended).toBe(true)
    expect(lines.filter(({ stepId }) => stepId === 'a').map(({ event }) => event)).toEqual([
      'step started',
      'rows read',
      'progress',
      'step succeeded',
    ])
    expect(lines.filter(({ stepId }) => !stepId).map(({ event }) => event)).toEqual([
      'run queued',
      'run started',
      'run succeeded',
    ])
    expect(lines.find(({ event }) => event === 'rows read')).toMatchObject({ level: 'info', fields: { rows: '3' } })
    const followed = await Array.fromAsync(orchestrator.follow(run.id, forever))
    expect(followed).toEqual(lines)
    expect(await orchestrator.list({ environment: 'dev' })).toMatchObject([
      { id: run.id, status: 'succeeded', counts: { succeeded: 3 } },
    ])
    expect(await orchestrator.list({ environment: 'prod' })).toEqual([])
  })

  test('a failure skips what needs it, lets the rest go on, and nothing is published', async () => {
    const orchestrator = open(
      await openStore(kind),
      {
        do: async (_, { stepId }) => {
          if (stepId === 'bad')
            throw new Failure('TEST_FAILED', 'two rows break password=geheim', {
              place: { file: 'models/a.sql', line: 3 },
            })
        },
      },
      { secrets: ['geheim'] },
    )
    await work(orchestrator)
    const { id } = await orchestrator.enqueue(
      request([
        step('bad'),
        step('needs', { dependsOn: ['bad'] }),
        step('other'),
        step('publish', { dependsOn: 'all' }),
        step('clean', { dependsOn: 'all', always: true }),
      ]),
    )
    const run = await orchestrator.ended(id, forever)
    expect(statuses(run)).toEqual({
      bad: 'failed',
      needs: 'skipped',
      other: 'succeeded',
      publish: 'skipped',
      clean: 'succeeded',
    })
    const failure = {
      code: 'TEST_FAILED',
      message: 'two rows break password=[hidden]',
      place: { file: 'models/a.sql', line: 3 },
      hint: expect.any(String),
    }
    expect(run).toMatchObject({ status: 'failed', failure, counts: { skipped: 2, failed: 1, succeeded: 2 } })
    expect(run.steps[0]).toMatchObject({ failure, attempts: [{ status: 'failed', failure }] })
    expect(JSON.stringify((await orchestrator.logs(id)).lines)).not.toContain('geheim')
  })

  test('a failure that may pass is tried again; one that stays fails at last', async () => {
    let calls = 0
    const orchestrator = open(await openStore(kind), {
      do: async (_, { stepId, attempt }) => {
        calls++
        if (stepId === 'stays' || attempt < 3) throw new Failure('STORAGE_FAILED', `disk, try ${attempt}`)
        return attempt
      },
    })
    await work(orchestrator)
    const run = await orchestrator.ended(
      (await orchestrator.enqueue(request([step('passes'), step('stays', { dependsOn: ['passes'] })]))).id,
      forever,
    )
    expect(run.steps).toMatchObject([
      {
        status: 'succeeded',
        output: 3,
        attempt: 3,
        failure: null,
        attempts: [
          { status: 'failed', failure: { message: 'disk, try 1' } },
          { status: 'failed' },
          { status: 'succeeded' },
        ],
      },
      { status: 'failed', attempt: 3, failure: { message: 'disk, try 3' } },
    ])
    expect(calls).toBe(6)
  })

  test('a bug and an unknown kind fail their step, not the worker', async () => {
    const orchestrator = open(await openStore(kind), { do: () => Promise.reject(new TypeError('oops')) })
    await work(orchestrator)
    const run = await orchestrator.ended(
      (await orchestrator.enqueue(request([step('a'), step('b', { kind: 'unheard' })]))).id,
      forever,
    )
    expect(run.steps).toMatchObject([
      { failure: { code: 'INTERNAL', message: 'oops' } },
      { failure: { code: 'UNSUPPORTED' } },
    ])
    const after = await orchestrator.ended((await orchestrator.enqueue(request([]))).id, forever)
    expect(after.status).toBe('succeeded')
  })

  test('a cancel aborts what runs, cancels what waits, and cleans up', async () => {
    const hanging = gate()
    const cleaned: string[] = []
    const orchestrator = open(
      await openStore(kind),
      { hang: hanging.run, do: async (_, { stepId, signal }) => void (signal.throwIfAborted(), cleaned.push(stepId)) },
      { timing: { heartbeatMs: 10 } },
    )
    await work(orchestrator)
    const steps = [
      step('long', { kind: 'hang' }),
      step('next', { dependsOn: ['long'] }),
      step('clean', { dependsOn: 'all', always: true }),
    ]
    const { id } = await orchestrator.enqueue(request(steps))
    const waiting = await orchestrator.enqueue(request([step('x')]))
    await hanging.started
    expect(await orchestrator.cancel(waiting.id)).toMatchObject({
      status: 'cancelled',
      steps: [{ status: 'cancelled' }],
    })
    expect((await orchestrator.cancel(id)).cancelRequested).toBe(true)
    const run = await orchestrator.ended(id, forever)
    expect(run).toMatchObject({ status: 'cancelled', failure: { code: 'RUN_CANCELLED' } })
    expect(statuses(run)).toEqual({ long: 'cancelled', next: 'cancelled', clean: 'succeeded' })
    expect(cleaned).toEqual(['clean'])
    expect((await orchestrator.cancel(id)).status).toBe('cancelled')
    await expect(orchestrator.cancel('none')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('a retry is a new run of the same plan that names the old one', async () => {
    let fails = true
    const orchestrator = open(await openStore(kind), {
      do: async () => {
        if (fails) throw new Failure('QUERY_FAILED', 'no')
      },
    })
    await work(orchestrator)
    const first = await orchestrator.ended(
      (await orchestrator.enqueue(request([step('a')], { selection: 'a' }))).id,
      forever,
    )
    fails = false
    const second = await orchestrator.ended((await orchestrator.retry(first.id, { by: 'bob' })).id, forever)
    expect(second).toMatchObject({
      status: 'succeeded',
      selection: 'a',
      trigger: { kind: 'retry', by: 'bob', runId: first.id },
    })
    expect((await orchestrator.get(first.id)).status).toBe('failed')
  })

  test('one catalog is written by one run at a time; others and readers need not wait', async () => {
    const gates: Record<string, ReturnType<typeof gate>> = { w1: gate(), w2: gate(), other: gate(), reads: gate() }
    const orchestrator = open(await openStore(kind), {
      hang: (input, context) => gates[input as string]!.run(input, context),
    })
    await work(orchestrator, { concurrency: 4 })
    const run = (name: string, more: Partial<RunRequest> = {}) =>
      orchestrator.enqueue(request([step('s', { kind: 'hang', input: name })], more))
    const [first, second] = [await run('w1'), await run('w2')]
    await run('other', { catalog: 'prod_analytics' })
    await run('reads', { writes: false })
    await Promise.all([gates['w1']!.started, gates['other']!.started, gates['reads']!.started])
    expect((await orchestrator.get(second.id)).status).toBe('queued')
    gates['w1']!.open()
    await gates['w2']!.started
    expect((await orchestrator.get(first.id)).status).toBe('succeeded')
    for (const one of Object.values(gates)) one.open()
    await orchestrator.ended(second.id, forever)
  })

  test('workers that race on one queue execute each step once', async () => {
    const records = [await openStore(kind, 'race'), ...(kind === 'postgres' ? [await openStore(kind, 'race')] : [])]
    const done: string[] = []
    const steps: StepFunctions = { do: async (_, { runId, stepId }) => void done.push(`${runId} ${stepId}`) }
    const orchestrators = [0, 1, 2].map((index) => open(records[index % records.length]!, steps))
    for (const orchestrator of orchestrators) await work(orchestrator)
    const ids = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const plan = [step('a'), step('b'), step('c', { dependsOn: 'all' })]
        return (await orchestrators[index % 3]!.enqueue(request(plan, { catalog: `catalog_${index % 3}` }))).id
      }),
    )
    const runs = await Promise.all(ids.map((id) => orchestrators[0]!.ended(id, forever)))
    expect(runs.every(({ status, attempt }) => status === 'succeeded' && attempt === 1)).toBe(true)
    expect(done.toSorted()).toEqual(ids.flatMap((id) => ['a', 'b', 'c'].map((name) => `${id} ${name}`)).toSorted())
  })

  test('a worker that stops gives its run back, and the next one goes on with it', async () => {
    const [hanging, done] = [gate(), [] as string[]]
    let stuck = true
    const steps: StepFunctions = {
      do: async (_, { stepId }) => void done.push(stepId),
      hang: (input, context) => (stuck ? hanging.run(input, context) : Promise.resolve(void done.push(context.stepId))),
    }
    const orchestrator = open(await openStore(kind), steps)
    const first = await orchestrator.startWorker({ workerId: 'first', concurrency: 2, graceMs: 1 })
    const { id } = await orchestrator.enqueue(
      request([step('a'), step('b', { kind: 'hang', dependsOn: ['a'] }), step('c', { dependsOn: ['b'] })]),
    )
    await hanging.started
    await first.stop()
    expect(await orchestrator.get(id)).toMatchObject({
      status: 'queued',
      steps: [{ status: 'succeeded' }, { status: 'pending', attempts: [{ status: 'lost' }] }, { status: 'pending' }],
    })
    stuck = false
    await work(orchestrator)
    const run = await orchestrator.ended(id, forever)
    expect(run).toMatchObject({
      status: 'succeeded',
      attempt: 2,
      steps: [{ attempt: 1 }, { attempt: 2 }, { attempt: 1 }],
    })
    expect(done).toEqual(['a', 'b', 'c'])
  })

  test('events of all processes are seen by all', async () => {
    const orchestrator = open(await openStore(kind), { do: async (_, { log }) => log.info('hello') })
    const watching = new AbortController()
    const seen: RunEvent[] = []
    const watcher = (async () => {
      for await (const event of orchestrator.events(watching.signal)) seen.push(event)
    })()
    await sleep(20)
    await work(orchestrator)
    const { id } = await orchestrator.enqueue(request([step('a')]))
    await until(() => seen.some(({ event }) => event === 'run succeeded'))
    watching.abort()
    await watcher
    expect(seen.map(({ event }) => event)).toEqual([
      'run queued',
      'run started',
      'step started',
      'hello',
      'step succeeded',
      'run succeeded',
    ])
    expect(seen.every(({ runId }) => runId === id)).toBe(true)
  })
})

describe('leases', () => {
  const start = '2024-03-31T00:00:00.000Z'

  async function withGhost(ghost: { host: string; pid: number; process_key: string }, clock: FakeClock) {
    const records = await openStore('sqlite')
    const done: string[] = []
    const orchestrator = open(records, { do: async (_, { stepId }) => void done.push(stepId) }, { clock })
    const at = new Date(clock.now()).toISOString()
    await records.catalog
      .insertInto('workers')
      .values({ id: 'ghost', ...ghost, started_at: at, heartbeat_at: at })
      .execute()
    const { id } = await orchestrator.enqueue(request([step('a'), step('b', { dependsOn: ['a'] })]))
    await records.catalog
      .updateTable('runs')
      .set({ status: 'running', worker_id: 'ghost', attempt: 1, heartbeat_at: at })
      .execute()
    await records.catalog
      .updateTable('run_steps')
      .set({ status: 'succeeded', attempt: 1, output_json: '1' })
      .where('id', '=', 'a')
      .execute()
    await records.catalog
      .updateTable('run_steps')
      .set({ status: 'running', attempt: 1 })
      .where('id', '=', 'b')
      .execute()
    return { records, orchestrator, id, done }
  }

  test('a silent worker of another machine keeps its run until the lease ends', async () => {
    const clock = fakeClock(start)
    const { orchestrator, id, done } = await withGhost({ host: 'elsewhere', pid: 1, process_key: '1' }, clock)
    const worker = await orchestrator.startWorker({ workerId: 'w', concurrency: 1 })
    await clock.advance(9_000)
    expect((await orchestrator.get(id)).workerId).toBe('ghost')
    await clock.advance(3_000)
    expect(await orchestrator.get(id)).toMatchObject({ status: 'succeeded', attempt: 2, workerId: 'w' })
    expect(done).toEqual(['b'])
    await worker.stop()
  })

  test('a worker of this machine that is dead loses its run at once', async () => {
    const clock = fakeClock(start)
    const { orchestrator, id } = await withGhost(
      { ...ownHost(), pid: process.pid, process_key: 'another start' },
      clock,
    )
    const worker = await orchestrator.startWorker({ workerId: 'w', concurrency: 1 })
    await clock.advance(0)
    await until(async () => (await orchestrator.get(id)).status === 'succeeded')
    await worker.stop()
  })

  test('a run that loses worker after worker fails with the reason', async () => {
    const clock = fakeClock(start)
    const { records, orchestrator, id, done } = await withGhost(
      { ...ownHost(), pid: process.pid, process_key: 'another start' },
      clock,
    )
    await records.catalog.updateTable('runs').set({ takeovers: 5 }).execute()
    const worker = await orchestrator.startWorker({ workerId: 'w', concurrency: 1 })
    await clock.advance(0)
    await until(async () => (await orchestrator.get(id)).status === 'failed')
    expect(await orchestrator.get(id)).toMatchObject({
      failure: { code: 'RUN_FAILED', message: expect.stringContaining('lost 6 times') },
    })
    expect(done).toEqual([])
    await worker.stop()
  })

  test('a cancel of a run whose worker is dead ends it without any worker', async () => {
    const { orchestrator, id } = await withGhost(
      { ...ownHost(), pid: process.pid, process_key: 'another start' },
      fakeClock(start),
    )
    expect(await orchestrator.cancel(id)).toMatchObject({
      status: 'cancelled',
      steps: [{ status: 'succeeded' }, { status: 'cancelled' }],
    })
  })

  test('a worker that lost its run aborts and writes nothing more', async () => {
    const clock = fakeClock(start)
    const records = await openStore('sqlite')
    const hanging = gate()
    const orchestrator = open(records, { hang: hanging.run }, { clock })
    const worker = await orchestrator.startWorker({ workerId: 'w', concurrency: 1 })
    const { id } = await orchestrator.enqueue(request([step('a', { kind: 'hang' })]))
    await clock.advance(0)
    const context = await hanging.started
    await context.assertOwned()
    await records.catalog.updateTable('runs').set({ worker_id: 'thief', attempt: 2 }).execute()
    await expect(context.assertOwned()).rejects.toMatchObject({ code: 'RUN_CONFLICT' })
    await clock.advance(2_000)
    expect(context.signal.aborted).toBe(true)
    expect(await orchestrator.get(id)).toMatchObject({
      status: 'running',
      workerId: 'thief',
      steps: [{ status: 'running' }],
    })
    await worker.stop()
  })

  test('a step that does not notice its abort is given up after the grace', async () => {
    const clock = fakeClock(start)
    const orchestrator = open(await openStore('sqlite'), { deaf: () => new Promise(() => {}) }, { clock })
    const worker = await orchestrator.startWorker({ workerId: 'w', concurrency: 1, graceMs: 5_000 })
    const { id } = await orchestrator.enqueue(request([step('a', { kind: 'deaf' })]))
    await clock.advance(0)
    await until(async () => (await orchestrator.get(id)).steps[0]!.status === 'running')
    await orchestrator.cancel(id)
    await clock.advance(8_000)
    await until(async () => (await orchestrator.get(id)).status === 'cancelled')
    await worker.stop()
  })

  const ownHost = () => ({ host: ownProcess().host })
})
