// The cache, and what queries spill, on a disk that is full: a small file system of its own, which only root may make.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.ts'
import { memoryFileIO, openFileCache } from '../../../src/io/index.ts'
import { rethrowEngine } from '../../../src/lake/answers/engine-failure.ts'

const folder = mkdtempSync(join(tmpdir(), 'boathouse-full-'))
const mounted = (() => {
  try {
    execFileSync('sh', ['-c', 'mount -t tmpfs -o size=40m tmpfs "$0"', folder], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()
afterAll(() => void (mounted && execFileSync('sh', ['-c', 'umount "$0"', folder])))

test.skipIf(!mounted)('a full disk is one clear failure that leaves nothing (skipped: mount not allowed)', async () => {
  const io = memoryFileIO()
  await io.write('s3://b/big', Buffer.alloc(60 * 2 ** 20, 'x'))
  await io.write('s3://b/small', Buffer.alloc(2 ** 20, 'y'))
  const cache = await openFileCache({ io, folder, bytesMax: 100 * 2 ** 20 })
  await expect(cache.lease([{ path: 's3://b/big' }])).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    message: 'cannot keep a copy of "s3://b/big": the disk is full (ENOSPC)',
  })
  const left = await readdir(folder, { recursive: true, withFileTypes: true })
  expect(left.filter((entry) => entry.isFile())).toEqual([])
  const lease = await cache.lease([{ path: 's3://b/small' }])
  expect((await readFile(lease.pathOf('s3://b/small'))).length).toBe(2 ** 20)
  lease.release()
  await cache.close()
})

const sorted = 'SELECT md5(range::VARCHAR) AS text FROM range(20000000) ORDER BY text LIMIT 1 OFFSET 19000000'

test.skipIf(!mounted)(
  'what a query spilled to a disk that was full then goes, and one beside it is answered',
  async () => {
    const temp = join(folder, 'temp')
    mkdirSync(temp)
    const engine = openEngine({
      memoryBytes: 2 ** 28,
      threads: 1,
      tempDirectory: temp,
      tempBytes: 2 ** 30,
      timeZone: 'UTC',
      directories: [],
      classes: ['interactive'],
    })
    const ask = (sql: string) => engine.rows({ class: 'interactive', sql })
    const spilled = () => readdirSync(temp, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
    expect(await ask('SELECT 1')).toEqual([[1]])

    // As much as was free when its host started, and room is left for others.
    await expect(ask(sorted).catch(rethrowEngine)).rejects.toMatchObject({
      code: 'QUERY_TOO_LARGE',
      hint: expect.stringContaining('make room on the disk'),
    })
    writeFileSync(join(folder, 'others'), Buffer.alloc(30 * 2 ** 20))
    const beside = ask("SELECT count(*) FROM range(100000) t(i) WHERE levenshtein(repeat('a', 50), i::varchar) > 0")
    await expect(ask(sorted).catch(rethrowEngine)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringMatching(/^the disk is full: Could not write file of what was spilled to disk: /),
    })
    expect(await beside).toEqual([[100000]])
    await expect.poll(spilled).toEqual([])
    expect(await ask('SELECT 2')).toEqual([[2]])
    await engine.close()
    rmSync(join(folder, 'others'))
  },
)
