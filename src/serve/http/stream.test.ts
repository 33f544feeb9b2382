import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { QueryLine, QueryResult, Result } from '../../contract/index.ts'
import { openWorld, run, type World } from './test-world.ts'

let world: World
let admin: string
let reader: string
beforeAll(async () => {
  world = await openWorld({
    limits: {
      queriesMax: 3,
      answerBytesMax: 100_000,
      heartbeatMs: 100,
      eventsWaitingMax: 4,
      eventStreamsPerPrincipalMax: 4,
    },
  })
  admin = await world.cookie('admin')
  reader = await world.cookie('reader')
})
afterAll(() => world[Symbol.asyncDispose]())

const query = (
  body: object,
  { as = reader, path = '/api/query', signal }: { as?: string; path?: string; signal?: AbortSignal } = {},
) => world.fetch(path, { method: 'POST', as, json: body, ...(signal ? { signal } : {}) })
const lines = async (response: Response) =>
  (await response.text())
    .trim()
    .split('\n')
    .map((line) => QueryLine.parse(JSON.parse(line)))
const cancel = (id: string, as = reader) => world.fetch(`/api/query/${id}`, { method: 'DELETE', as })
const running = async (id: string) => expect.poll(() => world.asked.some(({ sql }) => sql === id)).toBe(true)

describe('a query answered whole', () => {
  test('has its rows as the engine wrote them', async () => {
    const result = QueryResult.parse(await (await query({ sql: 'rows 2500', id: 'my-query-1' })).json())
    expect(result).toMatchObject({
      id: 'my-query-1',
      truncated: false,
      provenance: { tables: [{ snapshotId: '42' }] },
      cached: { hit: false },
    })
    expect(result.rows).toHaveLength(2_500)
    expect(result.rows[2_499]).toEqual([2_499, '1500.00'])
  })

  test.each([
    [0, 0, false],
    [10, 10, false],
    [11, 10, true],
  ])('%i rows, at most 10: %i, truncated %s', async (rows, shown, truncated) => {
    expect(await (await query({ sql: `rows ${rows}`, rowsMax: 10 })).json()).toMatchObject({
      rows: { length: shown },
      truncated,
    })
  })

  test('that fails midway is a failure', async () => {
    const response = await query({ sql: 'rows 2000 then fail' })
    expect([response.status, await response.json()]).toEqual([503, expect.objectContaining({ code: 'ENGINE_LOST' })])
  })

  test('that is too large says so', async () => {
    const response = await query({ sql: 'rows 9000' })
    expect([response.status, await response.json()]).toEqual([
      422,
      expect.objectContaining({ code: 'QUERY_TOO_LARGE', message: 'the result is larger than 97.7 KiB' }),
    ])
  })

  test('a preview quotes what it is asked for and asks for one row more', async () => {
    const response = await world.fetch(
      `/api/tables/${encodeURIComponent('a"b')}/${encodeURIComponent('x; drop')}/preview?limit=2&snapshot=17`,
      { as: reader },
    )
    expect(Result.parse(await response.json()).rows).toHaveLength(2)
    expect(world.asked.at(-1)).toMatchObject({
      sql: 'select * from "a""b"."x; drop" limit 3',
      options: { asOf: '17', rowsMax: 2, door: 'http' },
    })
  })
})

describe('a query answered in lines', () => {
  test('is a header, rows, an end', async () => {
    const response = await query({ sql: 'rows 2500' }, { path: '/api/query/stream' })
    expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8')
    const all = await lines(response)
    expect(all.map((line) => (line.kind === 'rows' ? line.rows.length : line.kind))).toEqual([
      'header',
      1_000,
      1_000,
      500,
      'end',
    ])
    expect(all.at(-1)).toMatchObject({ rowCount: 2_500, truncated: false })
  })

  test('that fails before its header is an ordinary failure', async () => {
    const response = await query({ sql: 'fail' }, { path: '/api/query/stream' })
    expect([response.status, await response.json()]).toEqual([422, expect.objectContaining({ code: 'SQL_INVALID' })])
  })

  test('that fails midway ends with the failure, and never looks complete', async () => {
    const response = await query({ sql: 'rows 1500 then fail' }, { path: '/api/query/stream' })
    const all = await lines(response)
    expect(all.map(({ kind }) => kind)).toEqual(['header', 'rows', 'rows', 'failure'])
    expect(all.at(-1)).toMatchObject({
      failure: { code: 'ENGINE_LOST', requestId: response.headers.get('x-request-id') },
    })
    const crashed = await query({ sql: 'rows 10 then crash' }, { path: '/api/query/stream' })
    expect(await crashed.text()).not.toContain('secret')
  })

  test('is cancelled when the client goes away, before and after the header', async () => {
    for (const sql of ['hang', 'rows 5 then hang']) {
      const stop = new AbortController()
      const asking = query({ sql, id: `client-left-${sql.length}` }, { path: '/api/query/stream', signal: stop.signal })
      if (sql === 'hang') {
        await running('hang')
        asking.catch(() => {})
      } else await asking
      const { signal } = world.asked.at(-1)!.options
      expect(signal!.aborted).toBe(false)
      stop.abort()
      await expect.poll(() => signal!.aborted).toBe(true)
      // Its id is free again.
      await expect.poll(async () => (await query({ sql: 'rows 1', id: `client-left-${sql.length}` })).status).toBe(200)
    }
  })

  test('waits for a slow reader', async () => {
    const response = await query({ sql: 'rows 5000' }, { path: '/api/query/stream' })
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect((await lines(response)).at(-1)).toMatchObject({ kind: 'end', rowCount: 5_000 })
  })
})

