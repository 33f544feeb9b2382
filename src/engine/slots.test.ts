import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Failure } from '../base/failure.ts'
import { Slots, stalledMax, type Place } from './slots.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const cancelled = () => new Failure('QUERY_CANCELLED', 'gone')
const enter = (slots: Slots, owner: string, signal?: AbortSignal) => slots.enter(owner, signal, cancelled)

/** Who is let in while the others leave one by one, in their order. */
async function order(slots: Slots, owners: readonly string[], places: Place[]): Promise<string[]> {
  const entered: string[] = []
  const all = owners.map(async (owner) => {
    const place = await enter(slots, owner)
    entered.push(owner)
    places.push(place)
  })
  while (entered.length < owners.length) {
    places.shift()!.leave()
    await vi.advanceTimersByTimeAsync(0)
  }
  await Promise.all(all)
  return entered
}

test('who has the fewest here goes next, among equals who waits longest', async () => {
  const slots = new Slots(2)
  const places = [await enter(slots, 'ada'), await enter(slots, 'ada')]
  expect(await order(slots, ['ada', 'ada', 'rob', 'mia', 'rob'], places)).toEqual(['rob', 'ada', 'mia', 'ada', 'rob'])
})

test('a query that runs for long gives its slot to the next', async () => {
  const slots = new Slots(1)
  await enter(slots, 'ada')
  const next = enter(slots, 'rob')
  expect(slots.waiting).toBe(1)
  await vi.advanceTimersByTimeAsync(2_000)
  await next
  expect([slots.running, slots.waiting]).toEqual([2, 0])
})

test('a query whose reader stalled takes no slot, however many there are', async () => {
  const slots = new Slots(2)
  const evicted: number[] = []
  const places: Place[] = []
  for (let at = 0; at < stalledMax.all; at++) {
    const place = await enter(slots, `owner ${at % 4}`)
    place.stalled(() => evicted.push(at))
    places.push(place)
  }
  const [one, two] = [await enter(slots, 'ada'), await enter(slots, 'ada')]
  expect([evicted, slots.running]).toEqual([[], stalledMax.all + 2])
  // One more than is kept: the first of whoever has the most goes, once.
  one.stalled(() => evicted.push(-1))
  expect(evicted).toEqual([0])
  places[0]!.leave()
  two.stalled(() => evicted.push(-2))
  expect(evicted).toEqual([0, 1])
  for (const place of [...places, one, two]) place.leave()
  expect(slots.running).toBe(0)
})

test('of one owner the query that stalled first is evicted, and one that is read again is not', async () => {
  const slots = new Slots(100)
  const evicted: number[] = []
  const places: Place[] = []
  for (let at = 0; at < stalledMax.owner; at++) {
    const place = await enter(slots, 'ada')
    place.stalled(() => evicted.push(at))
    places.push(place)
  }
  ;(await enter(slots, 'rob')).stalled(() => evicted.push(-1))
  places[0]!.resumed()
  ;(await enter(slots, 'ada')).stalled(() => evicted.push(-2))
  expect(evicted).toEqual([])
  places[0]!.stalled(() => evicted.push(0))
  expect(evicted).toEqual([1])
})

test('who waits can go, and too many are refused', async () => {
  const slots = new Slots(1)
  const first = await enter(slots, 'ada')
  const stop = new AbortController()
  const waiting = Array.from({ length: 200 }, () => enter(slots, 'ada', stop.signal))
  await expect(enter(slots, 'rob')).rejects.toMatchObject({ code: 'ENGINE_BUSY' })
  stop.abort()
  for (const one of waiting) await expect(one).rejects.toMatchObject({ code: 'QUERY_CANCELLED' })
  first.leave()
  expect([slots.running, slots.waiting]).toEqual([0, 0])
})
