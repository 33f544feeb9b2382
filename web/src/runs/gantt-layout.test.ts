import { expect, test } from 'vitest'
import type { Step } from '../../../src/contract/index.ts'
import { ganttLayout } from './gantt-layout.ts'

const at = (second: number): string => new Date(Date.UTC(2024, 2, 31, 6, 0, second)).toISOString()
const step = (id: string, from: number | null, to: number | null, dependsOn: string[] = []): Step => ({
  id,
  kind: 'build',
  asset: id,
  status: 'succeeded',
  dependsOn,
  startedAt: from === null ? null : at(from),
  endedAt: to === null ? null : at(to),
  attempts: [],
  result: null,
  failure: null,
  logTail: [],
})

test('bars are shares of the time the run took', () => {
  const { bars, totalMs } = ganttLayout([step('b', 4, 10, ['a']), step('a', 0, 4)], at(0), Date.parse(at(60)))
  expect(totalMs).toBe(10_000)
  expect(bars.map(({ step, left, width, ms }) => [step.id, left, width, ms])).toEqual([
    ['a', 0, 0.4, 4_000],
    ['b', 0.4, 0.6, 6_000],
  ])
})

test('a running step grows to now, a waiting one has no bar and stands behind what it needs', () => {
  const { bars } = ganttLayout(
    [step('c', null, null, ['b']), step('b', null, null, ['a']), step('a', 0, null)],
    at(0),
    Date.parse(at(8)),
  )
  expect(bars.map(({ step, ms, depth }) => [step.id, ms, depth])).toEqual([
    ['a', 8_000, 0],
    ['b', null, 1],
    ['c', null, 2],
  ])
})

test('few ticks, at round times', () => {
  for (const seconds of [0, 1, 7, 59]) {
    const { ticks } = ganttLayout([step('a', 0, seconds)], at(0), Date.parse(at(seconds)))
    expect(ticks.length).toBeGreaterThanOrEqual(1)
    expect(ticks.length).toBeLessThanOrEqual(7)
  }
})

test('a circle of dependencies does not hang the page', () => {
  expect(ganttLayout([step('a', 0, 1, ['b']), step('b', 1, 2, ['a'])], at(0), Date.parse(at(2))).bars).toHaveLength(2)
})
