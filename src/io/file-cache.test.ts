import { fork, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { appendFile, mkdir, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { cachingFileIO } from './caching.ts'
import { openFileCache, type FileCache } from './file-cache.ts'
import type { FileIO } from './file-io.ts'
import { memoryFileIO } from './memory.ts'
import { crashingFileIO } from './wrapped.ts'

const root = mkdtempSync(join(tmpdir(), 'boathouse-cache-'))
afterAll(() => rm(root, { recursive: true }))
const newFolder = () => mkdtempSync(join(root, 'folder-'))
const at = (name: string) => `s3://b/${name}`

/** A store of these files, that counts what is read. */
async function storeOf(files: Record<string, number | string>) {
  const memory = memoryFileIO()
  for (const [name, content] of Object.entries(files))
    await memory.write(at(name), typeof content === 'number' ? Buffer.alloc(content, name) : Buffer.from(content))
  const reads: string[] = []
  const io: FileIO = {
    ...memory,
    read: (path, signal) => (reads.push(path), memory.read(path, signal)),
    readRange: (path, offset, length, signal) => (reads.push(path), memory.readRange(path, offset, length, signal)),
  }
  return { io, memory, reads }
}

async function contentOf(cache: FileCache, name: string): Promise<string> {
  const lease = await cache.lease([{ path: at(name) }])
  try {
    return await readFile(lease.pathOf(at(name)), 'utf8')
  } finally {
    lease.release()
  }
}

/** Everything below the folder of a cache: copies by size, and what stands in the folders of processes. */
async function lookInto(folder: string) {
  const all = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = all.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const copies = files.filter((file) => file.includes('/files/'))
  const sizes = await Promise.all(copies.map(async (file) => (await stat(file)).size))
  return {
    copies,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    leased: files.filter((file) => file.includes('/leases/')),
  }
}

test('fetched once, found afterwards, also by the next process; files of this disk are given as they are', async () => {
  const { io, reads } = await storeOf({ a: 'hello' })
  const folder = newFolder()
  const cache = await openFileCache({ io, folder, bytesMax: 1_000 })
  const lease = await cache.lease([{ path: at('a'), sizeBytes: 5 }, { path: 'file:///x/y' }])
  expect(await readFile(lease.pathOf(at('a')), 'utf8')).toBe('hello')
  expect(lease.pathOf('file:///x/y')).toBe('/x/y')
  expect(() => lease.pathOf(at('b'))).toThrow('not part of this lease')
  lease.release()
  lease.release()
  expect(await contentOf(cache, 'a')).toBe('hello')
  expect(cache.stats()).toEqual({ hits: 1, misses: 1, bytes: 5, files: 1, evictions: 0 })
  await cache.close()
  const next = await openFileCache({ io, folder, bytesMax: 1_000 })
  expect(await contentOf(next, 'a')).toBe('hello')
  expect(next.stats()).toEqual({ hits: 1, misses: 0, bytes: 5, files: 1, evictions: 0 })
  expect(reads).toEqual([at('a')])
})

test('many that ask for one file at once cause one fetch', async () => {
  const { io, reads } = await storeOf({ a: 10, b: 10 })
  const cache = await openFileCache({ io, folder: newFolder(), bytesMax: 1_000 })
  const leases = await Promise.all(
    Array.from({ length: 10 }, () => cache.lease([{ path: at('a') }, { path: at('b') }])),
  )
  expect(reads.toSorted()).toEqual([at('a'), at('b')])
  for (const lease of leases) lease.release()
})

test('a file that was just uploaded is kept and not fetched', async () => {
  const { io, memory, reads } = await storeOf({ full: 90 })
  const folder = newFolder()
  const localFile = join(newFolder(), 'written')
  await writeFile(localFile, 'hello')
  const cache = await openFileCache({ io, folder, bytesMax: 100 })
  await memory.upload(at('a'), localFile)
  await cache.keep(at('a'), localFile)
  await rm(localFile)
  expect(await contentOf(cache, 'a')).toBe('hello')
  expect(reads).toEqual([])
  await contentOf(cache, 'full')
  await writeFile(localFile, 'too much for what is left')
  await cache.keep(at('b'), localFile)
  expect(cache.stats()).toMatchObject({ files: 2, bytes: 95 })
  expect((await lookInto(folder)).leased).toEqual([])
})

const size = 20 * 2 ** 20
test('a large file comes in ranges and is whole', async () => {
  const { io, memory, reads } = await storeOf({})
  await memory.write(at('big'), randomBytes(size))
  const cache = await openFileCache({ io, folder: newFolder(), bytesMax: 2 * size })
  const lease = await cache.lease([{ path: at('big') }])
  expect(Buffer.compare(await readFile(lease.pathOf(at('big'))), memory.files.get(at('big'))!)).toBe(0)
  expect(reads).toHaveLength(3)
  lease.release()
})

test.each<[string, (copy: string) => Promise<void>]>([
  ['truncated', (copy) => truncate(copy, 2)],
  ['grown', (copy) => appendFile(copy, 'x')],
  ['overwritten', (copy) => writeFile(copy, 'jello')],
  ['emptied', (copy) => truncate(copy, 0)],
])('a copy that was %s is fetched again, by this process and by the next', async (_, damage) => {
  const { io, reads } = await storeOf({ a: 'hello' })
  const folder = newFolder()
  let cache = await openFileCache({ io, folder, bytesMax: 1_000 })
  expect(await contentOf(cache, 'a')).toBe('hello')
  for (const reopened of [false, true]) {
    if (reopened) cache = await openFileCache({ io, folder, bytesMax: 1_000 })
    const [copy] = (await lookInto(folder)).copies
    await damage(copy!)
    // As after a crash of the machine: the time says nothing either.
    if (reopened) await utimes(copy!, 0, 0)
    expect(await contentOf(cache, 'a')).toBe('hello')
  }
  expect(reads).toHaveLength(3)
  expect((await lookInto(folder)).bytes).toBe(5)
})

test('several that share a folder stay within its bound together', async () => {
  const sizes = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`f${index}`, 10 + (index % 7)]))
  const { io } = await storeOf(sizes)
  const folder = newFolder()
  const caches = await Promise.all([1, 2, 3].map(() => openFileCache({ io, folder, bytesMax: 200 })))
  for (const [index, name] of Object.keys(sizes).entries()) {
    await contentOf(caches[index % 3]!, name)
    expect((await lookInto(folder)).bytes).toBeLessThanOrEqual(200)
  }
})

