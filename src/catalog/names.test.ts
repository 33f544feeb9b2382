import { expect, test } from 'vitest'
import { memoryFileIO } from '../io/index.ts'
import { showName } from './names.ts'
import type { Pointer } from './pointers.ts'
import { openTables } from './tables.ts'

test('a name is one text, however its parts hold dots and quotes', () => {
  const names = [
    { catalog: 'c', namespace: 'raw', name: 'sub.t' },
    { catalog: 'c', namespace: 'raw.sub', name: 't' },
    { catalog: 'c', namespace: 'raw', name: '"sub.t"' },
    { catalog: 'c', namespace: 'raw."sub', name: 't"' },
    { catalog: 'c.raw', namespace: 'sub', name: 't' },
  ]
  expect(new Set(names.map(showName)).size).toBe(names.length)
  expect(showName({ catalog: 'dev_analytics', namespace: 'raw', name: 'sales' })).toBe('dev_analytics.raw.sales')
})

test('a table is not found by a name whose parts are others: rights were decided by those', async () => {
  const there: Pointer = {
    name: { catalog: 'c', namespace: 'raw.secret', name: 't' },
    kind: 'table',
    location: 'memory:///nowhere',
  }
  const tables = openTables(
    { list: async () => [there], pointer: async () => undefined, pointers: async () => [there] },
    memoryFileIO(),
  )
  expect(await tables.load({ catalog: 'c', namespace: 'raw', name: 'secret.t' })).toBeUndefined()
  await expect(tables.load({ catalog: 'c', namespace: 'raw.secret', name: 'T' })).rejects.toThrow()
})
