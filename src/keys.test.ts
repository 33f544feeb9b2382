import { expect, test } from 'vitest'
import { keysOfProject } from './keys.ts'
import type { DbtProject } from './transform/index.ts'

const node = (uniqueId: string, more: object) =>
  [uniqueId, { uniqueId, schema: 'marts', test: undefined, dependsOn: [], ...more }] as const
const generic = (
  name: string,
  columnName: string | undefined,
  attachedTo: string,
  kwargs = {},
  namespace?: string,
) => ({
  kind: 'generic',
  name,
  namespace,
  kwargs,
  columnName,
  attachedTo,
})

test('unique columns and relationships are keys, other tests are not', () => {
  const project = {
    sources: new Map([['source.shop.people', { schema: 'raw', identifier: 'people' }]]),
    nodes: new Map([
      node('model.orders', { alias: 'orders' }),
      node('test.1', { test: generic('unique', 'id', 'model.orders'), dependsOn: ['model.orders'] }),
      node('test.2', {
        test: generic('relationships', 'person', 'model.orders', { to: "source('shop', 'people')", field: 'id' }),
        dependsOn: ['source.shop.people', 'model.orders'],
      }),
      node('test.3', { test: generic('unique', 'id', 'source.shop.people'), dependsOn: ['source.shop.people'] }),
      node('test.4', { test: generic('not_null', 'id', 'model.orders') }),
      node('test.5', { test: generic('unique', 'id', 'model.orders', {}, 'other_package') }),
      node('test.6', { test: generic('unique', undefined, 'model.orders') }),
      node('test.7', { test: { kind: 'singular' } }),
    ]),
  } as unknown as DbtProject
  expect(keysOfProject(project)).toEqual([
    { kind: 'unique', namespace: 'marts', table: 'orders', columns: ['id'] },
    {
      kind: 'foreign',
      namespace: 'marts',
      table: 'orders',
      columns: ['person'],
      to: { namespace: 'raw', table: 'people', columns: ['id'] },
    },
    { kind: 'unique', namespace: 'raw', table: 'people', columns: ['id'] },
  ])
})