describe('cancelling', () => {
  test('ends a query by its id, whole or streamed, and says that it was cancelled', async () => {
    const whole = query({ sql: 'hang', id: 'cancel-me-1' })
    const streamed = await query({ sql: 'rows 5 then hang', id: 'cancel-me-2' }, { path: '/api/query/stream' })
    await expect.poll(async () => (await query({ sql: 'rows 1', id: 'cancel-me-1' })).status).toBe(409)
    expect((await cancel('cancel-me-1')).status).toBe(200)
    expect((await cancel('cancel-me-2')).status).toBe(200)
    expect(await whole.then(async (response) => [response.status, await response.json()])).toEqual([
      499,
      expect.objectContaining({ code: 'QUERY_CANCELLED' }),
    ])
    expect((await lines(streamed)).at(-1)).toMatchObject({ kind: 'failure', failure: { code: 'QUERY_CANCELLED' } })
  })

  test('one that has ended is done already; that of another is theirs, but an administrator may', async () => {
    expect(await (await cancel('never-was-one')).json()).toEqual({ ok: true })
    const one = query({ sql: 'hang', id: 'of-the-reader' })
    await expect.poll(async () => (await query({ sql: 'rows 1', id: 'of-the-reader' })).status).toBe(409)
    const two = query({ sql: 'hang', id: 'of-the-admin' }, { as: admin })
    await expect.poll(async () => (await query({ sql: 'rows 1', id: 'of-the-admin' })).status).toBe(409)
    expect((await cancel('of-the-admin', reader)).status).toBe(403)
    expect((await cancel('of-the-reader', admin)).status).toBe(200)
    expect((await cancel('of-the-admin', admin)).status).toBe(200)
    expect([(await one).status, (await two).status]).toEqual([499, 499])
  })

  test('too many at once are refused', async () => {
    const stop = new AbortController()
    const hanging = [1, 2, 3].map((n) =>
      query({ sql: 'hang', id: `crowd-${n}-of-3` }, { signal: stop.signal }).catch(() => {}),
    )
    await expect.poll(async () => (await query({ sql: 'rows 1' })).status).toBe(429)
    stop.abort()
    await Promise.all(hanging)
    await expect.poll(async () => (await query({ sql: 'rows 1' })).status).toBe(200)
  })
})

describe('events', () => {
  async function listen(as: string) {
    const stop = new AbortController()
    const response = await world.fetch('/api/events', { as, signal: stop.signal })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const ended = (async () => {
      for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value
    })().catch(() => {})
    return {
      response,
      ended,
      text: () => text,
      events: () => [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json!)),
      close: () => stop.abort(),
    }
  }

  test('begin with a hello, go to every open page, and a heartbeat keeps the line open', async () => {
    const [one, two] = [await listen(reader), await listen(admin)]
    expect(one.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    world.emit({ kind: 'run', run })
    for (const page of [one, two])
      await expect.poll(() => page.events().map(({ kind }) => kind)).toEqual(['hello', 'run'])
    await expect.poll(() => one.text()).toContain(': still here\n\n')
    one.close()
    two.close()
  })

  test('stop when the session ends', async () => {
    const cookie = await world.cookie('reader')
    const page = await listen(cookie)
    await world.fetch('/api/session', { method: 'DELETE', as: cookie })
    await page.ended
    expect(page.events()).toHaveLength(1)
  })

  test('too many pages of one person are refused, and closed ones do not count', async () => {
    const pages = []
    for (let count = 0; count < 4; count++) pages.push(await listen(admin))
    expect((await world.fetch('/api/events', { as: admin })).status).toBe(429)
    for (const page of pages) page.close()
    await expect
      .poll(async () => {
        const page = await listen(admin)
        page.close()
        return page.response.status
      })
      .toBe(200)
  })

  test('a page that does not read is cut off instead of filling the memory', async () => {
    const page = await world.fetch('/api/events', { as: reader })
    for (let count = 0; count < 20_000; count++)
      world.emit({ kind: 'dashboard', name: 'x'.repeat(1_000), revision: String(count) })
    let size = 0
    for await (const chunk of page.body!) size += chunk.length
    expect(size).toBeLessThan(20_000_000)
  })

  test('a stopping server ends them', async () => {
    const other = await openWorld()
    const response = await other.fetch('/api/events', { as: await other.cookie('reader') })
    await other[Symbol.asyncDispose]()
    expect(await response.text()).toContain('"kind":"hello"')
  })
})

describe('closing', () => {
  test('waits for what is under way', async () => {
    const other = await openWorld({ limits: { graceMs: 5_000 } })
    const cookie = await other.cookie('reader')
    const hanging = other.fetch('/api/query', { method: 'POST', as: cookie, json: { sql: 'hang', id: 'the-last-one' } })
    await expect.poll(() => other.asked.length).toBe(1)
    const second = other.fetch('/api/query', { method: 'POST', as: cookie, json: { sql: 'rows 3' } })
    expect((await second).status).toBe(200)
    const closing = other[Symbol.asyncDispose]()
    await expect(other.fetch('/healthz')).rejects.toThrow()
    // Nobody can ask any more, so the query is ended from inside.
    ;(
      other.asked[0]!.options.signal as AbortSignal & { dispatchEvent: (event: globalThis.Event) => void }
    ).dispatchEvent(new globalThis.Event('abort'))
    expect((await hanging).status).toBe(499)
    await closing
  })

  test('cancels what does not end within the grace', async () => {
    const other = await openWorld({ limits: { graceMs: 100 } })
    const hanging = other.fetch('/api/query', {
      method: 'POST',
      as: await other.cookie('reader'),
      json: { sql: 'hang' },
    })
    await expect.poll(() => other.asked.length).toBe(1)
    await other[Symbol.asyncDispose]()
    expect((await hanging).status).toBe(499)
    expect(other.asked[0]!.options.signal!.aborted).toBe(true)
  })
})
