// The cache on a disk that is full: a small file system of its own, which only root may make.

import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { memoryFileIO, openFileCache } from '../../../src/io/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'boathouse-full-'))
const mounted = (() => {
  try {
    execFileSync('sh', ['-c', 'mount -t tmpfs -o size=4m tmpfs "$0"', folder], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()
afterAll(() => void (mounted && execFileSync('sh', ['-c', 'umount "$0"', folder])))

test.skipIf(!mounted)('a full disk is one clear failure that leaves nothing (skipped: mount not allowed)', async () => {
  const io = memoryFileIO()
  await io.write('s3://b/big', Buffer.alloc(20 * 2 ** 20, 'x'))
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
