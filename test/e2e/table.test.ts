// `boathouse table …` on the example project, as a person types it.

import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { localPath } from '../../src/io/index.ts'
import { openExample, type Example } from '../support/example.ts'

let example: Example
beforeAll(async () => {
  example = openExample()
  const ran = await example.boathouse(['run'])
  expect(ran, ran.stderr).toMatchObject({ code: 0 })
  for (let at = 0; at < 3; at++)
    await example.rows(`create or replace table raw.notes as select ${at} as id, 'note' as text`)
})
afterAll(() => example.close())

const json = async <Answer>(...args: string[]): Promise<Answer> => {
  const { code, stdout, stderr } = await example.boathouse([...args, '--json'])
  expect(code, `${args.join(' ')}: ${stdout}${stderr}`).toBe(0)
  return JSON.parse(stdout) as Answer
}
type History = { snapshotId: string; current: boolean }[]
const history = () => json<History>('table', 'history', 'raw.notes')
const ids = () => example.rows('select id from raw.notes order by id')

test('tags, branches and going back', async () => {
  const [newest, before, ...older] = await history()
  expect(older.length).toBeGreaterThanOrEqual(1)
  await json('table', 'tag', 'raw.notes', 'first', '--at', older.at(-1)!.snapshotId)
  await json('table', 'branch', 'raw.notes', 'audit', '--keep-snapshots', '1')
  expect(await json('table', 'tag', 'raw.notes')).toMatchObject([
    { name: 'first', snapshotId: older.at(-1)!.snapshotId },
  ])
  expect(await json<{ name: string }[]>('table', 'branch', 'raw.notes')).toMatchObject([
    { name: 'main' },
    { name: 'audit' },
  ])
  expect(await json('table', 'rollback', 'raw.notes', before!.snapshotId, '--dry-run')).toMatchObject({ dryRun: true })
  expect(await ids()).toEqual([[2]])
  await json('table', 'rollback', 'raw.notes', before!.snapshotId)
  expect(await ids()).toEqual([[1]])
  const moved = await example.boathouse(['table', 'branch', 'raw.notes', 'main', '--fast-forward', 'audit'])
  expect(moved, moved.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining(newest!.snapshotId) })
  expect(await ids()).toEqual([[2]])
})

test('what changed between two snapshots', async () => {
  expect(await json('table', 'diff', 'raw.notes', 'first', 'main', '--rows', '5')).toMatchObject({
    filesAdded: 1,
    filesRemoved: 1,
    columns: [],
    rows: [
      ['-', 0, 'note'],
      ['+', 2, 'note'],
    ],
  })
  const { stdout } = await example.boathouse(['table', 'diff', 'raw.notes', 'first'])
  expect(stdout).toMatch(/added +1 +1\nremoved +1 +1/)
})

test('compact: dry, then done', async () => {
  for (let at = 10; at < 12; at++) await example.rows(`insert into raw.notes select ${at}, 'more'`)
  const few = ['table', 'compact', 'raw.notes', '--min-files', '2']
  expect(await json(...few, '--dry-run')).toMatchObject([{ table: 'raw.notes', files: 3, filesAfter: null }])
  expect(await json(...few)).toMatchObject([{ files: 3, filesAfter: 1 }])
  expect(await ids()).toEqual([[2], [10], [11]])
})

test('expire keeps what tags name; orphans finds nothing that is needed', async () => {
  const before = (await history()).length
  const [dry] = await json<{ snapshots: string[] }[]>('table', 'expire', 'raw.notes', '--older-than', '0', '--dry-run')
  expect(dry!.snapshots).toHaveLength(before - 3) // the newest, and those of the tag and the branch
  const [done] = await json<{ snapshots: string[]; files: { data: number } }[]>(
    'table',
    'expire',
    'raw.notes',
    '--older-than',
    '0',
    '--clean-unused',
  )
  expect(done!.snapshots).toEqual(dry!.snapshots)
  expect(done!.files.data).toBeGreaterThan(0)
  expect(await history()).toHaveLength(3)
  expect(await ids()).toEqual([[2], [10], [11]])
  const forced = await json<{ table: string }[]>('table', 'orphans', '--older-than', '0', '--force')
  expect(forced.map(({ table }) => table)).toContain('raw.notes')
  expect(await ids()).toEqual([[2], [10], [11]])
  expect((await example.rows('select count(*) from raw.sales'))[0]![0]).toBeGreaterThan(0)
})

