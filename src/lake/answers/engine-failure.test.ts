import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEngine, type Engine } from '../../engine/index.ts'
import { rethrowEngine } from './engine-failure.ts'

let [dir, engine] = ['', undefined as unknown as Engine]
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'spill-'))
  engine = openEngine({
    memoryBytes: 2 ** 28,
    threads: 1,
    tempDirectory: join(dir, 'temp'),
    tempBytes: 2 ** 23,
    timeZone: 'UTC',
    directories: [],
    classes: ['interactive'],
  })
})
afterAll(async () => {
  await engine.close()
  rmSync(dir, { recursive: true, force: true })
})

test.each([
  ['memory', 'limits.memory', "SELECT length(string_agg(md5(range::VARCHAR), '')) FROM range(20000000)"],
  [
    'disk to spill to',
    'limits.temp_bytes',
    'SELECT md5(range::VARCHAR) AS text FROM range(20000000) ORDER BY text LIMIT 1 OFFSET 19000000',
  ],
])('a query that needs too much %s is told of %s, and leaves nothing on the disk', async (what, setting, sql) => {
  const told = engine.rows({ class: 'interactive', sql }).catch(rethrowEngine)
  await expect(told).rejects.toMatchObject({
    code: 'QUERY_TOO_LARGE',
    message: expect.stringMatching(new RegExp(`^the query needs more ${what} than it may use: [^\n]*$`)) as string,
    hint: expect.stringContaining(`\`${setting}\``) as string,
  })
  expect(await engine.rows({ class: 'interactive', sql: 'SELECT 1' })).toEqual([[1]])
  expect(
    readdirSync(join(dir, 'temp'), { recursive: true, withFileTypes: true }).filter((one) => one.isFile()),
  ).toEqual([])
})
