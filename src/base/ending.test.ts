import { expect, test, vi } from 'vitest'
import { ending } from './ending.ts'

const closed = vi.fn<() => void>()
async function* items(last?: Error): AsyncGenerator<number> {
  try {
    yield 1
    yield 2
    if (last) throw last
  } finally {
    closed()
  }
}
const mistake = new Error('no more')

test.each<[string, number, Error | undefined, number, unknown[][]]>([
  ['read to its end', 3, undefined, 1, [[undefined]]],
  ['left behind the first', 1, undefined, 1, [[undefined]]],
  ['never begun', 0, undefined, 0, [[undefined]]],
  ['ended by an error', 3, mistake, 1, [[mistake]]],
])('what was %s ends once', async (_, reads, error, closes, ends) => {
  closed.mockClear()
  const end = vi.fn<(error?: unknown) => void>()
  const all = ending(items(error), end)
  for (let at = 0; at < reads; at++) await all.next().catch((thrown: unknown) => expect(thrown).toBe(error))
  await all.return()
  await all.return()
  expect(closed).toHaveBeenCalledTimes(closes)
  expect(end.mock.calls.map(([thrown]) => [thrown])).toEqual(ends)
})
