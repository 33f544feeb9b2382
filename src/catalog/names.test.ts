import { expect, test } from 'vitest'
import { memoryFileIO } from '../io/index.ts'
import { checkName, freshFolder, showName } from './names.ts'
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

test.each([
  [{ catalog: 'c', namespace: 'raw', name: 'stg.users' }, true],
  [{ catalog: 'c', namespace: 'raw', name: 'município_ção' }, true],
  [{ catalog: 'c', namespace: 'städte', name: '2024 売上' }, true],
  [{ catalog: 'c', namespace: 'raw', name: 'x'.repeat(255) }, true],
  [{ catalog: 'c', namespace: 'raw.sub', name: 't' }, false],
  [{ catalog: 'c', namespace: 'raw.sub', name: 'raw.sub' }, false],
  [{ catalog: 'c', namespace: 'raw', name: '.hidden' }, true],
  [{ catalog: 'c', namespace: 'raw', name: '/BIC/AZSALES' }, true],
  [{ catalog: 'c', namespace: 'raw', name: `50% "off" it's` }, true],
  [{ catalog: 'c', namespace: 'raw', name: '👩‍🚀' }, true],
  [{ catalog: 'c', namespace: 'raw', name: 'v$session' }, true],
  [{ catalog: 'c', namespace: 'system', name: 'mine' }, true],
  [{ catalog: 'c', namespace: 'System', name: 'Audit' }, false],
  [{ catalog: 'c', namespace: 'information_schema', name: 'mine' }, false],
  [{ catalog: 'c', namespace: 'pg_catalog', name: 'mine' }, false],
  [{ catalog: 'c', namespace: 'raw', name: 'v$Files' }, false],
  [{ catalog: 'c', namespace: 'raw', name: '$changes' }, false],
  [{ catalog: 'c', namespace: 'ra/w', name: 't' }, false],
  [{ catalog: 'c', namespace: 'raw', name: 'sales*' }, false],
  [{ catalog: 'c', namespace: 'raw', name: 'a\nb' }, false],
  [{ catalog: 'c', namespace: 'raw', name: '\ud800' }, false],
  [{ catalog: 'c', namespace: 'raw', name: '..' }, false],
  [{ catalog: 'c', namespace: 'raw', name: 'ends ' }, false],
  [{ catalog: 'c', namespace: 'raw', name: 'é'.repeat(128) }, false],
  [{ catalog: 'c', namespace: 'raw', name: '' }, false],
])('%o may be made: %s', (name, isFine) => {
  if (isFine) expect(checkName(name)).toBe(name)
  else expect(() => checkName(name)).toThrow('cannot be the name of a')
})

test('a folder has of a name what every engine spells alike', () => {
  expect(freshFolder('stg.municípios')).toMatch(/^stg_munic_pios-[0-9a-f]{8}$/)
})
