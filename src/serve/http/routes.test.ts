// Every route of the contract, asked by nobody, by a reader and by an administrator, over real HTTP. Answers are held to
// the contract by the server itself (`checkAnswers`).

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Failure, routes, splitRoute, type RouteKey } from '../../contract/index.ts'
import { systemPrincipal } from '../../govern/index.ts'
import { openWorld, type World } from './test-world.ts'

let world: World
let admin: string
let reader: string
let readerId: string
beforeAll(async () => {
  world = await openWorld()
  admin = await world.cookie('admin')
  reader = await world.cookie('reader')
  readerId = (await world.govern.users.get('rob')).id
})
afterAll(() => world[Symbol.asyncDispose]())

const form = () => {
  const body = new FormData()
  body.set('file', new File(['a,b\n1,2\n'], 'orders.csv'))
  body.set('table', 'orders')
  body.set('mode', 'replace')
  return body
}

let roles = 0
async function newRole(): Promise<string> {
  const name = `role${++roles}`
  await world.govern.access.createRole(name, { by: systemPrincipal, source: 'cli' })
  return name
}
const right = {
  privilege: 'select',
  on: { environment: '*', namespace: 'marts', table: '*' },
  to: { kind: 'user', name: 'rob' },
}

/** What to send, where more than the path is needed. */
const sent: { [Key in RouteKey]?: () => Promise<RequestInit & { json?: unknown; path?: string }> } = {
  'POST /api/session': async () => ({ json: { name: 'ada', password: 'correct horse battery' } }),
  'POST /api/session/link': async () => ({ json: { token: (await world.govern.users.createLink('rob')).token } }),
  'POST /api/session/password': async () => ({
    json: { current: 'correct horse battery', password: 'correct horse battery' },
  }),
  'POST /api/dashboards/:name/data': async () => ({ json: { filters: {} } }),
  'POST /api/tables/upload': async () => ({ body: form() }),
  'POST /api/query': async () => ({ json: { sql: 'rows 3' } }),
  'POST /api/query/stream': async () => ({ json: { sql: 'rows 3' } }),
  'POST /api/runs': async () => ({ json: {} }),
  'POST /api/users': async () => ({ json: { name: `new${Math.random()}`, role: 'reader' } }),
  'PATCH /api/users/:id': async () => ({ json: { disabled: false } }),
  'GET /api/access/check': async () => ({ path: '/api/access/check?user=rob&table=marts.daily_revenue' }),
  'POST /api/access/grant': async () => ({ json: right }),
  'POST /api/access/revoke': async () => ({ json: right }),
  'POST /api/access/roles': async () => ({ json: { name: `role${++roles}` } }),
  'DELETE /api/access/roles/:name': async () => ({ path: `/api/access/roles/${await newRole()}` }),
  'POST /api/access/roles/:name/members': async () => ({
    path: `/api/access/roles/${await newRole()}/members`,
    json: { kind: 'user', name: 'rob' },
  }),
  'DELETE /api/access/roles/:name/members/:kind/:member': async () => ({
    path: `/api/access/roles/${await newRole()}/members/user/rob`,
  }),
  'GET /api/tables/:namespace/:name': async () => ({ path: '/api/tables/marts/daily_revenue' }),
}
const pathOf = (key: RouteKey) =>
  splitRoute(key).path.replace('users/:id', `users/${readerId}`).replace(/:\w+/g, 'sales')

async function ask(key: RouteKey, as?: string): Promise<number> {
  const { path = pathOf(key), ...more } = (await sent[key]?.()) ?? {}
  const stop = new AbortController()
  const response = await world.fetch(path, {
    method: splitRoute(key).method,
    ...(as ? { as } : {}),
    ...more,
    signal: stop.signal,
  })
  if (routes[key].auth !== 'none' && response.status >= 400) Failure.parse(await response.json())
  stop.abort() // an event stream would go on
  return response.status
}

const keys = Object.keys(routes) as RouteKey[]
const endsSession = (key: RouteKey) => !key.startsWith('GET') && splitRoute(key).path.startsWith('/api/session')

