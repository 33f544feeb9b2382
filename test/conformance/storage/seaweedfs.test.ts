// FileIO against a real store. SeaweedFS checks signatures, ignores `If-None-Match` and pages as S3 does.

import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { s3FileIO, type S3Options } from '../../../src/io/index.ts'
import { labServices } from './lab.ts'

const env = await labServices('seaweedfs')
const bytes = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes)

describe.skipIf(!env)('SeaweedFS (skipped without the lab of services)', () => {
  const open = (options: Partial<S3Options> = {}) =>
    s3FileIO({
      endpoint: env!['LAB_S3_ENDPOINT'],
      region: env!['AWS_REGION'],
      credentials: async () => ({
        accessKeyId: env!['AWS_ACCESS_KEY_ID']!,
        secretAccessKey: env!['AWS_SECRET_ACCESS_KEY']!,
      }),
      ...options,
    })
  const base = `s3://${env?.['LAB_S3_BUCKET']}/storage-test/${randomUUID()}`

  test('what was created is read and not created again', async () => {
    const io = open()
    const path = `${base}/deep/er/a=1%2F2/ü (1) 'x'+y.bin`
    expect(await io.read(path)).toBeUndefined()
    expect(await io.readRange(path, 0, 1)).toBeUndefined()
    expect(await io.stat(path)).toBeUndefined()
    expect(await io.create(path, bytes('hello'))).toBe(true)
    expect(await io.create(path, bytes('other'))).toBe(false)
    expect(text(await io.read(path))).toBe('hello')
    expect(text(await io.readRange(path, 1, 3))).toBe('ell')
    expect(text(await io.readRange(path, 3, 30))).toBe('lo')
    expect(text(await io.readRange(path, 30, 3))).toBe('')
    expect(await io.stat(path)).toMatchObject({ path, sizeBytes: 5 })
    await io.write(path, bytes('replaced'))
    expect(text(await io.read(path))).toBe('replaced')
    expect(await Array.fromAsync(io.list(`${base}/deep`), (file) => file.path)).toEqual([path])
    expect(await io.delete(path)).toBe(true)
    expect(await io.delete(path)).toBe(false)
    expect(await io.read(path)).toBeUndefined()
  })

  test('lists 2,500 objects in pages and deletes them in batches', async () => {
    const io = open()
    const names = Array.from({ length: 2_500 }, (_, index) => `${base}/many/${index % 7}/f ${index}+&<.txt`)
    for (let at = 0; at < names.length; at += 50)
      await Promise.all(names.slice(at, at + 50).map((name) => io.write(name, bytes(name))))
    await io.write(`${base}/many-not/x`, bytes('x'))
    expect((await Array.fromAsync(io.list(`${base}/many`), ({ path }) => path)).sort()).toEqual(names.toSorted())
    await io.deleteAll(names)
    expect(await Array.fromAsync(io.list(`${base}/many`))).toEqual([])
    expect(await io.stat(`${base}/many-not/x`)).toBeDefined()
  })

  test('a large file goes up in parts and comes down in ranges', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'boathouse-storage-'))
    const content = Buffer.alloc(23 * 2 ** 20, randomUUID())
    await writeFile(join(folder, 'big'), content)
    const io = open({ partBytes: 5 * 2 ** 20 })
    expect(await io.upload(`${base}/big`, join(folder, 'big'))).toBe(true)
    expect(await io.upload(`${base}/big`, join(folder, 'big'))).toBe(false)
    expect((await io.stat(`${base}/big`))?.sizeBytes).toBe(content.length)
    expect(Buffer.compare((await io.read(`${base}/big`))!, content)).toBe(0)
    const range = await io.readRange(`${base}/big`, 10_000_000, 1_000_000)
    expect(Buffer.compare(range!, content.subarray(10_000_000, 11_000_000))).toBe(0)
    await rm(folder, { recursive: true })
  })

  test('what the store refuses is said in its words, and without the key', async () => {
    const wrong = async () => ({ accessKeyId: env!['AWS_ACCESS_KEY_ID']!, secretAccessKey: 'wrong-secret' })
    await expect(open({ credentials: wrong }).read(`${base}/x`)).rejects.toThrow('SignatureDoesNotMatch')
    const stranger = async () => ({ accessKeyId: 'nobody', secretAccessKey: 'wrong-secret' })
    await expect(open({ credentials: stranger }).read(`${base}/x`)).rejects.toThrow('InvalidAccessKeyId')
    await expect(Array.fromAsync(open().list('s3://no-such-bucket-here/x'))).rejects.toThrow('NoSuchBucket')
  })
})
