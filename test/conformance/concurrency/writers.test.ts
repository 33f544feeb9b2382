// Eight processes with fifty commits each on one table: our own on the records and files, PyIceberg through the REST
// catalog of a server that is one more process. PYICEBERG_PYTHON names a Python with PyIceberg.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { App } from '../../../src/cli/app.ts'
import {
  checkTable,
  contend,
  makeTable,
  openProject,
  rowsAfter,
  type Outcome,
  type Work,
} from '../../support/contended-table.ts'
import { serveProject, type Served } from '../rck/served.ts'

const python = process.env['PYICEBERG_PYTHON']
const count = 50

let served: Served
let app: App
beforeAll(async () => {
  served = await serveProject({ warehouses: [] })
  app = await openProject(served.dir)
})
afterAll(async () => {
  await app.close()
  await served.stop()
})

const works = (table: string, kinds: readonly Work['kind'][]): Work[] =>
  kinds.map((kind, writer) => ({ dir: served.dir, table, writer, kind, count, keep: 150 }))

async function pyiceberg({ table, writer, kind }: Work): Promise<Outcome> {
  const args = [
    join(import.meta.dirname, 'writer.py'),
    served.uri,
    served.token,
    table,
    String(writer),
    kind,
    String(count),
  ]
  return JSON.parse((await promisify(execFile)(python!, args)).stdout) as Outcome
}

function told(what: string, outcomes: readonly (Outcome & { kind: string })[], startedMs: number): void {
  const lines = outcomes.map(({ kind, done, conflicts }) => `  ${kind}: ${done} done, ${conflicts} conflicts`)
  lines.push(...outcomes.flatMap(({ failures }) => failures))
  process.stdout.write(`${what}, ${Math.round((performance.now() - startedMs) / 1000)} s\n${lines.join('\n')}\n`)
  expect(outcomes.flatMap(({ failures }) => failures)).toEqual([])
}

test('8 processes append 50 times each', async () => {
  await makeTable(app, 'appended', {})
  const all = works(
    'appended',
    Array.from({ length: 8 }, () => 'append' as const),
  )
  const startedMs = performance.now()
  told('8 x 50 appends', await contend(all), startedMs)
  await checkTable(app, 'appended', all.flatMap(rowsAfter))
})

// PyIceberg 0.12 writes no manifests of version 3: there all are ours.
describe.each(['2', '3'])('format version %s', (version) => {
  const isTheirs = ({ writer }: Work) => version === '2' && [5, 6].includes(writer)
  test.skipIf(!python)('all kinds of writers, and maintenance meanwhile', async () => {
    const name = `mixed_${version}`
    const modes = ['delete', 'update', 'merge'].map((what) => [`write.${what}.mode`, 'merge-on-read'])
    await makeTable(app, name, { 'format-version': version, ...Object.fromEntries(modes) })
    const all = works(name, ['append', 'append', 'upsert', 'upsert', 'delete', 'append', 'delete', 'maintain'])
    const startedMs = performance.now()
    const theirs: (Outcome & { kind: string })[] = []
    const outcomes = await contend(
      all.filter((work) => !isTheirs(work)),
      () =>
        Promise.all(
          all.filter(isTheirs).map(async (work) => {
            theirs.push({ ...(await pyiceberg(work)), kind: `${work.kind} by PyIceberg` })
          }),
        ),
    )
    told(`mixed, version ${version}`, [...outcomes, ...theirs], startedMs)
    await checkTable(app, name, all.flatMap(rowsAfter))
  })
})
