import { afterEach, expect, test } from 'vitest'
import { fakeClock } from '../../test/support/fake-clock.ts'
import { Failure } from '../base/failure.ts'
import { openMemoryRecords, type Records } from '../records/index.ts'
import { nextFire, openOrchestrator, type Orchestrator, type Schedule } from './index.ts'
import { latestFire } from './schedules.ts'

const daily: Schedule = { name: 'daily', cron: '0 6 * * *', timezone: 'UTC', environment: 'dev' }

test.each([
  ['0 6 * * *', 'UTC', '2024-03-31T05:59:59.999Z', '2024-03-30T06:00:00.000Z', '2024-03-31T06:00:00.000Z'],
  ['0 6 * * *', 'UTC', '2024-03-31T06:00:00.000Z', '2024-03-31T06:00:00.000Z', '2024-04-01T06:00:00.000Z'],
  ['0 6 * * *', 'Europe/Berlin', '2024-03-31T12:00:00.000Z', '2024-03-31T04:00:00.000Z', '2024-04-01T04:00:00.000Z'],
  ['30 2 * * *', 'Europe/Berlin', '2024-03-31T12:00:00.000Z', '2024-03-31T01:00:00.000Z', '2024-04-01T00:30:00.000Z'], // 02:30 did not exist that day
  ['*/15 * * * *', 'UTC', '2024-03-31T00:07:00.000Z', '2024-03-31T00:00:00.000Z', '2024-03-31T00:15:00.000Z'],
  ['0 0 31 2 *', 'UTC', '2024-03-31T00:07:00.000Z', undefined, undefined], // never
])('%s in %s at %s fired %s and fires %s', (cron, timezone, now, latest, next) => {
  const schedule = { ...daily, cron, timezone }
  expect(latestFire(schedule, Date.parse(now))).toBe(latest)
  expect(nextFire(schedule, Date.parse(now))).toBe(next)
})

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function world(start: string) {
  const clock = fakeClock(start)
  const records = await openMemoryRecords()
  cleanups.push(() => records.close())
  const orchestrator = openOrchestrator({ records, steps: { do: async () => null }, clock })
  cleanups.push(() => orchestrator.close())
  return { clock, records, orchestrator }
}

type World = { clock: { advance(ms: number): Promise<void> }; records: Records; orchestrator: Orchestrator }

async function startWorker({ orchestrator, clock }: World, schedules: Schedule[], workerId = 'w', request = plan) {
  const worker = await orchestrator.startWorker({
    workerId,
    concurrency: 1,
    schedules: { list: () => schedules, request },
  })
  await clock.advance(0)
  return worker
}

const plan = (schedule: Schedule) =>
  Promise.resolve({
    environment: schedule.environment,
    catalog: 'dev_analytics',
    kind: 'run',
    plan: { steps: [{ id: 'a', kind: 'do' }] },
  })

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000]
const fires = async ({ records }: World) =>
  (await records.catalog.selectFrom('schedule_fires').select('fire_at').orderBy('fire_at').execute()).map(
    (row) => row.fire_at,
  )

test('a schedule fires at its instant, once, also with two workers', async () => {
  const here = await world('2024-03-31T05:58:00.000Z')
  const workers = [await startWorker(here, [daily], 'w1'), await startWorker(here, [daily], 'w2')]
  expect(await here.orchestrator.scheduleStates()).toMatchObject([
    { name: 'daily', nextFireAt: '2024-03-31T06:00:00.000Z', paused: false },
  ])
  expect(await here.orchestrator.list()).toEqual([])
  await here.clock.advance(3 * minute)
  expect(await here.orchestrator.list()).toMatchObject([
    { status: 'succeeded', trigger: { kind: 'schedule', schedule: 'daily', by: null } },
  ])
  expect(await fires(here)).toEqual(['2024-03-31T06:00:00.000Z'])
  expect(await here.orchestrator.scheduleStates()).toMatchObject([
    { lastFiredAt: '2024-03-31T06:00:00.000Z', nextFireAt: '2024-04-01T06:00:00.000Z' },
  ])
  for (const worker of workers) await worker.stop()
})

test('what was missed while nobody worked fires once: the latest', async () => {
  const here = await world('2024-03-01T05:58:00.000Z')
  await (await startWorker(here, [daily], 'w1')).stop()
  await here.clock.advance(10 * day + hour)
  const worker = await startWorker(here, [daily], 'w2')
  await here.clock.advance(minute)
  expect(await fires(here)).toEqual(['2024-03-11T06:00:00.000Z'])
  expect(await here.orchestrator.list()).toHaveLength(1)
  await worker.stop()
})

test('one that is new, off or paused does not fire', async () => {
  const here = await world('2024-03-31T07:00:00.000Z')
  const off = { ...daily, name: 'off', enabled: false }
  const paused = { ...daily, name: 'paused' }
  const worker = await startWorker(here, [daily, off, paused])
  expect(await fires(here)).toEqual([])
  await here.records.catalog.updateTable('schedules_state').set({ paused: 1 }).where('name', '=', 'paused').execute()
  await here.clock.advance(minute)
  await worker.stop()
  await here.clock.advance(day)
  const later = await startWorker(here, [daily, off, paused], 'later')
  expect((await here.orchestrator.list()).map(({ trigger }) => trigger.schedule)).toEqual(['daily'])
  await later.stop()
})

test('one that cannot be planned is a failed run that says why', async () => {
  const here = await world('2024-03-31T05:59:59.000Z')
  const worker = await startWorker(here, [{ ...daily, select: ['sales+', 'x'] }], 'w', () =>
    Promise.reject(new Failure('PROJECT_INVALID', 'no such model', { place: { file: 'models/a.sql', line: 1 } })),
  )
  await here.clock.advance(2_000)
  expect(await here.orchestrator.list()).toMatchObject([
    {
      status: 'failed',
      selection: 'sales+ x',
      failure: { code: 'PROJECT_INVALID', place: { line: 1 } },
      trigger: { schedule: 'daily' },
    },
  ])
  await worker.stop()
})

test('runs of one schedule do not pile up in the queue', async () => {
  const here = await world('2024-03-31T05:59:30.000Z')
  const never = openOrchestrator({
    records: here.records,
    steps: { do: () => new Promise(() => {}) },
    clock: here.clock,
  })
  cleanups.push(() => never.close())
  const worker = await startWorker({ ...here, orchestrator: never }, [{ ...daily, cron: '* * * * *' }])
  await here.clock.advance(5 * minute)
  expect((await never.list()).map(({ status }) => status)).toEqual(['queued', 'running'])
  await Promise.all([worker.stop(), here.clock.advance(minute)])
})
