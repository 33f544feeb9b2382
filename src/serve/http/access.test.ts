// Rights over real HTTP: what an administrator gives and takes is in force at once and stands in the audit; what access.yml says
// stays; nobody else gets anything, whatever they send.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Access, Audit } from '../../contract/index.ts'
import { decide, systemPrincipal } from '../../govern/index.ts'
import { openWorld, type World } from './test-world.ts'

let world: World
let admin: string
let reader: string
beforeAll(async () => {
  world = await openWorld()
  admin = await world.cookie('admin')
  reader = await world.cookie('reader')
  await world.govern.users.create({ name: 'mia', role: 'member' })
  const all = { environment: '*', namespace: 'marts', table: '*' }
  await world.govern.access.apply(
    {
      roles: [{ name: 'analyst', members: [{ kind: 'group', name: 'finance' }] }],
      groups: [{ name: 'finance', users: ['mia'] }],
      attributes: [{ user: 'mia', values: { region: 'North' } }],
      grants: [{ privilege: 'select', on: all, to: { kind: 'role', name: 'analyst' } }],
      rowFilters: [{ on: all, except: ['admin'], condition: "region = attribute('region')" }],
      masks: [{ on: all, column: 'email', except: [], expression: "'***'" }],
      limits: [{ name: 'rows', most: 10, to: { kind: 'role', name: 'analyst' } }],
    },
    { by: systemPrincipal, source: 'access.yml' },
  )
})
afterAll(() => world[Symbol.asyncDispose]())

const send = (method: string, path: string, json?: unknown, as = admin) =>
  world.fetch(path, { method, as, ...(json === undefined ? {} : { json }) })
const got = async <Value>(path: string) => (await (await world.fetch(path, { as: admin })).json()) as Value
const right = (table: string, name = 'mia') => ({
  privilege: 'insert',
  on: { environment: 'dev', namespace: 'raw', table },
  to: { kind: 'user', name },
})
const may = async (table: string) => {
  const { id } = await world.govern.users.get('mia')
  const on = { catalog: 'dev', namespace: 'raw', name: table }
  return decide(await world.govern.access.policy(), { id, name: 'mia', role: 'member' }, 'insert', on).verdict
}

test('all that is in force is told', async () => {
  const { users, groups, roles, grants, rowFilters, masks, limits } = await got<Access>('/api/access')
  expect(users.find(({ name }) => name === 'mia')).toEqual({
    name: 'mia',
    role: 'member',
    disabled: false,
    groups: ['finance'],
    roles: ['analyst'],
    attributes: { region: 'North' },
  })
  expect(groups).toEqual([{ name: 'finance', members: [{ kind: 'user', name: 'mia' }] }])
  expect(roles).toEqual([{ name: 'analyst', members: [{ kind: 'group', name: 'finance' }], source: 'access.yml' }])
  expect(grants).toMatchObject([{ privilege: 'select', source: 'access.yml', to: { kind: 'role', name: 'analyst' } }])
  expect([rowFilters.length, masks.length, limits.length]).toEqual([1, 1, 1])
})

test('a right that is given counts at once, and is gone when it is taken; both stand in the audit', async () => {
  expect(await (await send('POST', '/api/access/grant', right('orders'))).json()).toEqual({ changed: true })
  expect(await (await send('POST', '/api/access/grant', right('orders'))).json()).toEqual({ changed: false })
  expect(await may('orders')).toBe('allowed')
  expect((await got<Access>('/api/access')).grants.at(-1)).toMatchObject({ source: 'web', grantedBy: 'ada' })
  expect(await (await send('POST', '/api/access/revoke', right('orders'))).json()).toEqual({ changed: true })
  expect(await may('orders')).toBe('refused')
  const { entries } = await got<Audit>('/api/audit?door=web&text=orders')
  expect(entries.map(({ action, principal, verdict }) => [action, principal, verdict])).toEqual([
    ['revoke', 'ada', 'allowed'],
    ['grant', 'ada', 'allowed'],
    ['grant', 'ada', 'allowed'],
  ])
})

test('roles are made, given, taken and dropped', async () => {
  expect((await send('POST', '/api/access/roles', { name: 'ops' })).status).toBe(200)
  expect((await send('POST', '/api/access/roles', { name: 'ops' })).status).toBe(409)
  expect((await send('POST', '/api/access/roles', { name: 'admin' })).status).toBe(400)
  const members = '/api/access/roles/ops/members'
  expect(await (await send('POST', members, { kind: 'group', name: 'finance' })).json()).toEqual({ changed: true })
  const rolesOfMia = async () => (await got<Access>('/api/access')).users.find(({ name }) => name === 'mia')!.roles
  expect(await rolesOfMia()).toEqual(['analyst', 'ops'])
  expect(await (await send('DELETE', `${members}/group/finance`)).json()).toEqual({ changed: true })
  expect((await send('DELETE', '/api/access/roles/ops')).status).toBe(200)
  expect(await rolesOfMia()).toEqual(['analyst'])
})

