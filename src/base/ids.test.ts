import { expect, test } from 'vitest'
import { newId } from './ids.ts'

test('ids of one process are in the order in which they were made, also within a millisecond', () => {
  const times = [5, 5, 5, 6, 1_700_000_000_000, ...Array<number>(5_000).fill(1_700_000_000_000), 2 ** 45]
  const ids = times.map((time) => newId(time))
  expect(ids.toSorted()).toEqual(ids)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.every((id) => /^[0-9a-hjkmnp-tv-z]{20}$/.test(id))).toBe(true)
})
