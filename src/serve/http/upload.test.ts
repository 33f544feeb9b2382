import fc from 'fast-check'
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { boundaryOf, readParts } from './multipart.ts'
import { openWorld, type World } from './test-world.ts'
import { clearSpool, safeFileName } from './upload.ts'

let world: World
let admin: string
beforeAll(async () => {
  world = await openWorld({ limits: { uploadIdleMs: 200 } })
  admin = await world.cookie('admin')
})
afterAll(() => world[Symbol.asyncDispose]())

function form(fields: Record<string, string | File>): FormData {
  const body = new FormData()
  for (const [name, value] of Object.entries(fields)) body.append(name, value)
  return body
}
const upload = async (body: FormData | string, headers: Record<string, string> = {}) => {
  const response = await world.fetch('/api/tables/upload', { method: 'POST', as: admin, body, headers })
  return [response.status, (await response.json()) as { message: string }] as const
}
const spooled = () => readdir(join(world.dir, 'spool')).catch(() => [])
const csv = (text = 'a,b\n1,2\n', name = 'orders.csv') => new File([text], name)

describe('an upload', () => {
  test('is handed on as a whole file and leaves nothing in the spool', async () => {
    const text = `a,b\r\n${'1,ä\r\n'.repeat(9_000)}`
    expect(await upload(form({ file: csv(text, 'Bestellungen März.csv'), table: 'orders', mode: 'append' }))).toEqual([
      200,
      { source: 'orders', file: 'sources/orders.yml', runId: 'run1' },
    ])
    expect(world.uploads.at(-1)).toEqual({ fileName: 'Bestellungen März.csv', table: 'orders', mode: 'append', text })
    expect(await spooled()).toEqual([])
  })

  test.each<[string, FormData | string, string]>([
    ['no file', form({ table: 'orders', mode: 'replace' }), 'body.file: missing'],
    ['a text where the file should be', form({ file: 'a,b', table: 'orders', mode: 'replace' }), 'body.file: missing'],
    ['a bad name', form({ file: csv(), table: '../x', mode: 'replace' }), 'body.table: '],
    ['a bad mode', form({ file: csv(), table: 'orders', mode: 'merge' }), 'body.mode: '],
    ['a field too many', form({ file: csv(), table: 'orders', mode: 'replace', more: 'x' }), 'body: '],
    ['a second file', form({ file: csv(), other: csv(), table: 'orders', mode: 'replace' }), 'body.other: one file'],
    ['an endless field', form({ file: csv(), table: 'x'.repeat(5_000), mode: 'replace' }), 'body.table: too long'],
    ['no form at all', 'hello', 'body: send multipart/form-data'],
  ])('with %s is refused', async (_, body, message) => {
    const before = world.uploads.length
    const [status, failure] = await upload(body)
    expect(failure.message.slice(0, message.length)).toBe(message)
    expect([status, world.uploads.length, await spooled()]).toEqual([400, before, []])
  })

  test('that is too large is refused, whether it says so or not', async () => {
    expect(await upload(form({ file: csv('x'.repeat(120_000)), table: 'orders', mode: 'replace' }))).toEqual([
      413,
      expect.objectContaining({ message: 'a file may have at most 97.7 KiB' }),
    ])
    expect((await upload(form({ file: csv('x'.repeat(900_000)), table: 'orders', mode: 'replace' })))[0]).toBe(413)
    expect(await spooled()).toEqual([])
  })

  test('that stops halfway, or whose client goes away, is given up', async () => {
    const head = `POST /api/tables/upload HTTP/1.1\r\nHost: localhost:${world.port}\r\nCookie: ${admin}\r\nX-Boathouse: 1\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000\r\n\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\na,b\n`
    const idle = connect(world.port, '127.0.0.1')
    idle.write(head)
    const answer = new Promise<string>((resolve) => idle.once('data', (data) => resolve(String(data))))
    await expect.poll(spooled).toHaveLength(1)
    expect(await answer).toContain('nothing came for 0.2 s')
    idle.destroy()
    const gone = connect(world.port, '127.0.0.1')
    gone.write(head)
    await expect.poll(spooled).toHaveLength(1)
    gone.destroy()
    await expect.poll(spooled).toHaveLength(0)
  })

  // what a browser or an attacker calls the file, what it is called here
  test.each([
    ['orders.csv', 'orders.csv'],
    ['C:\\Users\\ada\\orders.csv', 'orders.csv'],
    ['../../etc/passwd', 'passwd'],
    ['..', 'upload'],
    ['.env', 'env'],
    ['', 'upload'],
    ['a\0b\n.csv', 'a_b_.csv'],
    ["x'; drop--.csv", 'x__ drop--.csv'],
    ['CON.csv ', 'CON.csv'],
    [`${'ä'.repeat(200)}.csv`, `${'ä'.repeat(73)}.csv`],
  ])('%j becomes %j', (given, safe) => expect(safeFileName(given)).toBe(safe))

  test('what a killed process left is removed after a day', async () => {
    const spool = join(world.dir, 'old-spool')
    for (const name of ['upload-old', 'upload-new', 'keep-old']) await mkdir(join(spool, name), { recursive: true })
    await writeFile(join(spool, 'upload-old', 'x.csv'), 'x')
    const now = Date.now()
    for (const name of ['upload-old', 'keep-old']) await utimes(join(spool, name), 0, (now - 25 * 3_600_000) / 1_000)
    await clearSpool(spool, now)
    expect((await readdir(spool)).sort()).toEqual(['keep-old', 'upload-new'])
    await clearSpool(join(spool, 'missing'), now)
  })
})

