// Rights in the records, on both stores: who may give and take them, and that every change is seen at once by all.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../test/support/postgres.ts'
import { openMemoryRecords, openRecords, type Records } from '../records/index.ts'
import { decide, limitsOf, type Govern, openGovern, type Principal, systemPrincipal } from './index.ts'
import type { AccessFile, GrantRequest } from './access.ts'

const environments = [{ name: 'dev', catalog: 'dev_analytics' }]
const table = { catalog: 'dev_analytics', namespace: 'raw', name: 'orders' }
const orders = { environment: 'dev', namespace: 'raw', table: 'orders' }
const by = { by: systemPrincipal, source: 'sql' as const }
const nothing: AccessFile = { roles: [], groups: [], attributes: [], grants: [], rowFilters: [], masks: [] }

let postgres: TestPostgres
let records: Records
let [govern, other]: Govern[] = []
let [ana, bob]: Principal[] = []
let schemas = 0
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres?.stop())

const refused = (code: string) => expect.objectContaining({ code })
const may = async (who: Principal, action: 'select' | 'insert' | 'drop' = 'select', where = table) =>
  decide(await other!.access.policy(), who, action, where).verdict === 'allowed'

describe.each(['sqlite', 'postgres'] as const)('on %s', (kind) => {
  beforeEach(async () => {
    records =
      kind === 'sqlite'
        ? await openMemoryRecords()
        : await openRecords({ stateDir: '', records: { url: postgres.url, schema: `access_${++schemas}` } })
    govern = openGovern({ records, environments })
    // As in another process: with a memory of its own.
    other = openGovern({ records, environments })
    ;[ana, bob] = await Promise.all(
      ['ana', 'bob'].map(async (name): Promise<Principal> => {
        const { id } = await govern!.users.create({ name, role: 'member' })
        return { id, name, role: 'member' }
      }),
    )
  })
  afterEach(async () => {
    await govern!.close()
    await other!.close()
    await records.close()
  })

  test('a grant and a revoke count at the next question, in every process', async () => {
    const { access } = govern!
    expect(await may(ana!)).toBe(false)
    const request: GrantRequest = { privileges: ['select'], on: orders, to: ['ana'] }
    expect(await access.grant(request, by)).toEqual({ changed: true })
    expect(await access.grant(request, by)).toEqual({ changed: false })
    expect([await may(ana!), await may(bob!), await may(ana!, 'drop')]).toEqual([true, false, false])
    expect(await access.revoke(request, by)).toEqual({ changed: true, inFile: false })
    expect(await access.revoke(request, by)).toEqual({ changed: false, inFile: false })
    expect(await may(ana!)).toBe(false)
  })

  test('what is a part of a grant is taken away from it, and the rest stays', async () => {
    const { access } = govern!
    const to = ['ana']
    const listed = async () =>
      (await access.list(by.by, { of: 'ana' })).map(({ privilege, columns }) => [privilege, ...(columns ?? [])]).sort()
    await access.grant({ privileges: ['select'], columns: ['id', 'email', 'name'], on: orders, to }, by)
    expect(await access.revoke({ privileges: ['select'], columns: ['email'], on: orders, to }, by)).toMatchObject({
      changed: true,
    })
    expect(await listed()).toEqual([['select', 'id', 'name']])
    expect(await access.revoke({ privileges: ['select'], columns: ['email'], on: orders, to }, by)).toMatchObject({
      changed: false,
    })
    await access.revoke({ privileges: ['select'], columns: ['id', 'name'], on: orders, to }, by)
    expect(await listed()).toEqual([])
    await access.grant({ privileges: ['all'], on: orders, to }, by)
    await expect(access.revoke({ privileges: ['select'], columns: ['email'], on: orders, to }, by)).rejects.toThrow(
      /may select all columns there, by a grant of all/,
    )
    await access.revoke({ privileges: ['write'], on: orders, to }, by)
    expect([await may(ana!), await may(ana!, 'insert'), await may(ana!, 'drop')]).toEqual([true, false, true])
    await access.revoke({ privileges: ['select', 'drop'], on: orders, to }, by)
    expect(await listed()).toEqual([['alter'], ['create'], ['maintain']])
    await access.revoke({ privileges: ['all'], on: orders, to }, by)
    await access.grant({ privileges: ['write', 'insert'], on: orders, to }, by)
    await access.revoke({ privileges: ['insert'], on: orders, to }, by)
    expect(await listed()).toEqual([['delete'], ['update']])
  })

  test('so do users, roles and forks', async () => {
    const { access, users } = govern!
    await access.createRole('analyst', by)
    await access.grant({ privileges: ['select'], on: orders, to: ['analyst'] }, by)
    await access.grantRole('analyst', ['ana'], by)
    expect([await may(ana!), await may(ana!, 'select', { ...table, catalog: 'fork_x' })]).toEqual([true, false])
    await records.catalog
      .insertInto('forks')
      .values({
        catalog: 'fork_x',
        environment: 'x',
        origin: 'dev_analytics',
        created_at: '2026-01-01',
        created_by: 'a',
      })
      .execute()
    expect(await may(ana!, 'select', { ...table, catalog: 'fork_x' })).toBe(true)
    await users.change(ana!.id, { disabled: true })
    expect(await may(ana!)).toBe(false)
    await users.change(ana!.id, { disabled: false })
    await access.revokeRole('analyst', ['ana'], by)
    expect(await may(ana!)).toBe(false)
    await access.grantRole('analyst', ['ana', 'bob'], by)
    await access.dropRole('analyst', by)
    expect([await may(ana!), await may(bob!), await access.list(systemPrincipal)]).toEqual([false, false, []])
    await access.createRole('analyst', by)
    expect([await may(ana!), await access.roles(systemPrincipal)]).toEqual([
      false,
      [{ role: 'analyst', source: 'sql', members: [] }],
    ])
  })

  test('who may manage passes on what they hold there, and no more', async () => {
    const { access } = govern!
    const mine = { by: ana!, source: 'sql' as const }
    const give = (more: Partial<GrantRequest>) =>
      access.grant({ privileges: ['select'], on: orders, to: ['bob'], ...more }, mine)
    await expect(give({})).rejects.toThrow(refused('FORBIDDEN'))
    await access.grant({ privileges: ['select'], on: orders, to: ['ana'] }, by)
    await expect(give({})).rejects.toThrow(refused('FORBIDDEN'))
    await access.grant({ privileges: ['manage'], on: orders, to: ['ana'] }, by)
    await give({})
    await give({ columns: ['id'] })
    expect(await may(bob!)).toBe(true)
    for (const more of [
      { privileges: ['insert' as const] },
      { privileges: ['all' as const] },
      { privileges: ['manage' as const, 'drop' as const] },
      { on: { ...orders, table: '*' } },
      { on: { ...orders, environment: '*' } },
      { on: {} },
    ])
      await expect(give(more)).rejects.toThrow(refused('FORBIDDEN'))
    await expect(access.createRole('x', mine)).rejects.toThrow(refused('FORBIDDEN'))
    await access.createRole('x', by)
    await expect(access.grantRole('x', ['ana'], mine)).rejects.toThrow(refused('FORBIDDEN'))
    await expect(access.dropRole('x', mine)).rejects.toThrow(refused('FORBIDDEN'))
    await expect(access.apply(nothing, mine)).rejects.toThrow(refused('FORBIDDEN'))
    expect((await access.list(ana!)).map(({ to }) => to.name)).toEqual(['ana', 'ana'])
    expect(await access.roles(ana!)).toEqual([])
  })

  test('mistakes are told', async () => {
    const { access } = govern!
    const give = (more: object) => access.grant({ privileges: ['select'], on: orders, to: ['ana'], ...more }, by)
    await expect(give({ to: ['anna'] })).rejects.toThrow(/no role, user or group anna; did you mean "ana"/)
    await expect(give({ to: ['role:ana'] })).rejects.toThrow(refused('NOT_FOUND'))
    await expect(give({ privileges: ['selct'] })).rejects.toThrow(/did you mean "select"/)
    await expect(give({ privileges: [] })).rejects.toThrow(refused('REQUEST_INVALID'))
    await expect(give({ columns: ['a'], privileges: ['insert'] })).rejects.toThrow(refused('REQUEST_INVALID'))
    await expect(give({ columns: ['a'], on: { namespace: 'raw' } })).rejects.toThrow(refused('REQUEST_INVALID'))
    await expect(give({ columns: ['a,b'] })).rejects.toThrow(refused('REQUEST_INVALID'))
    for (const role of ['admin', 'PUBLIC', 'a b', '', `'; drop`])
      await expect(access.createRole(role, by)).rejects.toThrow(refused('REQUEST_INVALID'))
    await access.createRole('a', by)
    await access.createRole('b', by)
    await expect(access.createRole('A', by)).rejects.toThrow(refused('ALREADY_EXISTS'))
    await access.grantRole('a', ['role:b'], by)
    await expect(access.grantRole('b', ['role:a'], by)).rejects.toThrow(/circle/)
    await expect(access.grantRole('a', ['role:a'], by)).rejects.toThrow(/circle/)
    await expect(access.grantRole('none', ['ana'], by)).rejects.toThrow(refused('NOT_FOUND'))
  })

  test('the file stands for itself: applied again nothing is different, changed it takes back, and leaves what came by SQL', async () => {
    const { access } = govern!
    const file: AccessFile = {
      roles: [
        { name: 'analyst', members: [{ kind: 'group', name: 'eu' }] },
        { name: 'hr', members: [] },
      ],
      groups: [{ name: 'eu', users: ['ana', 'later'] }],
      attributes: [{ user: 'ana', values: { region: 'EU' } }],
      grants: [{ privilege: 'select', on: orders, to: { kind: 'role', name: 'analyst' } }],
      rowFilters: [{ on: { namespace: 'raw' }, except: ['hr'], condition: 'x > 1' }],
      masks: [{ on: { namespace: 'raw' }, column: 'Email', except: [], expression: 'NULL' }],
    }
    const change = { by: systemPrincipal, source: 'access.yml' as const }
    const dry = await access.apply(file, { ...change, dryRun: true })
    expect([dry.added.length, dry.removed, await may(ana!)]).toEqual([10, [], false])
    expect(await access.apply(file, change)).toEqual(dry)
    const { stamp } = await access.policy()
    expect(await access.apply(file, change)).toEqual({ added: [], removed: [] })
    expect((await access.policy()).stamp).toBe(stamp)
    const decision = decide(await other!.access.policy(), ana!, 'select', table)
    expect(decision).toMatchObject({ verdict: 'allowed', filters: ['x > 1'], masks: new Map([['email', 'NULL']]) })

    await access.grant({ privileges: ['insert'], on: orders, to: ['analyst'] }, by)
    expect(await access.revoke({ privileges: ['select'], on: orders, to: ['analyst'] }, by)).toEqual({
      changed: true,
      inFile: true,
    })
    await expect(access.dropRole('hr', by)).rejects.toThrow(/row filter or a mask/)
    expect((await access.apply(file, change)).added).toEqual(['grant select on dev.raw.orders to role:analyst'])
    const { removed } = await access.apply({ ...nothing, roles: file.roles, groups: file.groups }, change)
    expect(removed).toHaveLength(4)
    expect([await may(ana!), await may(ana!, 'insert')]).toEqual([false, true])
    await expect(
      access.apply({ ...nothing, grants: [{ ...file.grants[0]!, to: { kind: 'role', name: 'no' } }] }, change),
    ).rejects.toThrow(/names the role no, which there is not/)
    const circle = [
      { name: 'one', members: [{ kind: 'role' as const, name: 'two' }] },
      { name: 'two', members: [{ kind: 'role' as const, name: 'one' }] },
    ]
    await expect(access.apply({ ...nothing, roles: circle }, change)).rejects.toThrow(
      /the role one is a member of itself/,
    )
    expect(await may(ana!, 'insert')).toBe(true)
  })

  test('limits of the file are seen at once, and go with the file or the role', async () => {
    const { access } = govern!
    const [analyst, apply] = [
      { kind: 'role' as const, name: 'analyst' },
      { ...by, source: 'access.yml' as const },
    ]
    const big = 5 * 2 ** 40
    const file: AccessFile = {
      ...nothing,
      roles: [{ name: 'analyst', members: [{ kind: 'user', name: 'ana' }] }],
      limits: [{ name: 'scan_bytes', most: big, to: analyst }],
    }
    const own = async () => limitsOf(await other!.access.policy(), ana!).scan_bytes?.most
    const limit = `limit scan_bytes of role:analyst to ${big}`
    expect(await own()).toBeUndefined()
    expect((await access.apply(file, apply)).added).toContain(limit)
    expect(await own()).toBe(big)
    expect(await access.apply(file, apply)).toEqual({ added: [], removed: [] })
    expect((await access.apply({ ...file, limits: [] }, apply)).removed).toEqual([limit])
    expect(await own()).toBeUndefined()
    await access.apply(file, apply)
    await access.dropRole('analyst', by)
    expect((await other!.access.policy()).limits).toEqual([])
    const nobody = { ...nothing, limits: [{ name: 'rows' as const, most: 1, to: analyst }] }
    await expect(access.apply(nobody, apply)).rejects.toThrow('a limit names the role analyst')
  })

  test('an environment and its catalog are one; and changes are in the audit, refused ones too', async () => {
    const { access, audit } = govern!
    const cli = { by: systemPrincipal, source: 'cli' as const }
    await access.grant({ privileges: ['select'], on: { ...orders, environment: 'DEV_analytics' }, to: ['ana'] }, cli)
    expect((await access.list(systemPrincipal))[0]?.on.environment).toBe('dev')
    expect(await access.list(systemPrincipal, { on: { ...orders, environment: 'dev_analytics' } })).toHaveLength(1)
    expect((await access.revoke({ privileges: ['select'], on: orders, to: ['ana'] }, cli)).changed).toBe(true)
    await access.createRole('x', { by: ana!, source: 'cli' }).catch(() => {})
    await access.createRole('y', by)
    await access.apply(nothing, { ...cli, source: 'access.yml' })
    expect(
      (await audit.list()).map(({ principal, action, verdict, door }) => [principal, action, verdict, door]),
    ).toEqual([
      ['ana', 'create role', 'refused', 'cli'],
      ['system', 'revoke', 'allowed', 'cli'],
      ['system', 'grant', 'allowed', 'cli'],
    ])
  })

  test('users that come after the file have what it gives them', async () => {
    const { access, users } = govern!
    await access.apply(
      {
        ...nothing,
        roles: [{ name: 'r', members: [{ kind: 'user', name: 'zoe' }] }],
        grants: [{ privilege: 'select', on: orders, to: { kind: 'role', name: 'r' } }],
      },
      { by: systemPrincipal, source: 'access.yml' },
    )
    const { id } = await users.create({ name: 'Zoe', role: 'member' })
    expect(await may({ id, name: 'zoe', role: 'member' })).toBe(true)
  })
})