test('what is used least recently goes first, and nothing that is in use', async () => {
  const { io, reads } = await storeOf({ a: 30, b: 30, c: 30, d: 30 })
  const folder = newFolder()
  const cache = await openFileCache({ io, folder, bytesMax: 100 })
  const held = await cache.lease([{ path: at('a') }])
  for (const name of ['b', 'c', 'b', 'd']) {
    await contentOf(cache, name)
    await new Promise((resolve) => setTimeout(resolve, 10)) // so that the times of use differ
  }
  expect(cache.stats()).toMatchObject({ evictions: 1, bytes: 90 })
  expect(await readFile(held.pathOf(at('a')), 'utf8')).toBe('a'.repeat(30))
  held.release()
  reads.length = 0
  for (const name of ['a', 'b', 'd']) await contentOf(cache, name)
  expect(reads).toEqual([]) // c had to go
})

test('a lease waits for room and gets it; more than fits is refused', async () => {
  const { io } = await storeOf({ a: 60, b: 60, c: 101 })
  const cache = await openFileCache({ io, folder: newFolder(), bytesMax: 100 })
  const first = await cache.lease([{ path: at('a') }])
  const again = await cache.lease([{ path: at('a') }]) // the same file needs no more room
  const second = cache.lease([{ path: at('b') }])
  const given = new AbortController()
  const leaving = cache.lease([{ path: at('b') }], given.signal)
  given.abort()
  await expect(leaving).rejects.toMatchObject({ name: 'AbortError' })
  first.release()
  again.release()
  expect(await readFile((await second).pathOf(at('b')), 'utf8')).toBe('b'.repeat(60))
  await expect(cache.lease([{ path: at('c') }])).rejects.toMatchObject({ code: 'QUERY_TOO_LARGE' })
})

