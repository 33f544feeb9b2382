import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { acceptedEncoding } from './static.ts'
import { openWorld, type World } from './test-world.ts'

let world: World
const script = `console.log("${'x'.repeat(2_000)}")`
beforeAll(async () => {
  world = await openWorld()
  const web = join(world.dir, 'web')
  await mkdir(join(web, 'assets'), { recursive: true })
  await writeFile(join(world.dir, 'secret.txt'), 'secret')
  await writeFile(
    join(web, 'index.html'),
    '<!doctype html><html><head><title>Boathouse</title></head><body></body></html>',
  )
  await writeFile(join(web, 'assets', 'main-abc123.js'), script)
  await writeFile(join(web, 'assets', 'made-abc123.js'), script)
  await writeFile(join(web, 'assets', 'made-abc123.js.br'), 'precompressed')
  await writeFile(join(web, 'favicon.svg'), '<svg/>')
  await writeFile(join(web, 'notes.exe'), 'x')
  await symlink(join(world.dir, 'secret.txt'), join(web, 'link.txt'))
})
afterAll(() => world[Symbol.asyncDispose]())

async function raw(path: string, headers = ''): Promise<{ head: string; body: Buffer; status: number }> {
  const socket = connect(world.port, '127.0.0.1')
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`)
  const bytes = Buffer.from(await text(socket.setEncoding('latin1')), 'latin1')
  const at = bytes.indexOf('\r\n\r\n')
  const head = bytes.toString('latin1', 0, at)
  return { head, body: bytes.subarray(at + 4), status: Number(head.split(' ')[1]) }
}

describe('the app', () => {
  test.each(['/', '/dashboards/sales', '/tables/marts/daily_revenue', '/index.html', '/login?token=x'])(
    '%s is its page, asked for anew each time',
    async (path) => {
      const response = await world.fetch(path)
      const page = await response.text()
      expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([
        200,
        'text/html; charset=utf-8',
        'no-cache',
      ])
      expect(page).toContain('<title>Boathouse</title>')
      const policy = response.headers.get('content-security-policy')!
      expect(policy).toContain("style-src 'self';")
      expect(policy).toContain("script-src 'self';")
      expect(policy).not.toContain('unsafe')
      const etag = response.headers.get('etag')!
      expect((await world.fetch(path, { headers: { 'if-none-match': etag } })).status).toBe(304)
    },
  )

  test('hashed files are kept for ever, others are asked for again and answered by 304', async () => {
    const asset = await world.fetch('/assets/main-abc123.js')
    expect([asset.headers.get('cache-control'), asset.headers.get('content-type'), await asset.text()]).toEqual([
      'public, max-age=31536000, immutable',
      'text/javascript; charset=utf-8',
      script,
    ])
    const icon = await world.fetch('/favicon.svg')
    expect(icon.headers.get('cache-control')).toBe('no-cache')
    const again = await world.fetch('/favicon.svg', { headers: { 'if-none-match': icon.headers.get('etag')! } })
    expect([again.status, await again.text()]).toEqual([304, ''])
  })

  test('is compressed as the browser accepts it, and once', async () => {
    const br = await raw('/assets/main-abc123.js', 'Accept-Encoding: gzip, br\r\n')
    expect(br.head.toLowerCase()).toContain('content-encoding: br')
    expect(br.head.toLowerCase()).toContain('vary: accept-encoding')
    expect(String(brotliDecompressSync(br.body))).toBe(script)
    const gz = await raw('/assets/main-abc123.js', 'Accept-Encoding: gzip, br;q=0\r\n')
    expect(String(gunzipSync(gz.body))).toBe(script)
    expect(String((await raw('/assets/main-abc123.js')).body)).toBe(script)
    expect(String((await raw('/assets/made-abc123.js', 'Accept-Encoding: br\r\n')).body)).toBe('precompressed')
    expect((await raw('/favicon.svg', 'Accept-Encoding: br\r\n')).head.toLowerCase()).not.toContain('content-encoding')
  })

  test('HEAD has the headers only', async () => {
    const response = await world.fetch('/assets/main-abc123.js', { method: 'HEAD' })
    expect([response.status, await response.text()]).toEqual([200, ''])
  })

  test.each([
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/%2e%2e%2f%2e%2e%2fsecret.txt',
    '/..\\secret.txt',
    '/link.txt',
    '/%00',
    '/assets/main-abc123.js%00',
    '/notes.exe',
    '/%c0%ae%c0%ae/secret.txt',
    '//etc/passwd',
    '/%',
  ])('%s leads nowhere', async (path) => {
    const { body, status } = await raw(path)
    expect(String(body)).not.toContain('secret\n')
    expect(String(body)).not.toBe('secret')
    expect(String(body)).not.toContain('root:')
    expect([200, 400, 404]).toContain(status)
    if (status === 200) expect(String(body)).toContain('<title>') // an address of the app, as far as the server knows
  })

  test('a new build is noticed', async () => {
    const file = join(world.dir, 'web', 'index.html')
    await writeFile(file, '<head><title>Newer</title></head>')
    await utimes(file, 1, 1)
    await expect.poll(async () => await (await world.fetch('/')).text(), { timeout: 5_000 }).toContain('Newer')
  })
})

test('without a build a plain page says how to make one', async () => {
  await using empty = await openWorld()
  const response = await empty.fetch('/dashboards/sales')
  expect(response.status).toBe(503)
  expect(await response.text()).toContain('npm run build --workspace web')
})

test.each([
  [undefined, undefined],
  ['', undefined],
  ['gzip, deflate, br, zstd', 'br'],
  ['gzip', 'gzip'],
  ['br;q=0, gzip;q=0.5', 'gzip'],
  ['BR', 'br'],
  ['gzip;q=0.0', undefined],
  ['*', undefined],
])('of %j comes %j', (header, encoding) => expect(acceptedEncoding(header)).toBe(encoding))
