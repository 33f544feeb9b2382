// Parts of a step, and runs that a process does itself.

import { afterEach, expect, test } from 'vitest'
import { openMemoryRecords } from '../records/index.ts'
import { openOrchestrator, type RunRequest, type StepContext } from './index.ts'
import { ownProcess } from './process-id.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function open() {
  const records = await openMemoryRecords()
  const orchestrator = openOrchestrator({ records, steps: {}, timing })
  cleanups.push(
    () => records.close(),
    () => orchestrator.close(),
  )
  return { records, orchestrator }
}

const request = (more: Partial<RunRequest> = {}): RunRequest => ({
  environment: 'dev',
  catalog: 'dev_analytics',
  kind: 'build',
  trigger: { kind: 'manual', by: 'ann' },
  plan: {
    steps: [
      { id: 'models', kind: 'models' },
      { id: 'close', kind: 'close', dependsOn: 'all', always: true },
    ],
  },
  ...more,
})
const signal = new AbortController().signal
const timing = { heartbeatMs: 20, leaseMs: 5_000 }
const nothing = async () => ({})

const parts = [
  { id: 'a', kind: 'build', asset: 'marts.a' },
  { id: 'b', kind: 'build', asset: 'marts.b', dependsOn: ['a'] },
]

test('parts stand with their step, and nobody starts them', async () => {
  const { orchestrator } = await open()
  const models = async (_: unknown, context: StepContext) => {
    await context.nameParts(parts)
    await context.tellParts([{ id: 'a', status: 'running' }])
    await context.tellParts([
      { id: 'a', status: 'succeeded', output: { rows: 3 } },
      { id: 'b', status: 'failed', failure: { code: 'MODEL_INVALID', message: 'no', hint: '' } },
    ])
    return {}
  }
  const run = await orchestrator.execute(request(), { signal, functions: () => ({ models, close: nothing }) })
  expect(run.status).toBe('succeeded')
  expect(run.steps.map(({ id, status, partOf, output }) => [id, status, partOf, output])).toEqual([
    ['models', 'succeeded', null, {}],
    ['a', 'succeeded', 'models', { rows: 3 }],
    ['b', 'failed', 'models', null],
    ['close', 'succeeded', null, {}],
  ])
  expect(run.steps[1]).toMatchObject({
    asset: 'marts.a',
    startedAt: expect.any(String),
    finishedAt: expect.any(String),
  })
})

test('an attempt finds what the one before it told', async () => {
  const { orchestrator, records } = await open()
  const found: unknown[] = []
  const begin = Promise.withResolvers<void>()
  const models = async (_: unknown, context: StepContext) => {
    found.push((await context.parts()).map(({ id, status }) => `${id} ${status}`))
    await context.nameParts(parts)
    await context.tellParts([
      { id: 'a', status: 'succeeded', output: { attempt: context.attempt } },
      { id: 'b', status: 'running' },
    ])
    if (context.attempt === 1) {
      begin.resolve()
      await new Promise((_resolve, reject) =>
        context.signal.addEventListener('abort', () => reject(context.signal.reason as Error)),
      )
    }
    return {}
  }
  const functions = () => ({ models, close: nothing })
  const first = orchestrator.execute(request(), { signal, functions })
  await begin.promise
  // Its process dies: the row of its worker names one that does not live.
  await records.catalog
    .updateTable('workers')
    .set({ pid: 2 ** 22 + 1, host: ownProcess().host })
    .execute()
  const other = openOrchestrator({ records, steps: { models, close: nothing }, timing })
  cleanups.push(() => other.close())
  const waited: string[] = []
  const second = await other.execute(request(), {
    signal,
    functions: () => ({ models: nothing, close: nothing }),
    onWait: (id) => waited.push(id),
  })
  expect(second.status).toBe('succeeded')
  const [taken] = (await other.list()).filter(({ id }) => id !== second.id)
  expect(taken).toMatchObject({ status: 'succeeded', attempt: 2 })
  expect(found).toEqual([[], ['a succeeded', 'b pending']])
  expect(waited).toEqual([])
  await first
})

test('one at a time writes a catalog: the second waits and is told for whom', async () => {
  const { orchestrator } = await open()
  const [started, opened] = [Promise.withResolvers<string>(), Promise.withResolvers<void>()]
  const slow = async (_: unknown, { runId }: StepContext) => {
    started.resolve(runId)
    await opened.promise
    return {}
  }
  const first = orchestrator.execute(request(), { signal, functions: () => ({ models: slow, close: nothing }) })
  const holder = await started.promise
  const waited: string[] = []
  const second = orchestrator.execute(request(), {
    signal,
    functions: () => ({ models: nothing, close: nothing }),
    onWait: (id) => {
      waited.push(id)
      opened.resolve()
    },
  })
  expect([(await first).status, (await second).status]).toEqual(['succeeded', 'succeeded'])
  expect(waited).toEqual([holder])
})

test('an aborted command cancels its run', async () => {
  const { orchestrator } = await open()
  const stop = new AbortController()
  const models = async (_: unknown, context: StepContext) => {
    stop.abort()
    await new Promise((_resolve, reject) =>
      context.signal.addEventListener('abort', () => reject(context.signal.reason as Error)),
    )
  }
  const run = await orchestrator.execute(request(), {
    signal: stop.signal,
    functions: () => ({ models, close: nothing }),
  })
  expect(run.steps.map(({ status }) => status)).toEqual(['cancelled', 'succeeded'])
  expect(run.status).toBe('cancelled')
})