describe('multipart', () => {
  async function parts(body: AsyncIterable<Uint8Array>, boundary: string) {
    const found = []
    for await (const { name, fileName, body: content } of readParts(body, boundary))
      found.push({ name, fileName, bytes: Buffer.concat(await Array.fromAsync(content)) })
    return found
  }
  async function* cut(bytes: Uint8Array, sizes: number[]) {
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = sizes[turn % sizes.length] ?? bytes.length
      yield bytes.subarray(at, at + size)
      at += size
    }
  }

  test('what undici writes is read back, however it is cut into pieces', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
            fileName: fc.option(fc.string({ unit: 'grapheme', maxLength: 8 })),
            bytes: fc.uint8Array({ maxLength: 200 }),
          }),
          { maxLength: 5 },
        ),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
        async (fields, sizes) => {
          const body = new FormData()
          for (const { name, fileName, bytes } of fields)
            body.append(name, new Blob([new Uint8Array(bytes)]), fileName ?? 'blob')
          const encoded = new Response(body)
          const boundary = boundaryOf(encoded.headers.get('content-type')!)!
          const found = await parts(cut(new Uint8Array(await encoded.arrayBuffer()), sizes), boundary)
          // Line ends in names are written as CR LF by the HTML standard.
          const lines = (text: string) => text.replace(/\r\n|\r|\n/g, '\r\n')
          expect(found.map(({ name, bytes }) => [lines(name), [...bytes]])).toEqual(
            fields.map(({ name, bytes }) => [lines(name), [...bytes]]),
          )
          expect(found.map(({ fileName }) => lines(fileName ?? ''))).toEqual(
            fields.map(({ fileName }) => lines(fileName ?? 'blob')),
          )
        },
      ),
      { numRuns: 200 },
    ))

  test.each([
    ['whole', '--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n--b--\r\nepilogue'],
    ['malformed', '--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--'],
  ])('the source of a %s body is closed: it holds a timer', async (_, body) => {
    let closed = false
    async function* source() {
      try {
        yield* cut(Buffer.from(body), [4])
        await new Promise(() => {}) // a client that keeps its side open
      } finally {
        closed = true
      }
    }
    await parts(source(), 'b').catch(() => {})
    expect(closed).toBe(true)
  })

  test('content that looks like a boundary is content', async () => {
    const body =
      '--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n\r\n--\r\n--a\r\n-b--b\r\n--b--\r\n'
    expect((await parts(cut(Buffer.from(body), [3]), 'b')).map(({ bytes }) => String(bytes))).toEqual([
      '\r\n--\r\n--a\r\n-b--b',
    ])
  })

  test('parts that nobody reads are skipped', async () => {
    const body = await new Response(form({ a: 'x'.repeat(1_000), b: 'y' })).text()
    const names = []
    for await (const { name } of readParts(cut(Buffer.from(body), [7]), body.slice(2, body.indexOf('\r\n'))))
      names.push(name)
    expect(names).toEqual(['a', 'b'])
  })

  test.each([
    '',
    '--b',
    '--b\r\n',
    '--b\r\n\r\nx\r\n--b--',
    '--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--',
    '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx',
    `--b\r\n${'X: y\r\n'.repeat(9_000)}`,
    '--bx\r\n',
    `--b${' '.repeat(300)}`,
  ])(
    'malformed: %j',
    async (body) =>
      await expect(parts(cut(Buffer.from(body), [5]), 'b')).rejects.toThrow(
        expect.objectContaining({ code: 'REQUEST_INVALID' }),
      ),
  )

  test.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['Multipart/Form-Data; charset=utf-8; boundary="a b"', 'a b'],
    ['multipart/form-data', undefined],
    ['multipart/mixed; boundary=abc', undefined],
    [undefined, undefined],
  ])('the boundary of %j is %j', (type, boundary) => expect(boundaryOf(type)).toBe(boundary))
})