test('one table that cannot be read is told, and keeps upkeep from no other', async () => {
  await example.rows('create table raw.broken as select 1 as id')
  const [[location] = []] = await example.rows('select file from raw.broken$metadata_log_entries')
  writeFileSync(localPath(String(location)), 'nonsense')
  const unreadable = expect.stringContaining('is not valid JSON') as string
  const listed = await json<{ table: string }[]>('table', 'ls')
  expect(listed.find(({ table }) => table === 'raw.broken')).toMatchObject({ rows: null, unreadable })
  const { code, stdout } = await example.boathouse(['table', 'compact', '--json'])
  const done = JSON.parse(stdout) as { table: string; failure?: { message: string } }[]
  expect([code, done.filter(({ failure }) => failure)]).toEqual([
    1,
    [{ table: 'raw.broken', failure: { code: 'METADATA_INVALID', message: unreadable } }],
  ])
  expect(done.map(({ table }) => table)).toContain('raw.notes')
  expect(await example.boathouse(['table', 'compact', 'raw.broken'])).toMatchObject({ code: 1 })
  expect(await example.boathouse(['query', 'drop table raw.broken'])).toMatchObject({ code: 0 })
})

test('a table with a column that is only read is left as it is by upkeep of all', async () => {
  await example.rows("create table raw.sensors with ('format-version' = 3) as select 1 as id")
  for (let id = 2; id < 7; id++) await example.rows(`insert into raw.sensors values (${id})`)
  const files = await example.rows('select file from raw.sensors$metadata_log_entries order by timestamp')
  const path = localPath(String(files.at(-1)![0]))
  const metadata = JSON.parse(readFileSync(path, 'utf8')) as {
    schemas: { fields: object[] }[]
    'last-column-id': number
  }
  metadata.schemas.at(-1)!.fields.push({ id: 9, name: 'reading', type: 'variant', required: false })
  metadata['last-column-id'] = 9
  writeFileSync(path, JSON.stringify(metadata))
  const { code, stdout } = await example.boathouse(['table', 'compact', '--json'])
  const done = JSON.parse(stdout) as { table: string; failure?: { code: string } }[]
  expect([code, done.find(({ table }) => table === 'raw.sensors')?.failure?.code]).toEqual([0, 'UNSUPPORTED'])
  expect((await example.boathouse(['table', 'compact'])).stdout).toMatch(/raw\.sensors is left as it is: UNSUPPORTED/)
  expect(await example.boathouse(['table', 'compact', 'raw.sensors'])).toMatchObject({ code: 1 })
  expect(await example.boathouse(['query', 'drop table raw.sensors'])).toMatchObject({ code: 0 })
})

test.each([
  [['table', 'expire', 'raw.nothing'], 'TABLE_NOT_FOUND'],
  [['table', 'expire', 'raw.notes', '--snapshot', '12'], 'there is no snapshot 12'],
  [['table', 'orphans', 'raw.notes', '--older-than', '1h'], 'force it'],
  [['table', 'rollback', 'raw.notes', '2001-01-01'], 'no snapshot older'],
  [['table', 'diff', 'raw.notes', 'nowhere'], 'no branch or tag "nowhere"'],
])('%j fails and says why', async (args, words) => {
  const { code, stderr } = await example.boathouse(args)
  expect(code).toBeGreaterThan(0)
  expect(stderr).toContain(words)
})
