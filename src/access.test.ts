import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { applyAccess, applyAccessAtStart, jwtSettings } from './access.ts'
import { silentLog, type Log } from './base/log.ts'
import { openGovern, systemPrincipal } from './govern/index.ts'
import { openMemoryRecords } from './records/index.ts'

async function world() {
  const dir = await mkdtemp(join(tmpdir(), 'boathouse-access-'))
  const records = await openMemoryRecords()
  const govern = openGovern({ records })
  onTestFinished(async () => {
    await govern.close()
    await records.close()
    await rm(dir, { recursive: true, force: true })
  })
  const logged: string[] = []
  const note = (event: string) => void logged.push(event)
  const log: Log = { ...silentLog, info: note, error: note }
  const write = (text: string) => writeFile(join(dir, 'access.yml'), text)
  const filters = async () => (await govern.access.policy()).rowFilters.map(({ condition }) => condition)
  return { dir, govern, log, logged, write, filters, options: { dir, govern, by: systemPrincipal } }
}

test('a file that is broken or gone changes nothing: what held before holds', async () => {
  const { dir, write, filters, options, log, logged } = await world()
  expect(await applyAccess(options)).toBeUndefined()
  await write('row_filters:\n  - {on: raw.t, where: "x > 1"}')
  await applyAccessAtStart({ ...options, log })
  expect([await filters(), logged]).toEqual([['x > 1'], ['rights changed as access.yml says']])
  await write('row_filters:\n  - {on: raw.t, wehre: "x > 1"}')
  await expect(applyAccess(options)).rejects.toMatchObject({ code: 'PROJECT_INVALID' })
  await applyAccessAtStart({ ...options, log })
  await rm(join(dir, 'access.yml'))
  await applyAccessAtStart({ ...options, log })
  expect([await filters(), logged.at(-1)]).toEqual([
    ['x > 1'],
    'access.yml was not applied; what was applied before holds',
  ])
  await write('')
  expect(await applyAccess({ ...options, dryRun: true })).toMatchObject({ added: [], removed: [expect.any(String)] })
  expect(await filters()).toEqual(['x > 1'])
  await applyAccess(options)
  expect(await filters()).toEqual([])
})

test('keys of an issuer: an address stays one, a file is read', async () => {
  const { dir } = await world()
  const jwt = { issuer: 'i', audience: 'a', name: 'sub', roles: 'r', groups: 'g', attributes: [] }
  const keys = async (more: { jwks?: string; publicKey?: string }) =>
    (await jwtSettings({ jwt: { ...jwt, jwks: undefined, publicKey: undefined, ...more } }))?.keys
  const file = join(dir, 'keys')
  await writeFile(file, 'text')
  expect(await jwtSettings({ jwt: undefined })).toBeUndefined()
  expect(await keys({ jwks: 'https://x/y' })).toEqual({ jwksUrl: 'https://x/y' })
  expect(await keys({ jwks: file })).toEqual({ jwks: 'text' })
  expect(await keys({ publicKey: file })).toEqual({ publicKey: 'text' })
  await expect(keys({ jwks: `${file}.no` })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})