test.each([
  ['a file that is not there', { path: at('none') }, 'NOT_FOUND'],
  ['a file that vanished', { path: at('none'), sizeBytes: 3 }, 'NOT_FOUND'],
  ['another size than announced', { path: at('a'), sizeBytes: 3 }, 'STORAGE_FAILED'],
])('%s is a failure that leaves nothing', async (_, file, code) => {
  const { io } = await storeOf({ a: 'hello', b: 'b' })
  const folder = newFolder()
  const cache = await openFileCache({ io, folder, bytesMax: 1_000 })
  await expect(cache.lease([{ path: at('b') }, file])).rejects.toMatchObject({ code })
  await expect.poll(async () => (await lookInto(folder)).leased).toEqual([])
  expect(await contentOf(cache, 'b')).toBe('b')
})

test('a fetch that breaks off leaves nothing, at whichever step', async () => {
  const { memory } = await storeOf({ a: size })
  for (let step = 0; step <= 3; step++) {
    const folder = newFolder()
    const io = crashingFileIO(memory, { step, when: 'before', fault: 'ECONNRESET' })
    const cache = await openFileCache({ io, folder, bytesMax: 2 * size })
    await expect(cache.lease([{ path: at('a') }])).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
    expect(await lookInto(folder)).toEqual({ copies: [], bytes: 0, leased: [] })
    const lease = await cache.lease([{ path: at('a') }])
    expect((await stat(lease.pathOf(at('a')))).size).toBe(size)
    await cache.close()
  }
})

test('one that leaves does not take the fetch from the others; the last one does', async () => {
  const { memory } = await storeOf({ a: 'hello' })
  const gate = Promise.withResolvers<void>()
  let seen: AbortSignal | undefined
  const io: FileIO = {
    ...memory,
    read: async (path, signal) => {
      seen = signal
      await Promise.race([gate.promise, signal && once(signal, 'abort')])
      return memory.read(path, signal)
    },
  }
  const folder = newFolder()
  const cache = await openFileCache({ io, folder, bytesMax: 1_000 })
  const leave = new AbortController()
  const [leaver, stayer] = [cache.lease([{ path: at('a') }], leave.signal), cache.lease([{ path: at('a') }])]
  await expect.poll(() => seen).toBeDefined()
  leave.abort()
  await expect(leaver).rejects.toMatchObject({ name: 'AbortError' })
  expect(seen?.aborted).toBe(false)
  gate.resolve()
  expect(await readFile((await stayer).pathOf(at('a')), 'utf8')).toBe('hello')
  ;(await stayer).release()

  const alone = new AbortController()
  await memory.write(at('b'), Buffer.from('b'))
  seen = undefined
  const stuck: FileIO = {
    ...io,
    read: (_, signal) => ((seen = signal), once(signal!, 'abort').then(() => undefined)),
  }
  const other = await openFileCache({ io: stuck, folder, bytesMax: 1_000 })
  const only = other.lease([{ path: at('b') }], alone.signal)
  await expect.poll(() => seen).toBeDefined()
  alone.abort()
  await expect(only).rejects.toMatchObject({ name: 'AbortError' })
  expect(seen).toMatchObject({ aborted: true })
  await expect.poll(async () => (await lookInto(folder)).leased).toEqual([])
})

// Any leases and releases in any order: what is leased can be read and is right, and the folder stays within its bound.
test('files in use are never evicted', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          names: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 }),
          keep: fc.nat(3),
        }),
        {
          maxLength: 25,
        },
      ),
      async (steps) => {
        const { io } = await storeOf(Object.fromEntries(Array.from({ length: 13 }, (_, index) => [`f${index}`, index])))
        const folder = newFolder()
        const cache = await openFileCache({ io, folder, bytesMax: 50 })
        const kept: { names: number[]; lease: Awaited<ReturnType<FileCache['lease']>> }[] = []
        for (const { names, keep } of steps) {
          while (
            kept.length > 0 &&
            kept
              .flatMap((one) => one.names)
              .concat(names)
              .reduce((a, b) => a + b, 0) > 50
          )
            kept.shift()!.lease.release()
          const lease = await cache.lease(names.map((name) => ({ path: at(`f${name}`) })))
          if (keep === 0) lease.release()
          else kept.push({ names, lease })
          for (const one of kept)
            for (const name of one.names)
              expect(await readFile(one.lease.pathOf(at(`f${name}`)), 'utf8')).toBe(
                `f${name}`.repeat(name).slice(0, name),
              )
          expect((await lookInto(folder)).bytes).toBeLessThanOrEqual(50)
        }
        await cache.close()
      },
    ),
    { numRuns: 25 },
  ))