test('what access.yml says is not taken away here, nor with what else it would take', async () => {
  const before = await got<Access>('/api/access')
  const inFile = {
    privilege: 'select',
    on: { environment: '*', namespace: 'marts', table: '*' },
    to: { kind: 'role', name: 'analyst' },
  }
  for (const [method, path, json] of [
    ['POST', '/api/access/revoke', inFile],
    ['POST', '/api/access/revoke', { ...inFile, privilege: 'all' }],
    ['DELETE', '/api/access/roles/analyst', undefined],
    ['DELETE', '/api/access/roles/analyst/members/group/finance', undefined],
  ] as const) {
    const response = await send(method, path, json)
    expect([path, response.status]).toEqual([path, 400])
    expect(await response.json()).toMatchObject({ message: expect.stringContaining('access.yml') as string })
  }
  expect(await got<Access>('/api/access')).toEqual(before)
})

test('nobody else gives, takes or reads anything', async () => {
  const token = await world.token('reader')
  const before = await got<Access>('/api/access')
  const attempts = [
    ['GET', '/api/access', undefined],
    ['GET', '/api/access/check?user=rob&table=marts.daily_revenue', undefined],
    ['GET', '/api/audit', undefined],
    ['POST', '/api/access/grant', right('orders', 'rob')],
    ['POST', '/api/access/grant', { ...right('orders', 'rob'), by: 'ada', source: 'access.yml' }],
    ['POST', '/api/access/roles', { name: 'mine' }],
    ['POST', '/api/access/roles/analyst/members', { kind: 'user', name: 'rob' }],
    ['DELETE', '/api/access/roles/analyst', undefined],
  ] as const
  for (const [method, path, json] of attempts) {
    expect((await send(method, path, json, reader)).status).toBe(403)
    const bearer = { authorization: `Bearer ${token}`, 'x-boathouse': '1', 'content-type': 'application/json' }
    const body = json === undefined ? {} : { body: JSON.stringify(json) }
    expect((await fetch(`${world.url}${path}`, { method, headers: bearer, ...body })).status).toBe(403)
    if (method === 'GET') continue
    // From another site a browser sends the cookie and cannot send the header.
    const foreign = { cookie: admin, origin: 'https://evil.example', 'content-type': 'text/plain' }
    expect((await fetch(`${world.url}${path}`, { method, headers: foreign, ...body })).status).toBe(403)
  }
  expect(await got<Access>('/api/access')).toEqual(before)
})

test.each([
  ['POST', '/api/access/grant', { ...right('orders'), privilege: 'everything' }],
  ['POST', '/api/access/grant', { ...right('orders'), to: { kind: 'robot', name: 'x' } }],
  ['POST', '/api/access/grant', { ...right('orders'), columns: ['a'] }],
  ['POST', '/api/access/grant', { ...right('orders'), source: 'access.yml' }],
  ['POST', '/api/access/grant', right('')],
  ['GET', '/api/audit?limit=100000', undefined],
  ['GET', '/api/audit?from=yesterday', undefined],
  ['GET', '/api/audit?verdict=perhaps', undefined],
  ['DELETE', '/api/access/roles/analyst/members/robot/x', undefined],
])('%s %s is refused when it is not what is asked for', async (method, path, json) => {
  expect((await send(method, path, json)).status).toBe(400)
})

test('the audit is found by who, verdict, door and words, page by page', async () => {
  for (const [index, verdict] of (['allowed', 'refused', 'failed'] as const).entries())
    for (let one = 0; one < 3; one++)
      await world.govern.audit.record({
        principal: { name: `p${index}` },
        door: 'pgwire',
        action: 'query',
        verdict,
        sql: `SELECT ${one} FROM x_${verdict}`,
        tables: ['dev.raw.secrets'],
      })
  const found = async (query: string) => {
    const { entries } = await got<Audit>(`/api/audit?door=pgwire&${query}`)
    return entries.map(({ principal, sql }) => `${principal} ${sql}`)
  }
  expect(await found('principal=p1')).toHaveLength(3)
  expect(await found('verdict=failed&text=select 2')).toEqual(['p2 SELECT 2 FROM x_failed'])
  expect(await found('text=RAW.secrets')).toHaveLength(9)
  expect(await found("text=' or 1=1 --")).toEqual([])
  const all: string[] = []
  for (let before: string | null = ''; before !== null;) {
    const page: Audit = await got(`/api/audit?door=pgwire&limit=4${before === '' ? '' : `&before=${before}`}`)
    all.push(...page.entries.map(({ id }) => id))
    before = page.next
  }
  expect([all.length, new Set(all).size]).toEqual([9, 9])
  expect(all).toEqual(all.toSorted().reverse())
})
