// Real processes on one table, one records store and one folder: writers of every kind, and maintenance meanwhile.
// test/conformance/concurrency does the same at full length, with PyIceberg among the writers.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { App } from '../../src/cli/app.ts'
import { checkTable, contend, makeTable, openProject, rowsAfter, type Work } from '../support/contended-table.ts'

const dir = mkdtempSync(join(tmpdir(), 'contended-'))
writeFileSync(join(dir, 'boathouse.yml'), 'name: contended\n')
let app: App
beforeAll(async () => {
  app = await openProject(dir)
})
afterAll(async () => {
  await app.close()
  rmSync(dir, { recursive: true })
})

test('no row is lost and none is there twice', async () => {
  await makeTable(app, 't', { 'format-version': '3', 'write.delete.mode': 'merge-on-read' })
  const kinds = ['append', 'upsert', 'delete', 'maintain'] as const
  const all = kinds.map((kind, writer): Work => ({ dir, table: 't', writer, kind, count: 4, keep: 12 }))
  const outcomes = await contend(all)
  expect(outcomes.flatMap(({ failures }) => failures)).toEqual([])
  await checkTable(app, 't', all.flatMap(rowsAfter))
})
