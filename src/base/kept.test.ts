import { expect, test } from 'vitest'

import { keptFor } from './kept.ts'

test('an answer is told again until it is too old, for each key its own, and a failure is asked again', async () => {
  let [time, asked] = [0, 0]
  const kept = keptFor<number>(10, () => time)
  const ask = (key: string) => kept(key, () => Promise.resolve(++asked))
  expect([await ask('a'), await ask('a'), await ask('b')]).toEqual([1, 1, 2])
  time = 10
  expect([await ask('a'), await ask('a')]).toEqual([3, 3])

  await expect(kept('c', () => Promise.reject(new Error('gone')))).rejects.toThrow('gone')
  expect(await ask('c')).toBe(4)
})
