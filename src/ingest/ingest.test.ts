import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld } from '../lake/world.ts'
import type { Located, Source } from '../project/index.ts'
import { ingestSource } from './index.ts'

let world: Awaited<ReturnType<typeof openWorld>>
let dir: string
beforeAll(async () => {
  world = await openWorld()
  dir = join(world.dir, 'project')
  mkdirSync(dir)
})
afterAll(() => world?.close())

const title = 'Report of today\n\na,b,c\n1,2,3\n4,5,6\n'
type Told = unknown[][] | { message: string; hint?: string }
const cases: [what: string, file: string, text: string | Buffer, options: Partial<Source['options']>, Told][] = [
  ['rows', 'rows.csv', 'a,b\n1,2\n', {}, [[1, 2]]],
  ['blank lines before them', 'blank.csv', '\n\na,b\n1,2\n', {}, [[1, 2]]],
  [
    'rows that are broken, before one that is whole',
    'broken.csv',
    'a,b\n1,2\n3\n4,5,6\n',
    {},
    { message: 'the first 3 lines of broken.csv have not the columns of the others', hint: 'skip: 3' },
  ],
  ['a title', 'title.csv', title, {}, { message: 'the first 2 lines of title.csv', hint: 'skip: 2' }],
  ['a title, compressed', 'title.csv.gz', gzipSync(title), {}, { message: 'the first 2 lines of title.csv.gz' }],
  [
    'a title that the source knows of',
    'known.csv',
    title,
    { skip: 2 },
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
  ],
  [
    'whole numbers of more than 64 bits',
    'large.csv',
    'id,price,far\n12345678901234567890123,1.5,1e300\n-1,,2\n,2.5,250000000000000000000\n',
    {},
    [
      ['-1', null, 2],
      ['12345678901234567890123', 1.5, 1e300],
      [null, 2.5, 2.5e20],
    ],
  ],
  ['nothing', 'nothing.csv', '', {}, { message: 'nothing.csv is empty' }],
  ['names only', 'names.csv', 'a,b\n', {}, []],
  [
    'another encoding',
    'latin.csv',
    Buffer.from('id,name\n1,Müller\n', 'latin1'),
    {},
    { message: 'not utf-8 encoded', hint: 'encoding: latin-1' },
  ],
  [
    'another encoding that the source knows of',
    'told.csv',
    Buffer.from('id,name\n1,Müller\n', 'latin1'),
    { encoding: 'latin-1' },
    [[1, 'Müller']],
  ],
]
test.each(cases)('%s', async (_, file, text, options, told) => {
  writeFileSync(join(dir, file), text)
  const name = file.replace(/\W/g, '_')
  const source: Located<Source> = {
    value: {
      name,
      kind: 'csv',
      path: file,
      table: `raw.${name}`,
      mode: 'replace',
      columns: {},
      primary_key: [],
      options: { nullstr: undefined, ...options },
    },
    file: `sources/${name}.yml`,
    at: () => ({ file: `sources/${name}.yml`, line: 1, column: 1 }),
    within: () => ({ file: `sources/${name}.yml`, line: 1, column: 1 }),
  }
  const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: world.admin })
  const load = ingestSource(source, changes, { lake: world.lake, projectDir: dir, spoolDir: world.spool })
  if (Array.isArray(told)) {
    await load
    await changes.publish()
    expect(await world.rows(`from raw.${name} order by all`)).toEqual(told)
  } else {
    const { message, hint } = told
    await expect(load).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringContaining(message),
      ...(hint === undefined ? {} : { hint: expect.stringContaining(hint) }),
    })
    await changes.discard()
  }
})
