import { glob, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { layers } from '../src/layers.ts'

const files = (await Array.fromAsync(glob('src/*/**/*.ts'))).sort()

test.each(files)('%s uses only the layers it names', async (file) => {
  const [, layer, part] = file.split('/') as [string, string, string]
  expect(Object.keys(layers), `the room of ${file} is in src/layers.ts`).toContain(layer)
  const may = [...(layers[layer]?.uses ?? []), ...(layers[layer]?.parts?.[part] ?? [])]
  for (const [, target] of (await readFile(file, 'utf8')).matchAll(/(?:from|import\() ?'(\.\.?\/[^']+)'/g)) {
    const path = join(dirname(file), target!)
    if (file.endsWith('.test.ts') && path.startsWith('test/support/')) continue // real servers and clocks for tests
    const used = path.split('/')[1]!
    if (used !== layer) expect(may, `${file} imports ${target}`).toContain(used)
  }
})

test('no room is used before it is built: the map has no circles', () => {
  const names = Object.keys(layers)
  for (const [name, { uses, parts = {} }] of Object.entries(layers))
    for (const used of [...uses, ...Object.values(parts).flat()])
      expect(names.indexOf(used), `${name} uses ${used}`).toBeLessThan(names.indexOf(name))
})
