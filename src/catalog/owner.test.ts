import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fileLocation, localFileIO, memoryFileIO } from '../io/index.ts'
import { claimLake } from './owner.ts'

let dir: string
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'owner-'))))
afterAll(() => rmSync(dir, { recursive: true }))

const claim = (folder: string, store = 'one') => claimLake(localFileIO(), fileLocation(join(dir, folder)), store)

test('a lake has one records store', async () => {
  mkdirSync(join(dir, 'own'))
  await claim('own')
  await claim('own')
  await expect(claim('own', 'two')).rejects.toMatchObject({ code: 'OWNER_MISMATCH' })
})

test('a lake that was moved or copied is told, unless a link leads from where it was', async () => {
  mkdirSync(join(dir, 'first'))
  await claim('first')
  cpSync(join(dir, 'first'), join(dir, 'copy'), { recursive: true })
  await expect(claim('copy')).rejects.toMatchObject({ code: 'LAKE_MOVED', message: expect.stringContaining('/first,') })
  await claim('first')
  renameSync(join(dir, 'first'), join(dir, 'moved'))
  await expect(claim('moved')).rejects.toMatchObject({ code: 'LAKE_MOVED' })
  symlinkSync(join(dir, 'moved'), join(dir, 'first'))
  await claim('moved')
  await claim('first')
})

test('a marker that does not say where the lake was made is enough', async () => {
  const io = memoryFileIO()
  await io.create('s3://bucket/lake/.boathouse-owner.json', Buffer.from('{"store": "one"}'))
  await claimLake(io, 's3://bucket/lake', 'one')
})
