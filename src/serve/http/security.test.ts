import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cookieNameOf, endedCookie, sessionTokenOf } from './cookie.ts'
import { foreignOrigin, hostIsOurs, hostName } from './origin.ts'
import { listeningInodes, portHolder } from './port-holder.ts'
import { createHttpServer } from './server.ts'
import { openWorld, password, type World } from './test-world.ts'

let world: World
let admin: string
beforeAll(async () => {
  world = await openWorld({ limits: { headersMs: 300, bodyMs: 300 } })
  admin = await world.cookie('admin')
})
afterAll(() => world[Symbol.asyncDispose]())

/** Bytes as they are, and all that comes back until the server closes or the answer is whole. */
async function raw(request: string, port = world.port): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(request)
  return await text(socket)
}

describe('other sites', () => {
  const post = (headers: Record<string, string>) =>
    world.fetch('/api/runs', { method: 'POST', as: admin, json: {}, headers }).then(({ status }) => status)

  test('cannot send the header, so a request without it changes nothing', async () => {
    expect(await post({})).toBe(200)
    for (const value of ['', '0', '1, 1', 'true']) expect(await post({ 'x-boathouse': value }), value).toBe(403)
    const login = await world.fetch('/api/session', {
      method: 'POST',
      headers: { 'x-boathouse': '' },
      json: { name: 'ada', password },
    })
    expect([login.status, login.headers.getSetCookie()]).toEqual([403, []])
  })

  test('are told by Origin and Sec-Fetch-Site', async () => {
    expect(await post({ origin: world.url })).toBe(200)
    expect(await post({ 'sec-fetch-site': 'same-origin' })).toBe(200)
    expect(await post({ origin: 'https://evil.example' })).toBe(403)
    expect(await post({ origin: 'null' })).toBe(403)
    expect(await post({ 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(await post({ 'sec-fetch-site': 'same-site' })).toBe(403)
  })

  test('are not answered across origins', async () => {
    const preflight = await world.fetch('/api/runs', {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    })
    expect(preflight.status).toBe(403)
    expect([...preflight.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    const read = await world.fetch('/api/home', { as: admin, headers: { origin: 'https://evil.example' } })
    expect(read.headers.get('access-control-allow-origin')).toBeNull()
    expect(read.headers.get('cross-origin-resource-policy')).toBe('same-origin')
  })

  test('cannot point their name at us', async () => {
    const answer = await raw(
      `GET /api/session HTTP/1.1\r\nHost: evil.example:${world.port}\r\nConnection: close\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1.1 403 /)
    expect(await raw(`GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 403 /)
    expect(
      await raw(`GET /api/session HTTP/1.1\r\nHost: localhost:${world.port}\r\nConnection: close\r\n\r\n`),
    ).toMatch(/^HTTP\/1.1 200 /)
    expect(await raw(`GET /healthz HTTP/1.1\r\nHost: 10.0.0.7:8620\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 200 /,
    )
  })

  // host header, listening on, public url, ours?
  test.each([
    ['localhost:8620', '127.0.0.1', undefined, true],
    ['127.0.0.1', '127.0.0.1', undefined, true],
    ['[::1]:8620', '::1', undefined, true],
    ['app.localhost', '127.0.0.1', undefined, true],
    ['LOCALHOST.', '127.0.0.1', undefined, true],
    ['evil.example', '127.0.0.1', undefined, false],
    ['localhost.evil.example', '127.0.0.1', undefined, false],
    ['evil.example@localhost', '127.0.0.1', undefined, false],
    ['127.0.0.1.evil.example', '127.0.0.1', undefined, false],
    ['', '127.0.0.1', undefined, false],
    ['data.example.com', '127.0.0.1', 'https://data.example.com', true],
    ['data.example.com:443', '127.0.0.1', 'https://data.example.com', true],
    ['evil.example', '0.0.0.0', undefined, true],
    ['a b', '0.0.0.0', undefined, false],
  ])('host %s on %s with %s: %s', (header, host, publicUrl, ours) =>
    expect(hostIsOurs(header, { host, publicUrl })).toBe(ours),
  )

  test('hosts are read strictly', () => {
    expect(['[::1]:1', '[::1', '::1', 'a:b', 'a:1:2', '[zz]'].map(hostName)).toEqual([
      '::1',
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ])
    expect(
      foreignOrigin({ host: 'x:1', origin: 'http://x:1', secFetchSite: undefined }, { host: '0.0.0.0' }),
    ).toBeUndefined()
    expect(
      foreignOrigin({ host: 'x:1', origin: 'http://x:2', secFetchSite: undefined }, { host: '0.0.0.0' }),
    ).toBeDefined()
    // Behind a proxy that ends TLS the Host is the inner one.
    expect(
      foreignOrigin(
        { host: 'inner:1', origin: 'https://data.example.com', secFetchSite: undefined },
        { host: '0.0.0.0', publicUrl: 'https://data.example.com/' },
      ),
    ).toBeUndefined()
  })
})

describe('cookies', () => {
  test('are out of reach of scripts and of other sites, and hold nothing that is stored', async () => {
    const response = await world.fetch('/api/session', { method: 'POST', json: { name: 'ada', password } })
    const [cookie, ...more] = response.headers.getSetCookie()
    expect(more).toEqual([])
    expect(cookie).toMatch(/^boathouse_session_\d+=[\w-]{43}; Path=\/; Max-Age=60\d{4}; HttpOnly; SameSite=Lax$/)
    expect(createHash('sha256').update(cookie!.split(/[=;]/)[1]!).digest('hex')).toMatch(/^[0-9a-f]{64}$/)
  })

  test('are Secure where the public address is', async () => {
    await using tls = await openWorld({ settings: { publicUrl: 'https://data.example.com' } })
    const { headers } = await tls.fetch('/api/session', { as: await tls.cookie('reader') })
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000')
    const stale = await tls.fetch('/api/session', { as: `boathouse_session_${tls.port}=stale` })
    expect(stale.headers.getSetCookie()).toEqual([
      `boathouse_session_${tls.port}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure`,
    ])
    expect(endedCookie({ host: 'localhost', secure: false })).not.toContain('Secure')
  })

  test.each([
    ['localhost:8620', 'boathouse_session'],
    ['data.example.com', 'boathouse_session'],
    ['localhost:8621', 'boathouse_session_8621'],
    ['[::1]:8621', 'boathouse_session_8621'],
    [undefined, 'boathouse_session'],
  ])('of %s are called %s: two servers on one machine keep apart', (host, name) =>
    expect(cookieNameOf(host)).toBe(name),
  )

  test('a log-out ends the session, not only the cookie', async () => {
    const cookie = await world.cookie('reader')
    const response = await world.fetch('/api/session', { method: 'DELETE', as: cookie })
    expect(response.headers.getSetCookie()[0]).toContain('Max-Age=0')
    expect((await world.fetch('/api/home', { as: cookie })).status).toBe(401)
  })

  test('a new log-in ends the old session of the browser', async () => {
    const cookie = await world.cookie('reader')
    await world.fetch('/api/session', { method: 'POST', as: cookie, json: { name: 'ada', password } })
    expect((await world.fetch('/api/home', { as: cookie })).status).toBe(401)
  })

  test.each([
    [undefined, undefined],
    ['a=b; boathouse_session=x; c=d', 'x'],
    ['boathouse_session=', undefined],
    ['xboathouse_session=x', undefined],
    ['boathouse_session=one; boathouse_session=two', 'one'],
    ['boathouse_session', undefined],
  ])('%s', (header, token) => expect(sessionTokenOf(header, 'localhost:8620')).toBe(token))
})

test('every answer carries what a browser must not do with it', async () => {
  for (const [path, status] of [
    ['/api/home', 401],
    ['/api/nothing', 404],
    ['/healthz', 200],
    ['/', 503],
    ['/x.js', 404],
  ] as const) {
    const { headers, status: answered } = await world.fetch(path)
    expect(answered, path).toBe(status)
    expect(Object.fromEntries(headers), path).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'x-request-id': expect.any(String),
    })
    expect(headers.get('content-security-policy'), path).toContain("frame-ancestors 'none'")
    expect(headers.get('cache-control'), path).toContain('no-store')
  }
})

describe('too much', () => {
  test('of a body is refused before it is read, by its length or by counting', async () => {
    const limited = { method: 'POST', as: admin, headers: { 'content-type': 'application/json' } }
    const declared = await raw(
      `POST /api/query HTTP/1.1\r\nHost: localhost:${world.port}\r\nCookie: ${admin}\r\nX-Boathouse: 1\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\n\r\n{`,
    )
    expect(declared).toMatch(/^HTTP\/1.1 413 /)
    expect(declared.toLowerCase()).toContain('connection: close')
    await using small = await openWorld({ limits: { bodyBytesMax: 1_000 } })
    const chunks = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode(' '.repeat(300))),
    })
    const streamed = await small
      .fetch('/api/query', {
        ...limited,
        as: await small.cookie('reader'),
        body: chunks,
        duplex: 'half',
      } as RequestInit)
      .then(
        ({ status }) => status,
        () => 'cut off',
      )
    expect([413, 'cut off']).toContain(streamed)
  })

  test('headers are refused', async () => {
    expect(await raw(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431 /,
    )
  })

  test('who sends a header or a body byte by byte is cut off', async () => {
    expect(await raw('GET /healthz HTTP/1.1\r\nHost: loc')).toMatch(/^HTTP\/1.1 408 /)
    const body = await raw(
      `POST /api/query HTTP/1.1\r\nHost: localhost:${world.port}\r\nCookie: ${admin}\r\nX-Boathouse: 1\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
    )
    expect(body).toMatch(/^HTTP\/1.1 400 /)
    expect(body).toContain('not complete after 0.3 s')
  })

  test('from one principal or one address is slowed down, and says for how long', async () => {
    await using slow = await openWorld({
      limits: { perPrincipal: { burst: 3, perMinute: 60 }, perAddress: { burst: 8, perMinute: 60 } },
    })
    const cookie = await slow.cookie('reader')
    const statuses = []
    for (let count = 0; count < 5; count++) statuses.push((await slow.fetch('/api/home', { as: cookie })).status)
    expect(statuses).toEqual([200, 200, 200, 429, 429])
    for (let count = 0; count < 3; count++) await slow.fetch('/api/session')
    const refused = await slow.fetch('/api/session')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
    expect((await slow.fetch('/healthz')).status).toBe(200)
  })
})

describe('headers cannot be smuggled', () => {
  test('a line end in a path, an id or a name stays inside JSON', async () => {
    const answer = await raw(
      `GET /api/runs/missing%0d%0aSet-Cookie:%20x=1 HTTP/1.1\r\nHost: localhost:${world.port}\r\nCookie: ${admin}\r\nConnection: close\r\n\r\n`,
    )
    expect(answer.split('\r\n\r\n')[0]).not.toMatch(/x=1/)
    const unknown = await raw(
      'GET /api/%0d%0aSet-Cookie:%20x=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    )
    expect(unknown.split('\r\n\r\n')[0]).not.toMatch(/x=1/)
  })

  test('two lengths, or a length and chunks, are refused', async () => {
    expect(
      await raw('POST /api/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'),
    ).toMatch(/^HTTP\/1.1 400 /)
    expect(
      await raw(
        'POST /api/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ),
    ).toMatch(/^HTTP\/1.1 400 /)
  })

  test('the log has one line for each request, without the query part', async () => {
    world.logged.length = 0
    await world.fetch('/login?token=very-secret')
    await world.fetch('/api/session?env=dev', { as: admin })
    await expect.poll(() => world.logged.filter(({ event }) => event === 'request')).toHaveLength(2)
    expect(JSON.stringify(world.logged)).not.toContain('very-secret')
    expect(world.logged.at(-1)).toMatchObject({
      level: 'info',
      fields: {
        method: 'GET',
        path: '/api/session',
        status: 200,
        principal: 'ada',
        address: '127.0.0.1',
        request_id: expect.any(String),
      },
    })
  })
})

describe('health', () => {
  test('names the part that fails, answers 503 and no detail', async () => {
    await using sick = await openWorld({
      health: {
        db: async () => {},
        redis: async () => {
          throw new Error('connect ECONNREFUSED redis://:secret@10.0.0.1')
        },
      },
    })
    const response = await sick.fetch('/healthz')
    expect(response.status).toBe(503)
    expect(await response.json()).toEqual({
      status: 'failed',
      db: 'ok',
      redis: 'failed',
      message: 'redis: does not answer; the log says why',
    })
    expect(sick.logged.find(({ event }) => event === 'health check failed')).toBeDefined()
  })

  test('does not wait for a part that hangs; probes share one check', async () => {
    let asked = 0
    await using stuck = await openWorld({
      limits: { healthMs: 100 },
      health: { db: () => (asked++, new Promise(() => {})), redis: async () => {} },
    })
    const all = await Promise.all([stuck.fetch('/healthz'), stuck.fetch('/healthz'), stuck.fetch('/healthz')])
    expect(all.map(({ status }) => status)).toEqual([503, 503, 503])
    expect(await all[0]!.json()).toEqual({
      status: 'failed',
      db: 'failed',
      redis: 'ok',
      message: 'db: no answer within 100 ms',
    })
    expect(asked).toBe(1)
  })

  test('is well with the real records, without Redis', async () => {
    expect(await (await world.fetch('/healthz')).json()).toEqual({ status: 'ok', db: 'ok', redis: 'off' })
  })
})

describe('the port', () => {
  test('that is taken is reported with its holder', async () => {
    const second = createHttpServer({ ...world.deps, settings: { ...world.deps.settings, port: world.port } })
    const failure = await second.listen().catch((error: Error) => error)
    expect(failure).toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringContaining(`port ${world.port} on 127.0.0.1 is taken`),
    })
    if (process.platform === 'linux') expect((failure as Error).message).toContain(`by process ${process.pid} (`)
    await second.close()
  })

  test('that is free has no holder', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    server.close()
    await once(server, 'close')
    expect(await portHolder(port)).toBeUndefined()
  })

  test('an address that is not of this machine is a mistake in the settings', async () => {
    const server = createHttpServer({
      ...world.deps,
      settings: { ...world.deps.settings, host: '203.0.113.7', port: 0 },
    })
    await expect(server.listen()).rejects.toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('203.0.113.7') }),
    )
    await server.close()
  })

  test('/proc/net/tcp is read by local port and listening state', () => {
    const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:21AC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0000000000000000 100 0 0 10 0
   1: 0100007F:21AC 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4343 1 0000000000000000 100 0 0 10 0
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4444 1 0000000000000000 100 0 0 10 0`
    expect([listeningInodes(table, 8620), listeningInodes(table, 80), listeningInodes(table, 81)]).toEqual([
      ['4242'],
      ['4444'],
      [],
    ])
  })
})