describe('who may', () => {
  test.each(keys)('%s', async (key) => {
    const { auth } = routes[key]
    expect(await ask(key)).toBe(auth === 'none' ? 200 : 401)
    expect(await ask(key, `boathouse_session_${world.port}=made-up`)).toBe(auth === 'none' ? 200 : 401)
    expect(await ask(key, endsSession(key) ? await world.cookie('reader') : reader)).toBe(auth === 'admin' ? 403 : 200)
    if (key.endsWith('/reset')) return // would end the reader's session
    expect(await ask(key, endsSession(key) ? await world.cookie('admin') : admin)).toBe(200)
    if (endsSession(key)) [admin, reader] = [await world.cookie('admin'), await world.cookie('reader')]
  })

  test('an administrator resets a user, whose session ends', async () => {
    const response = await world.fetch(`/api/users/${readerId}/reset`, { method: 'POST', as: admin })
    const { link, user } = (await response.json()) as { link: string; user: { passwordSet: boolean } }
    expect(user.passwordSet).toBe(false)
    expect(link).toMatch(new RegExp(`^${world.url}/login\\?token=[\\w-]{43}$`))
    expect((await world.fetch('/api/home', { as: reader })).status).toBe(401)
    const token = new URL(link).searchParams.get('token')
    const entered = await world.fetch('/api/session/link', { method: 'POST', json: { token } })
    expect(await entered.json()).toMatchObject({ user: { name: 'rob', passwordNeeded: true } })
    expect((await world.fetch('/api/session/link', { method: 'POST', json: { token } })).status).toBe(401)
    reader = entered.headers.getSetCookie()[0]!.split(';')[0]!
    expect((await world.fetch('/api/home', { as: reader })).status).toBe(200)
  })

  test('a bearer token opens what its user may, and a wrong one nothing at all', async () => {
    const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
    const token = await world.token('reader')
    expect((await world.fetch('/api/home', bearer(token))).status).toBe(200)
    expect((await world.fetch('/api/users', bearer(token))).status).toBe(403)
    expect((await world.fetch('/api/session', bearer('bh_wrong'))).status).toBe(401)
    expect((await world.fetch('/api/home', { ...bearer('bh_wrong'), as: admin })).status).toBe(401)
    const refused = { principal: '', door: 'http', action: 'log in by token', verdict: 'refused' }
    expect(await world.govern.audit.list({ limit: 2 })).toMatchObject([refused, refused])
  })
})

