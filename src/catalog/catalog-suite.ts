// What every catalog promises, run against each implementation.

import { randomUUID } from 'node:crypto'
import { describe, expect, onTestFinished, test as anyTest } from 'vitest'
import { Failure } from '../base/failure.ts'
import {
  createUpdates,
  newTableMetadata,
  parsePrimitive,
  type NewField,
  type TableUpdate,
  type ViewUpdate,
} from '../iceberg/index.ts'
import type { Catalog, CatalogChange } from './catalog.ts'
import { levelsOf, namespaceOf, type TableName } from './names.ts'

type World = {
  catalog: Catalog
  /** A warehouse without namespaces that may be filled. */
  name: string
  /** Where tables of it may lie. */
  location(name: TableName): string
  close?(): Promise<void>
}

const fields: NewField[] = [
  { name: 'id', type: parsePrimitive('long'), required: true },
  { name: 'day', type: parsePrimitive('date'), required: false },
]

/**
 * Runs the suite. `open` gives a new, empty catalog for each test. `known`: tests that a catalog of somebody else fails
 * for a reason of its own, which stands there; they are expected to fail.
 */
export function catalogSuite(title: string, open: () => Promise<World>, known: Record<string, string> = {}): void {
  const test = (name: string, run: () => Promise<void>) => (known[name] ? anyTest.fails : anyTest)(name, run)
  async function opened() {
    const world = await open()
    onTestFinished(() => world.close?.())
    const { catalog, name: inCatalog } = world
    const named = (name: string, namespace = 'raw'): TableName => ({ catalog: inCatalog, namespace, name })
    const creation = (name: TableName, properties = {}): CatalogChange => ({
      action: 'commit',
      kind: 'table',
      name,
      requirements: [{ type: 'assert-create' }],
      updates: createUpdates(
        newTableMetadata({ uuid: randomUUID(), location: world.location(name), nowMs: 1, schema: fields, properties }),
      ),
    })
    const viewCreation = (name: TableName, sql = 'select 1 as n'): CatalogChange => ({
      action: 'commit',
      kind: 'view',
      name,
      requirements: [{ type: 'assert-create' }],
      updates: viewUpdates(sql, world.location(name)),
    })
    const setting = (name: TableName, key: string, value: string): CatalogChange => ({
      action: 'commit',
      kind: 'table',
      name,
      requirements: [],
      updates: [{ action: 'set-properties', updates: { [key]: value } }],
    })
    const create = async (name: TableName) => {
      await catalog.createNamespace(inCatalog, name.namespace)
      return (await catalog.commit([creation(name)]))[0]!
    }
    return { ...world, inCatalog, named, creation, viewCreation, setting, create }
  }

  describe(title, () => {
    test('namespaces are created, changed and dropped', async () => {
      const { catalog, inCatalog } = await opened()
      expect(await catalog.namespaces(inCatalog)).toEqual([])
      expect(await catalog.createNamespace(inCatalog, 'raw', { owner: 'ana', team: 'x' })).toBe(true)
      expect(await catalog.createNamespace(inCatalog, 'raw')).toBe(false)
      expect(await catalog.namespace(inCatalog, 'raw')).toMatchObject({ owner: 'ana', team: 'x' })
      expect(await catalog.namespace(inCatalog, 'other')).toBeUndefined()
      const change = { set: { owner: 'rob' }, remove: ['team', 'gone'] }
      expect(await catalog.updateNamespace(inCatalog, 'raw', change)).toEqual({
        updated: ['owner'],
        removed: ['team'],
        missing: ['gone'],
      })
      const properties = await catalog.namespace(inCatalog, 'raw')
      expect(properties).toMatchObject({ owner: 'rob' })
      expect(properties).not.toHaveProperty('team')
      await expect(catalog.updateNamespace(inCatalog, 'other', change)).rejects.toMatchObject({
        code: 'NAMESPACE_NOT_FOUND',
      })
      expect(await catalog.dropNamespace(inCatalog, 'raw')).toBe(true)
      expect(await catalog.dropNamespace(inCatalog, 'raw')).toBe(false)
    })

    test('namespaces nest; one that holds something is not dropped', async () => {
      const { catalog, inCatalog, named, create } = await opened()
      const inner = namespaceOf(['a', 'b'])
      await catalog.createNamespace(inCatalog, 'a')
      await create(named('t', inner))
      expect(await catalog.namespaces(inCatalog)).toEqual(['a', inner])
      await expect(catalog.dropNamespace(inCatalog, 'a')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_EMPTY' })
      await expect(catalog.dropNamespace(inCatalog, inner)).rejects.toMatchObject({ code: 'NAMESPACE_NOT_EMPTY' })
      await catalog.drop(named('t', inner), 'table')
      expect(await catalog.dropNamespace(inCatalog, inner)).toBe(true)
      expect(await catalog.dropNamespace(inCatalog, 'a')).toBe(true)
      expect(await catalog.namespaces(inCatalog)).toEqual([])
    })

    for (const odd of ['%', 'a%2Eb', 'käse 漢字', '100%_', "it's"])
      test(`the name ${odd} survives`, async () => {
        const { catalog, inCatalog, named, create } = await opened()
        const name = named(odd, namespaceOf([odd]))
        await create(name)
        expect((await catalog.namespaces(inCatalog)).map(levelsOf)).toEqual([[odd]])
        expect((await catalog.list(inCatalog, name.namespace)).map((one) => one.name)).toEqual([name])
        expect((await catalog.load(name))?.name).toEqual(name)
      })

    test('a table is created once', async () => {
      const { catalog, inCatalog, named, creation, create } = await opened()
      const missing = catalog.commit([creation(named('t'))])
      await expect(missing).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' })
      const made = await create(named('t'))
      expect(made.metadata.location).toBeTruthy()
      expect(await catalog.load(named('t'))).toEqual(made)
      expect(await catalog.list(inCatalog)).toEqual([{ name: named('t'), kind: 'table', location: made.location }])
      await expect(catalog.commit([creation(named('t'))])).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
      expect(await catalog.load(named('t'), { kind: 'view' })).toBeUndefined()
      expect(await catalog.load(named('T'))).toBeUndefined()
    })

    test('a commit changes the table when its requirements hold', async () => {
      const { catalog, named, create } = await opened()
      const before = await create(named('t'))
      const uuid = before.kind === 'table' ? before.metadata.tableUuid : ''
      const updates: TableUpdate[] = [{ action: 'set-properties', updates: { a: '1' } }]
      const change = { action: 'commit', kind: 'table', name: named('t'), updates } as const
      const [after] = await catalog.commit([{ ...change, requirements: [{ type: 'assert-table-uuid', uuid }] }])
      expect(after!.metadata.properties['a']).toBe('1')
      expect(after!.location).not.toBe(before.location)
      expect(await catalog.stillCurrent([after!])).toBe(true)
      expect(await catalog.stillCurrent([after!, before])).toBe(false)
      const wrong = catalog.commit([{ ...change, requirements: [{ type: 'assert-table-uuid', uuid: randomUUID() }] }])
      await expect(wrong).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
      await expect(catalog.commit([{ ...change, name: named('other'), requirements: [] }])).rejects.toMatchObject({
        code: 'TABLE_NOT_FOUND',
      })
    })

    test('writers at the same time lose nothing', async () => {
      const { catalog, named, create, setting } = await opened()
      await create(named('t'))
      const keys = Array.from({ length: 8 }, (_, index) => `k${index}`)
      await Promise.all(keys.map((key) => catalog.commit([setting(named('t'), key, 'x')])))
      const { properties } = (await catalog.load(named('t')))!.metadata
      expect(Object.keys(properties)).toEqual(expect.arrayContaining(keys))
    })

    test('several tables commit together or, when the catalog is atomic, not at all', async () => {
      const { catalog, named, create, setting } = await opened()
      await create(named('a'))
      await create(named('b'))
      await catalog.commit([setting(named('a'), 'k', '1'), setting(named('b'), 'k', '1')])
      const failing: CatalogChange = {
        action: 'commit',
        kind: 'table',
        name: named('b'),
        requirements: [{ type: 'assert-current-schema-id', currentSchemaId: 7 }],
        updates: [{ action: 'set-properties', updates: { k: '2' } }],
      }
      await expect(catalog.commit([setting(named('a'), 'k', '2'), failing])).rejects.toMatchObject({
        code: 'COMMIT_CONFLICT',
      })
      const valueOf = async (name: string) => (await catalog.load(named(name)))!.metadata.properties['k']
      expect(await valueOf('b')).toBe('1')
      if (catalog.atomic) expect(await valueOf('a')).toBe('1')
    })

    test('tables are renamed, dropped and registered', async () => {
      const { catalog, named, create } = await opened()
      const made = await create(named('t'))
      await create(named('other'))
      await expect(catalog.rename(named('t'), named('other'), 'table')).rejects.toMatchObject({
        code: 'ALREADY_EXISTS',
      })
      await expect(catalog.rename(named('none'), named('x'), 'table')).rejects.toMatchObject({
        code: 'TABLE_NOT_FOUND',
      })
      await expect(catalog.rename(named('t'), named('x', 'nowhere'), 'table')).rejects.toMatchObject({
        code: 'NAMESPACE_NOT_FOUND',
      })
      await catalog.rename(named('t'), named('moved'), 'table')
      expect(await catalog.load(named('t'))).toBeUndefined()
      expect((await catalog.load(named('moved')))?.location).toBe(made.location)
      expect((await catalog.drop(named('moved'), 'table')).location).toBe(made.location)
      await expect(catalog.drop(named('moved'), 'table')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
      const registered = await catalog.register(named('back'), made.location, { kind: 'table' })
      expect(registered.metadata).toEqual(made.metadata)
      await expect(catalog.register(named('back'), made.location, { kind: 'table' })).rejects.toMatchObject({
        code: 'ALREADY_EXISTS',
      })
    })

    test('views live beside tables, under names of their own', async () => {
      const { catalog, inCatalog, named, create, viewCreation } = await opened()
      await create(named('t'))
      const [view] = await catalog.commit([viewCreation(named('v'))])
      expect(view).toMatchObject({ kind: 'view', metadata: { currentVersionId: 1 } })
      const kinds = (await catalog.list(inCatalog)).map(({ name, kind }) => [name.name, kind])
      expect(kinds.sort()).toEqual([
        ['t', 'table'],
        ['v', 'view'],
      ])
      await expect(catalog.commit([viewCreation(named('t'))])).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
      await expect(catalog.drop(named('v'), 'table')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
      const [changed] = await catalog.commit([
        {
          action: 'commit',
          kind: 'view',
          name: named('v'),
          requirements: [
            { type: 'assert-view-uuid', uuid: (view as { metadata: { viewUuid: string } }).metadata.viewUuid },
          ],
          updates: viewUpdates('select 2 as n').filter(({ action }) => action !== 'assign-uuid'),
        },
      ])
      expect(changed).toMatchObject({ metadata: { currentVersionId: 2 } })
      await catalog.rename(named('v'), named('w'), 'view')
      await catalog.drop(named('w'), 'view')
      expect((await catalog.list(inCatalog)).map(({ name }) => name.name)).toEqual(['t'])
    })

    test('names come in pages, in the order of their bytes', async () => {
      const { catalog, inCatalog, named, create, viewCreation } = await opened()
      // UTF-16, which JavaScript compares, has the last two the other way round; locales have 'a' before 'B'.
      const sorted = ['B', 'a', 'ä', '漢', '～', '😀']
      for (const name of sorted.toReversed()) await create(named(name))
      await catalog.commit([viewCreation(named('b'))])
      await create(named('elsewhere', 'other'))
      const page = (limit: number, after?: string) => catalog.names(inCatalog, 'raw', { kind: 'table', after, limit })
      expect(await page(10)).toEqual(sorted)
      expect(await page(2)).toEqual(['B', 'a'])
      expect(await page(2, 'a')).toEqual(['ä', '漢'])
      expect(await page(10, '漢')).toEqual(['～', '😀'])
      expect(await page(10, '😀')).toEqual([])
      // A name that is gone, or never was, is a place all the same.
      expect(await page(1, 'C')).toEqual(['a'])
      expect(await catalog.names(inCatalog, 'raw', { kind: 'view', limit: 10 })).toEqual(['b'])
      expect(await catalog.names(inCatalog, 'nowhere', { kind: 'table', limit: 10 })).toEqual([])
    })

    test('what cannot be a name is refused', async () => {
      const { catalog, inCatalog, creation, named } = await opened()
      await catalog.createNamespace(inCatalog, 'raw')
      for (const bad of ['', '..', 'a\u0000b', 'x'.repeat(256)]) {
        const failure = await catalog.commit([creation(named(bad))]).catch((error: unknown) => error)
        expect(failure, bad).toBeInstanceOf(Failure)
        expect((failure as Failure).code, bad).toBe('REQUEST_INVALID')
      }
    })
  })
}

function viewUpdates(sql: string, location?: string): ViewUpdate[] {
  const schema = {
    schemaId: 0,
    fields: [{ id: 1, name: 'n', type: parsePrimitive('int'), required: false }],
    identifierFieldIds: [],
  }
  return [
    { action: 'assign-uuid', uuid: randomUUID() },
    ...(location === undefined ? [] : [{ action: 'set-location' as const, location }]),
    { action: 'add-schema', schema },
    {
      action: 'add-view-version',
      viewVersion: {
        versionId: 1,
        schemaId: -1,
        timestampMs: 1,
        summary: {},
        representations: [{ type: 'sql', sql, dialect: 'duckdb' }],
        defaultNamespace: ['raw'],
      },
    },
    { action: 'set-current-view-version', viewVersionId: -1 },
  ]
}
