import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { printGoldenVersions } from './golden-versions.ts'
import { boathouseJsonSchema, printConfigurationPage } from './print.ts'
import { type Setting, settings } from './settings.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string) => readFile(join(root, path), 'utf8')

describe('printed pages are up to date', () => {
  test('docs/reference/configuration.md (node tools/print-configuration.ts)', async () => {
    expect(await read('docs/reference/configuration.md')).toBe(printConfigurationPage())
  })
  test('docs/reference/schemas/boathouse.schema.json (node tools/print-configuration.ts)', async () => {
    expect(JSON.parse(await read('docs/reference/schemas/boathouse.schema.json'))).toEqual(boathouseJsonSchema())
  })
  test('golden_versions.md (node tools/golden-versions.ts)', async () => {
    expect(await read('golden_versions.md')).toBe(printGoldenVersions(await read('package-lock.json')))
  })
})

test.each(Object.entries(settings) as [string, Setting][])(
  'the example of %s is valid, in YAML and as a variable',
  (_, { key, env, example, schema }) => {
    if (key) expect(schema().safeParse(parse(example)).success).toBe(true)
    if (env) expect(schema().safeParse(example).success).toBe(true)
  },
)

test('the JSON schema nests what is dotted and forbids the rest', () => {
  const schema = boathouseJsonSchema()
  expect(schema).toMatchObject({ additionalProperties: false, required: ['name'] })
  expect(schema.properties!['http']!.properties!['port']).toMatchObject({
    description: expect.stringContaining('8620'),
  })
})
