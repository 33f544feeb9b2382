import { expect, test } from 'vitest'
import { layoutGraph, neighbours } from './graph-layout.ts'

const edges = [
  { from: 'raw', to: 'stg' },
  { from: 'stg', to: 'mart' },
  { from: 'late', to: 'mart' },
  { from: 'mart', to: 'page' },
]

test('parents stand left of children, and what only one reads stands beside it', () => {
  const { nodes } = layoutGraph(['raw', 'late', 'stg', 'mart', 'page'], edges)
  expect(Object.fromEntries(nodes.map(({ id, layer }) => [id, layer]))).toEqual({
    raw: 0,
    stg: 1,
    late: 1,
    mart: 2,
    page: 3,
  })
  expect(new Set(nodes.map(({ x, y }) => `${x} ${y}`)).size).toBe(nodes.length)
})

test('neighbours are those within so many steps, up and down', () => {
  expect([...neighbours('stg', edges, 1)].sort()).toEqual(['mart', 'raw', 'stg'])
  expect([...neighbours('stg', edges, 9)].sort()).toEqual(['mart', 'page', 'raw', 'stg'])
  expect(layoutGraph([], []).nodes).toEqual([])
})