describe('what is sent is held to the contract', () => {
  const refuse = async (path: string, init: Parameters<World['fetch']>[1]) => {
    const response = await world.fetch(path, { as: admin, ...init })
    return [response.status, ((await response.json()) as { message: string }).message] as const
  }

  test.each<[string, string, Parameters<World['fetch']>[1], string]>([
    ['a field is missing', '/api/query', { method: 'POST', json: {} }, 'body.sql: '],
    [
      'a field too many',
      '/api/query',
      { method: 'POST', json: { sql: 'x', rows: 3 } },
      'body: unrecognized key: "rows"',
    ],
    [
      'several at once',
      '/api/query',
      { method: 'POST', json: { sql: 3, rowsMax: 0 } },
      'body.sql: invalid input: expected string, received number\nbody.rowsMax: ',
    ],
    ['a number out of bounds', '/api/runs?limit=1000', {}, 'query.limit: '],
    ['no number', '/api/runs?limit=many', {}, 'query.limit: '],
    ['an unknown parameter', '/api/runs?lmit=3', {}, 'query: unrecognized key: "lmit"'],
    ['a parameter twice', '/api/runs?limit=3&limit=4', {}, 'query.limit: given twice'],
    ['a prototype', '/api/runs?__proto__=3', {}, 'query: unrecognized key: "__proto__"'],
    [
      'no JSON',
      '/api/query',
      { method: 'POST', body: '{"sql":', headers: { 'content-type': 'application/json' } },
      'body: not JSON',
    ],
    [
      'no UTF-8',
      '/api/query',
      { method: 'POST', body: new Uint8Array([0x22, 0xff, 0x22]), headers: { 'content-type': 'application/json' } },
      'body: not UTF-8',
    ],
    ['nothing', '/api/query', { method: 'POST', headers: { 'content-type': 'application/json' } }, 'body: empty'],
    ['a form', '/api/query', { method: 'POST', body: new URLSearchParams({ sql: 'rows 1' }) }, 'body: send JSON'],
    [
      'text',
      '/api/query',
      { method: 'POST', body: '{"sql":"rows 1"}', headers: { 'content-type': 'text/plain' } },
      'body: send JSON',
    ],
    ['JSON that is no object', '/api/query', { method: 'POST', json: null }, 'body: '],
    [
      'JSON without end',
      '/api/query',
      { method: 'POST', body: '['.repeat(100_000), headers: { 'content-type': 'application/json' } },
      'body: not JSON',
    ],
  ])('%s', async (_, path, init, message) => {
    const [status, text] = await refuse(path, init)
    expect(text.slice(0, message.length)).toBe(message)
    expect(status).toBe(400)
  })

  test('several mistakes are also told one by one', async () => {
    const response = await world.fetch('/api/query', { method: 'POST', as: admin, json: { sql: 3, rowsMax: 0 } })
    expect(await response.json()).toMatchObject({
      code: 'REQUEST_INVALID',
      requestId: response.headers.get('x-request-id'),
      all: [{ code: 'REQUEST_INVALID' }, { code: 'REQUEST_INVALID' }],
    })
  })

  test('an unknown address of the API is an answer in JSON', async () => {
    for (const [method, path] of [
      ['GET', '/api/nothing'],
      ['GET', '/api/'],
      ['POST', '/api/home'],
      ['DELETE', '/healthz'],
      ['PUT', '/api/users'],
    ] as const) {
      const response = await world.fetch(path, { method, as: admin })
      expect([response.status, ((await response.json()) as { code: string }).code], `${method} ${path}`).toEqual([
        404,
        'NOT_FOUND',
      ])
    }
  })

  test('another environment is asked for by name; a name nobody knows is refused', async () => {
    await world.fetch('/api/query?env=prod', { method: 'POST', as: reader, json: { sql: 'rows 1' } })
    expect(world.asked.at(-1)!.options).toMatchObject({ catalog: 'prod_analytics', environmentNamed: true })
    await world.fetch('/api/query', { method: 'POST', as: reader, json: { sql: 'rows 1' } })
    expect(world.asked.at(-1)!.options).toMatchObject({ catalog: 'dev_analytics', environmentNamed: false })
    expect(await refuse('/api/home?env=nowhere', {})).toEqual([404, 'there is no environment "nowhere"'])
    // The app sends `env` along everywhere; where it means nothing it does no harm.
    expect((await world.fetch('/api/runs/run1?env=prod', { as: reader })).status).toBe(200)
  })
})

describe('failures', () => {
  test('carry code, message, place, hint, suggestions and the id of the request', async () => {
    const response = await world.fetch('/api/query', { method: 'POST', as: reader, json: { sql: 'fail' } })
    expect(response.status).toBe(422)
    expect(Failure.parse(await response.json())).toEqual({
      code: 'SQL_INVALID',
      message: 'no such column: amout',
      place: { line: 2, column: 8 },
      hint: expect.any(String),
      suggestions: ['amount'],
      requestId: response.headers.get('x-request-id'),
    })
  })

  test('of our own tell nothing but that they were ours; the log has the rest under the same id', async () => {
    const response = await world.fetch('/api/query', { method: 'POST', as: reader, json: { sql: 'crash' } })
    const text = await response.text()
    expect(response.status).toBe(500)
    expect(text).not.toContain('secret')
    expect(world.logged.find(({ level }) => level === 'error')).toMatchObject({
      fields: {
        request_id: response.headers.get('x-request-id'),
        error: 'secret detail of /etc/boathouse',
        stack: expect.stringContaining('test-world.ts'),
      },
    })
  })
})

test('who did what stands in the audit, refusals too', async () => {
  await world.fetch('/api/session', { method: 'POST', json: { name: 'ada\n<b>', password: 'wrong' } })
  await world.fetch('/api/runs', { method: 'POST', as: admin, json: { select: '+daily_revenue' } })
  const rows = await world.govern.audit.list({ limit: 5 })
  expect(rows).toContainEqual(
    expect.objectContaining({
      principal: '',
      action: 'log in as ada??b?',
      verdict: 'refused',
      failure_code: 'UNAUTHENTICATED',
    }),
  )
  expect(rows).toContainEqual(
    expect.objectContaining({
      principal: 'ada',
      action: 'start run of +daily_revenue',
      verdict: 'allowed',
      door: 'http',
    }),
  )
})