test('processes share one folder, and one that is killed leaves nothing that lasts', async () => {
  const [store, folder] = [newFolder(), newFolder()]
  for (let index = 0; index < 30; index++) {
    const content = randomBytes(1_000 + index * 500)
    await writeFile(join(store, createHash('sha256').update(content).digest('hex')), content)
  }
  const bytesMax = 100_000 // of 247,500 in the store
  const start = (seed: number, rounds: number) =>
    fork(
      join(import.meta.dirname, '../../test/support/cache-process.ts'),
      [store, folder, `${bytesMax}`, `${rounds}`, `${seed}`],
      {
        silent: true,
      },
    )
  const outputOf = (child: ChildProcess) => {
    const seen = { out: '', error: '' }
    child.stdout!.on('data', (chunk: Buffer) => (seen.out += chunk.toString()))
    child.stderr!.on('data', (chunk: Buffer) => (seen.error += chunk.toString()))
    return seen
  }
  const [first, second, victim] = [start(1, 60), start(2, 60), start(3, 1_000_000)] as const
  const outputs = [outputOf(first), outputOf(second)] as const
  await once(victim.stdout!, 'data')
  await new Promise((resolve) => setTimeout(resolve, 150))
  victim.kill('SIGKILL')
  const codes = await Promise.all([first, second].map(async (child) => (await once(child, 'exit'))[0] as number))
  expect(outputs.map(({ error }) => error.replace(/.*ExperimentalWarning[^]*?\n.*\n/, ''))).toEqual(['', ''])
  expect(codes).toEqual([0, 0])
  const stats = JSON.parse(outputs[0].out.split('\n')[1]!) as Record<string, number>
  expect(stats['hits']).toBeGreaterThan(0)
  expect(stats['evictions']).toBeGreaterThan(0)
  const last = await openFileCache({ io: memoryFileIO(), folder, bytesMax })
  const found = await lookInto(folder)
  expect(found.leased).toEqual([])
  expect(found.bytes).toBeLessThan(2 * bytesMax) // each process alone keeps the bound
  await last.close()
})

test('leases from elsewhere count until they were silent for long', async () => {
  const folder = newFolder()
  const [living, silent] = ['elsewhere.1.1.a', 'elsewhere.2.1.b'].map((name) => join(folder, 'leases', name))
  for (const path of [living!, silent!]) await mkdir(path, { recursive: true })
  await utimes(silent!, new Date(), new Date(Date.now() - 3_600_000))
  await openFileCache({ io: memoryFileIO(), folder, bytesMax: 1 })
  const left = await readdir(join(folder, 'leases'))
  expect(left).toContain('elsewhere.1.1.a')
  expect(left).not.toContain('elsewhere.2.1.b')
})

test('metadata and manifests are read from the store once, without asking for their size again', async () => {
  const [manifest, metadata] = [`${randomUUID()}-m0.avro`, `00001-${randomUUID()}.metadata.json`]
  const { io, memory, reads } = await storeOf({ [manifest]: 'manifest', [metadata]: '{}', 'v1.metadata.json': '1' })
  const asked: string[] = []
  const counting: FileIO = { ...io, stat: (path, signal) => (asked.push(path), memory.stat(path, signal)) }
  const folder = newFolder()
  for (const process of [1, 2]) {
    const cache = await openFileCache({ io: counting, folder, bytesMax: 1_000 })
    const cached = cachingFileIO({ io: counting, cache })
    const textOf = async (name: string) => Buffer.from((await cached.read(at(name))) ?? []).toString()
    expect(await Promise.all([manifest, metadata, 'v1.metadata.json'].map(textOf))).toEqual(['manifest', '{}', '1'])
    expect(Buffer.from((await cached.readRange(at(manifest), 2, 3))!).toString()).toBe('nif')
    expect(Buffer.from((await cached.readRange(at(manifest), 6, 30))!).toString()).toBe('st')
    expect(await cached.read(at(`none-${manifest}`))).toBeUndefined()
    expect(cache.stats().misses).toBe(process === 1 ? 2 : 0)
    await cache.close()
  }
  expect(reads.toSorted()).toEqual([manifest, metadata, 'v1.metadata.json', 'v1.metadata.json'].map(at).sort())
  expect(asked.filter((path) => path !== at(`none-${manifest}`))).toHaveLength(2)
})
