import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { openapi, routes } from '../../contract/index.ts'
import { printReference } from './reference.ts'

const page = printReference(openapi(''))

test('docs/reference/http.md is printed from the routes: node tools/print-openapi.ts', async () => {
  expect(await readFile('docs/reference/http.md', 'utf8')).toBe(page)
})

test('every route has its heading, every link its target', () => {
  const headings = [...page.matchAll(/^### (.+)$/gm)].map(([, text]) => text!)
  for (const key of Object.keys(routes)) expect(headings).toContain(key.replace(/:(\w+)/g, '{$1}'))
  const links = new Set([...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, name]) => name!))
  const targets = new Set(headings.map((text) => text.toLowerCase()))
  expect([...links].filter((name) => !targets.has(name))).toEqual([])
})
