import { mkdtempSync } from 'node:fs'
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import {
  crashingFileIO,
  fileLocation,
  isInFolder,
  joinLocation,
  localFileIO,
  localPath,
  mappedFileIO,
  memoryFileIO,
  scheduledFileIO,
  storageFor,
} from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'boathouse-io-'))
afterAll(() => rm(folder, { recursive: true }))

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes)

test.each([
  ['/a/b c', '/a/b c'],
  ['file:///a/b', '/a/b'],
  ['file:/a/b', '/a/b'],
  ['file://localhost/a', '/a'],
  ['file:///a%20b/#1?x=ü', '/a%20b/#1?x=ü'], // as they stand: partition folders contain percent signs
])('%s is the file %s', (location, path) => expect(localPath(location)).toBe(path))

test.each(['s3://bucket/a', 'a/b', 'file://host/a', ''])('"%s" is no local file', (location) =>
  expect(() => localPath(location)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' })),
)

test.each([
  ['/lake/t/a', true],
  ['///lake//t/a', true], // as Java's programs put locations together
  ['file:/lake/t/a', true],
  ['/lake/tt/a', false],
  ['/lake/t/../a', false],
])('whether %s is in the folder file:///lake/t', (location, is) =>
  expect(isInFolder(location, 'file:///lake/t')).toBe(is),
)

test('locations join', () => {
  expect(joinLocation('file:///lake/t/', 'data', 'a')).toBe('file:///lake/t/data/a')
  expect(fileLocation('/lake')).toBe('file:///lake')
})

describe.each([
  ['local', () => ({ io: localFileIO({ root: folder }), base: mkdtempSync(join(folder, 'local-')) })],
  ['local without sync', () => ({ io: localFileIO({ sync: false }), base: mkdtempSync(join(folder, 'local-')) })],
  ['memory', () => ({ io: memoryFileIO({ now: () => 5 }), base: '/base' })],
  ['mapped', () => ({ io: mappedFileIO(memoryFileIO(), { from: '/base', to: '/else/where' }), base: '/base' })],
])('%s', (_, make) => {
  test('what was created is read, in both spellings, and not created again', async () => {
    const { io, base } = make()
    const path = `${base}/deep/er/a=1%2F2/ü.bin`
    expect(await io.read(path)).toBeUndefined()
    expect(await io.readRange(path, 0, 1)).toBeUndefined()
    expect(await io.stat(path)).toBeUndefined()
    expect(await io.create(path, bytes('hello'))).toBe(true)
    expect(await io.create(path, bytes('other'))).toBe(false)
    expect(text(await io.read(path))).toBe('hello')
    expect(text(await io.readRange(path, 1, 3))).toBe('ell')
    expect(text(await io.readRange(path, 3, 30))).toBe('lo')
    expect(await io.stat(path)).toMatchObject({ path, sizeBytes: 5 })
    await io.write(path, bytes('replaced'))
    expect(text(await io.read(path))).toBe('replaced')
    expect(await io.delete(path)).toBe(true)
    expect(await io.delete(path)).toBe(false)
    expect(await io.read(path)).toBeUndefined()
  })

  test('lists every file below a folder, and only those', async () => {
    const { io, base } = make()
    for (const name of ['t/a', 't/b/c', 't/b/d/e', 'tt/f']) await io.create(`${base}/${name}`, bytes(name))
    const names = async (prefix: string) => (await Array.fromAsync(io.list(prefix), ({ path }) => path)).sort()
    expect(await names(`${base}/t`)).toEqual([`${base}/t/a`, `${base}/t/b/c`, `${base}/t/b/d/e`])
    expect(await names(`${base}/t/`)).toEqual([`${base}/t/a`, `${base}/t/b/c`, `${base}/t/b/d/e`])
    expect(await names(`${base}/none`)).toEqual([])
  })

  test('exactly one of many creators wins', async () => {
    const { io, base } = make()
    const all = await Promise.all(Array.from({ length: 20 }, (_, index) => io.create(`${base}/one`, bytes(`${index}`))))
    expect(all.filter(Boolean)).toHaveLength(1)
    expect(text(await io.read(`${base}/one`))).toBe(`${all.indexOf(true)}`)
  })

  test('a local file goes up once, and many are deleted at once', async () => {
    const { io, base } = make()
    const localFile = join(mkdtempSync(join(folder, 'up-')), 'local')
    await writeFile(localFile, 'content')
    expect(await io.upload(`${base}/new/x`, localFile)).toBe(true)
    expect(await io.upload(`${base}/new/x`, localFile)).toBe(false)
    await rm(localFile)
    expect(text(await io.read(`${base}/new/x`))).toBe('content')
    expect(await Array.fromAsync(io.list(base), ({ path }) => path)).toEqual([`${base}/new/x`])
    await io.deleteAll([`${base}/none`, `${base}/new/x`])
    expect(await io.stat(`${base}/new/x`)).toBeUndefined()
  })

  test('an aborted signal stops it', async () => {
    const { io, base } = make()
    await expect(io.create(`${base}/x`, bytes('x'), AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' })
    expect(await io.read(`${base}/x`)).toBeUndefined()
  })
})

test('both spellings are one file', async () => {
  for (const [io, base] of [
    [localFileIO(), mkdtempSync(join(folder, 'x-'))],
    [memoryFileIO(), '/m'],
  ] as const) {
    await io.create(fileLocation(`${base}/a`), bytes('a'))
    expect(text(await io.read(`${base}/a`))).toBe('a')
    expect(await Array.fromAsync(io.list(fileLocation(base)), ({ path }) => path)).toEqual([fileLocation(`${base}/a`)])
  }
})

test('a local write leaves nothing beside the file', async () => {
  const base = mkdtempSync(join(folder, 'clean-'))
  const io = localFileIO()
  await io.create(`${base}/a`, bytes('a'))
  await io.create(`${base}/a`, bytes('a'))
  await io.write(`${base}/a`, bytes('b'))
  expect(await readdir(base)).toEqual(['a'])
})

test('failures name the path below the root, and the cause', async () => {
  const base = mkdtempSync(join(folder, 'fail-'))
  await mkdir(`${base}/sub/dir`, { recursive: true })
  await writeFile(`${base}/sub/file`, '')
  const io = localFileIO({ root: base })
  await expect(io.read(`${base}/sub/dir`)).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    message: 'cannot read "sub/dir": it is a folder (EISDIR)',
  })
  await expect(io.create(`${base}/sub/file/x`, bytes(''))).rejects.toThrow(
    'cannot create "sub/file/x": a part of the path is a file (ENOTDIR)',
  )
  if (process.getuid?.() === 0) return // root may write everywhere
  await chmod(`${base}/sub`, 0o500)
  await expect(io.create(`${base}/sub/y`, bytes(''))).rejects.toThrow('permission denied')
})

test('crashing stops the world at its step', async () => {
  const disk = memoryFileIO()
  const before = crashingFileIO(disk, { step: 1, when: 'before' })
  expect(await before.create('/a', bytes('a'))).toBe(true)
  await expect(before.create('/b', bytes('b'))).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
  await expect(before.read('/a')).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
  expect(before.steps).toBe(3)
  const after = crashingFileIO(disk, { step: 0, when: 'after' })
  await expect(after.create('/c', bytes('c'))).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
  const full = crashingFileIO(disk, { step: 0, when: 'before', fault: 'ENOSPC' })
  await expect(full.create('/d', bytes('d'))).rejects.toThrow('cannot create "/d": the disk is full (ENOSPC)')
  expect(await full.create('/d', bytes('d'))).toBe(true)
  const cut = crashingFileIO(disk, { step: 0, when: 'after', fault: 'ECONNRESET' })
  await expect(cut.create('/e', bytes('e'))).rejects.toThrow('cannot create "/e": the connection broke (ECONNRESET)')
  expect(await cut.create('/e', bytes('e'))).toBe(false)
  const busy = crashingFileIO(disk, { step: 0, when: 'before', fault: '503' })
  await expect(busy.read('/e')).rejects.toThrow('cannot read "/e": the store is busy (503)')
  const slow = crashingFileIO(disk, { step: 0, when: 'before', fault: 'slow', slowMs: 1 })
  expect(text(await slow.read('/d'))).toBe('d')
  expect([...disk.files.keys()]).toEqual(['/a', '/c', '/d', '/e'])
})

test('each location goes to the storage of its scheme', async () => {
  const [file, s3] = [memoryFileIO(), memoryFileIO()]
  const io = storageFor({ file, s3 })
  for (const path of ['/a', 'file:///b', 's3://b/c', 's3a://b/d']) await io.create(path, bytes(path))
  expect([...file.files.keys()]).toEqual(['/a', '/b'])
  expect([...s3.files.keys()]).toEqual(['s3://b/c', 's3a://b/d'])
  await io.deleteAll(['/a', 's3://b/c', '/b'])
  expect([...file.files.keys(), ...s3.files.keys()]).toEqual(['s3a://b/d'])
  await expect(io.read('gs://b/c')).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  await expect(storageFor({ file }).create('s3://b/c', bytes(''))).rejects.toThrow(
    'no storage is set up for "s3://b/c"',
  )
})

test('in every order of two creators one wins', () =>
  fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const io = scheduledFileIO(memoryFileIO(), scheduler)
      const both = await scheduler.waitFor(Promise.all([io.create('/a', bytes('1')), io.create('/a', bytes('2'))]))
      expect(both.filter(Boolean)).toHaveLength(1)
    }),
    { numRuns: 20 },
  ))
