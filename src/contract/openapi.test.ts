import { expect, test } from 'vitest'
import { openapi, routes, splitRoute, type RouteKey } from './index.ts'

const document = JSON.parse(JSON.stringify(openapi('1.2.3'))) as any
const keys = Object.keys(routes) as RouteKey[]

test('every route stands in the description, with its own operation id', () => {
  const operations = Object.values<any>(document.paths).flatMap((path) => Object.values<any>(path))
  expect(operations).toHaveLength(keys.length)
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(keys.length)
})

test('every reference leads to a schema', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
    ([, name]) => name!,
  )
  expect(references.length).toBeGreaterThan(30)
  expect([...new Set(references)].filter((name) => !document.components.schemas[name])).toEqual([])
  expect(JSON.stringify(document)).not.toContain('"$defs"')
})

test('path parameters are described, and only those', () => {
  for (const key of keys) {
    const { method, path } = splitRoute(key)
    const named = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name!).sort()
    const operation = document.paths[path.replace(/:(\w+)/g, '{$1}')][method.toLowerCase()]
    const described = (operation.parameters ?? []).filter((parameter: any) => parameter.in === 'path')
    expect(described.map(({ name }: any) => name).sort(), key).toEqual(named)
  }
})

test('what changes something asks for the header and, but for logging in, for a session', () => {
  for (const key of keys.filter((key) => !key.startsWith('GET '))) {
    const { method, path } = splitRoute(key)
    const operation = document.paths[path.replace(/:(\w+)/g, '{$1}')][method.toLowerCase()]
    expect(
      operation.parameters.map(({ name }: any) => name),
      key,
    ).toContain('x-boathouse')
    if (!path.startsWith('/api/session')) expect(operation.security, key).toBeDefined()
  }
})

test('objects are closed: an unknown field is a mistake', () => {
  expect(document.components.schemas.LogIn).toMatchObject({
    additionalProperties: false,
    required: ['name', 'password'],
  })
  expect(document.components.schemas.Query.required).toEqual(['sql'])
})
