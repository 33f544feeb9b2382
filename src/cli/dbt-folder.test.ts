import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { dbtFolderText, rememberEnvironment } from './dbt-folder.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dbt-folder-'))
  writeFileSync(join(dir, 'dbt_project.yml'), 'name: Shop-1\nprofile: shop\n')
  vi.stubEnv('HOME', dir)
  vi.stubEnv('DBT_PROFILES_DIR', '')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(dir, { recursive: true })
})

const profiles = (target: string, folder = dir) =>
  writeFileSync(
    join(folder, 'profiles.yml'),
    `shop: {target: "${target}", outputs: {local: {type: duckdb}, test: {type: duckdb}}}\nother: {target: x, outputs: {}}\n`,
  )
const settings = () => JSON.parse(dbtFolderText(dir)) as { environment?: string; environments: object; name: string }

describe('a folder with a dbt project alone', () => {
  test('without a profile it has the usual environments', () => {
    expect(settings()).toEqual({
      name: 'shop_1',
      environments: { dev: 'dev_shop_1', staging: 'staging_shop_1', prod: 'prod_shop_1' },
    })
  })

  test.each([
    ['local', 'local'],
    ['test', 'staging'],
    ["{{ env_var('T', 'local') }}", undefined],
  ])('commands work in the environment of the target %s', (target, environment) => {
    profiles(target)
    expect(settings().environment).toBe(environment)
    expect(Object.keys(settings().environments)).toEqual(['dev', 'staging', 'prod', 'local'])
  })

  test('profiles are found where dbt finds them', () => {
    const elsewhere = mkdtempSync(join(dir, 'profiles-'))
    profiles('local', elsewhere)
    expect(settings().environment).toBeUndefined()
    vi.stubEnv('DBT_PROFILES_DIR', elsewhere)
    expect(settings().environment).toBe('local')
  })

  test('what only a command of dbt was told is known afterwards', () => {
    rememberEnvironment(dir, 'local', { isOwn: true })
    rememberEnvironment(dir, 'nightly', { isOwn: false })
    expect(settings()).toMatchObject({ environment: 'local', environments: { nightly: 'nightly_shop_1' } })
  })
})
