import { expect, test } from 'vitest'
import { commandsOf } from './by-word.ts'
import { commands } from './index.ts'

test('what is loaded for a word is what help lists under it', async () => {
  const known = Map.groupBy(commands, ({ name }) => name.split(' ')[0]!)
  for (const [word, listed] of known) {
    const loaded = await commandsOf(word)
    if (!loaded) continue
    expect(
      loaded
        .filter(({ name }) => name.split(' ')[0] === word)
        .map(({ name }) => name)
        .toSorted(),
      word,
    ).toEqual(listed.map(({ name }) => name).toSorted())
  }
})

test('a word that is not known loads nothing', async () => {
  expect(await commandsOf('frobnicate')).toBeUndefined()
  expect(await commandsOf('constructor')).toBeUndefined()
})
