// Every `*.test` file, each in schemas of its own, through three doors at once: HTTP, the command line's session, and the PostgreSQL wire.

import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { App } from '../../src/cli/app.ts'
import { loadConfig, resolveEnvironment } from '../../src/config/index.ts'
import { collect, openSession, splitStatements, type Session } from '../../src/lake/index.ts'
import { open } from '../../src/main.ts'
import { freePort } from '../support/free-port.ts'
import { isOracle, parseBlocks, printRow, showValue, type Block } from './format.ts'
import { oracled } from './print-oracle.ts'

const folder = import.meta.dirname
const files = readdirSync(folder).filter((name) => name.endsWith('.test'))

/** Rows as texts, or the code of the failure. */
type Door = {
  name: string
  run(sql: string): Promise<string[] | { code: string; sqlState?: string }>
  close(): Promise<void>
}

const password = 'seven oars and a heron'
let dir: string
let app: App
let server: Awaited<ReturnType<App['startServer']>>
let pgPort: number
let cookie: string

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sql-'))
  writeFileSync(join(dir, 'boathouse.yml'), 'name: sql\n')
  pgPort = await freePort()
  const config = loadConfig({
    dir,
    env: {
      BOATHOUSE_HTTP_PORT: '0',
      BOATHOUSE_PG_PORT: String(pgPort),
      BOATHOUSE_LIMITS_MEMORY: '1GiB',
      BOATHOUSE_LIMITS_THREADS: '2',
      BOATHOUSE_ADMIN_PASSWORD: password,
    },
  })
  app = await open(config, resolveEnvironment(config), { role: 'serve', quiet: true })
  server = await app.startServer()
  const entered = await post('/api/session', { name: 'admin', password })
  cookie = entered.headers.getSetCookie()[0]!.split(';')[0]!
})
afterAll(async () => {
  await server?.server.close()
  await app?.close()
  rmSync(dir, { recursive: true, force: true })
})

const post = (path: string, body: unknown) =>
  fetch(`http://127.0.0.1:${server.listening.port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-boathouse': '1', ...(cookie ? { cookie } : {}) },
    body: JSON.stringify(body),
  })

const show = (rows: unknown[][], types: string[]) =>
  rows.map((row) => printRow(row.map((value, at) => showValue(value, types[at]!))))

function overHttp(): Door {
  return {
    name: 'http',
    async run(sql) {
      const answer = await post('/api/query', { sql })
      const body = (await answer.json()) as { code: string; rows: unknown[][]; columns: { type: string }[] }
      return answer.ok
        ? show(
            body.rows,
            body.columns.map(({ type }) => type),
          )
        : { code: body.code }
    },
    close: async () => {},
  }
}

function onCommandLine(): Door {
  const session: Session = openSession(app.lake, app.asking('cli'))
  return {
    name: 'cli',
    async run(sql) {
      try {
        let last: string[] = []
        for (const one of splitStatements(sql)) {
          const { rows, columns } = await collect(await session.query(one.sql))
          last = show(
            rows,
            columns.map(({ type }) => type),
          )
        }
        return last
      } catch (error) {
        if (process.env.SQL_DEBUG) console.error(sql, String(error))
        return { code: (error as { code: string }).code }
      }
    },
    close: () => session.close(),
  }
}

/** PostgreSQL's names of the types that `showValue` treats apart. */
const pgTypes: Record<number, string> = { 16: 'BOOLEAN', 700: 'FLOAT', 701: 'DOUBLE' }

async function overWire(): Promise<Door> {
  const client = new pg.Client({ host: '127.0.0.1', port: pgPort, user: 'admin', password, database: 'dev' })
  await client.connect()
  return {
    name: 'wire',
    async run(sql) {
      try {
        const types = { getTypeParser: () => (text: string) => text }
        const answered: unknown = await client.query({ text: sql, rowMode: 'array', types } as pg.QueryArrayConfig)
        // Several statements give several results.
        const { rows, fields } = (Array.isArray(answered) ? answered.at(-1) : answered) as pg.QueryArrayResult
        return show(
          rows,
          fields.map(({ dataTypeID }) => pgTypes[dataTypeID] ?? 'VARCHAR'),
        )
      } catch (error) {
        const { code, message } = error as { code: string; message: string }
        return { code: message, sqlState: code }
      }
    },
    close: () => client.end(),
  }
}

// All files at once: most of a statement's time is waiting, for an engine host or for the disk.
test.concurrent.each(files)('%s', { timeout: 600_000 }, async (file) => {
  const blocks = parseBlocks(readFileSync(join(folder, file), 'utf8'))
  const doors = [overHttp(), onCommandLine(), await overWire()]
  const found = await Promise.all(doors.map((door) => through(door, blocks, basename(file, '.test'))))
  await Promise.all(doors.map((door) => door.close()))
  expect(found.flat()).toEqual([])
})

/** What is other than expected. */
async function through(door: Door, blocks: readonly Block[], file: string): Promise<string[]> {
  const schema = `${file}_${door.name}`
  const wrong: string[] = []
  await door.run(`create schema ${schema}`)
  for (const { kind, sql, rows, code, line } of blocks) {
    const answer = await door.run(sql.replaceAll('{s}', schema))
    const isFailed = !Array.isArray(answer)
    const told = isFailed ? answer.code : answer.map((row) => row.replaceAll(schema, '{s}'))
    const place = `${file}.test:${line} ${door.name}: ${sql}\n  `
    if (kind === 'error') {
      // The wire says what went wrong by SQLSTATE: that it is refused is what counts there.
      // A transaction that was begun in the text is over where texts share a session, too.
      if (sql.startsWith('begin') || sql.startsWith('start')) await door.run('rollback')
      if (!isFailed) wrong.push(`${place}was not refused`)
      else if (door.name !== 'wire' && answer.code !== code)
        wrong.push(`${place}gave ${answer.code} instead of ${code}`)
    } else if (isFailed) wrong.push(`${place}failed: ${answer.code}`)
    else if (kind === 'query' && JSON.stringify(told) !== JSON.stringify(rows))
      wrong.push(`${place}gave\n    ${(told as string[]).join('\n    ')}\n  instead of\n    ${rows.join('\n    ')}`)
  }
  return wrong
}

test('there are at least 600 statements, and DuckDB says what its files say', async () => {
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8'))
  expect(texts.reduce((sum, text) => sum + parseBlocks(text).length, 0)).toBeGreaterThanOrEqual(600)
  for (const text of texts.filter(isOracle)) expect(await oracled(text)).toBe(text)
})
