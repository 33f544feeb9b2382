import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openExample, revenue, type Example } from '../support/example.ts'

let example: Example
beforeAll(async () => {
  example = openExample()
  const ran = await example.boathouse(['run'])
  expect(ran, ran.stderr).toMatchObject({ code: 0 })
})
afterAll(() => example.close())

const edit = (file: string, change: (text: string) => string) => {
  const path = join(example.dir, file)
  const before = existsSync(path) ? readFileSync(path, 'utf8') : undefined
  writeFileSync(path, change(before ?? ''))
  return () => (before === undefined ? rmSync(path) : writeFileSync(path, before))
}

describe('the numbers', () => {
  test('equal those of the file, computed without any of this code', async () => {
    const orders = example.csv()
    const customers = new Set(orders.map(({ customerId }) => customerId)).size
    expect(
      await example.rows(
        'select sum(line_total)::varchar, count(distinct order_id), count(distinct customer_id) from staging.stg_sales',
      ),
    ).toEqual([[revenue(orders), orders.length, customers]])
    const north = orders.filter(({ region }) => region === 'North')
    expect(
      await example.rows(
        "select sum(revenue)::varchar, sum(orders)::bigint from marts.daily_revenue where region = 'North'",
      ),
    ).toEqual([[revenue(north), north.length]])
  })
})

describe('publications', () => {
  const count = async () => (await example.rows('select count(*) from raw.sales'))[0]![0]

  test('a failing test leaves the published tables as they were, and the run says why', async () => {
    const before = await example.rows(
      'select (select count(*) from raw.sales), (select count(*) from staging.stg_sales)',
    )
    const undo = edit(
      'sales.csv',
      (text) => `${text.trimEnd()}\nORD-0001,CUST-0001,2024-03-31,Laptop,1,1500.00,North\n`,
    )
    try {
      const { code, stderr } = await example.boathouse(['run'])
      expect(code).toBe(1)
      expect(stderr).toContain('TEST_FAILED')
      expect(stderr).toMatch(/unique.*order_id/)
      expect(
        await example.rows('select (select count(*) from raw.sales), (select count(*) from staging.stg_sales)'),
      ).toEqual(before)
      const [run] = JSON.parse((await example.boathouse(['runs', 'ls', '--json'])).stdout) as {
        status: string
        failure: { code: string }
      }[]
      expect(run).toMatchObject({ status: 'failed', failure: { code: 'TEST_FAILED' } })
    } finally {
      undo()
    }
  })

  test('rollback restores the state before a run', async () => {
    const before = await count()
    const undo = edit(
      'sales.csv',
      (text) => `${text.trimEnd()}\nORD-9998,CUST-0001,2024-03-31,Laptop,1,1500.00,North\n`,
    )
    expect((await example.boathouse(['run'])).code).toBe(0)
    expect(await count()).toBe(Number(before) + 1)
    const [latest] = JSON.parse((await example.boathouse(['publications', 'ls', '--json'])).stdout) as { id: string }[]
    expect((await example.boathouse(['publications', 'rollback', latest!.id])).code).toBe(0)
    expect(await count()).toBe(before)
    expect(await example.rows("select count(*) from staging.stg_sales where order_id = 'ORD-9998'")).toEqual([[0]])
    undo()
  })
})

describe('bad input is one message with code, place and what to do', () => {
  test.each<[string, () => (() => void)[], string[], Record<string, string>, number, RegExp]>([
    [
      'an unknown variable',
      () => [],
      ['status'],
      { BOATHOUSE_HTPP_PORT: '9000' },
      2,
      /CONFIG_INVALID.*BOATHOUSE_HTPP_PORT.*BOATHOUSE_HTTP_PORT/s,
    ],
    [
      'a wrong port',
      () => [],
      ['status'],
      { BOATHOUSE_HTTP_PORT: '99999999' },
      2,
      /CONFIG_INVALID.*BOATHOUSE_HTTP_PORT.*99999999/s,
    ],
    [
      'an unknown key',
      () => [edit('boathouse.yml', (text) => `${text}\nstorrage:\n  root: x\n`)],
      ['status'],
      {},
      2,
      /CONFIG_INVALID.*boathouse\.yml:\d+:\d+.*storrage/s,
    ],
    [
      'a missing CSV',
      () => [edit('sources/sales.yml', (text) => text.replace('sales.csv', 'nope.csv'))],
      ['run'],
      {},
      1,
      /SOURCE_INVALID: sources\/sales\.yml:\d+:\d+: .*nope\.csv/,
    ],
    [
      'a broken row',
      () => [edit('sales.csv', (text) => `${text.trimEnd()}\nORD-9997,CUST-0001,2024-03-31,Laptop,one,many,North\n`)],
      ['run'],
      {},
      1,
      /SOURCE_INVALID: sales\.csv:1002/,
    ],
    [
      'a model with a SQL error',
      () => [edit('models/staging/stg_sales.sql', (text) => text.replace('        amount,', '        amuont,'))],
      ['run'],
      {},
      1,
      /models\/staging\/stg_sales\.sql:\d+:\d+: .*amuont/,
    ],
    [
      'a template error',
      () => [
        edit('models/marts/daily_revenue.sql', (text) =>
          text.replace("{{ ref('stg_sales') }}", "{{ ref('stg_sales' }}"),
        ),
      ],
      ['run'],
      {},
      1,
      /TEMPLATE_INVALID: models\/marts\/daily_revenue\.sql:\d+:\d+/,
    ],
    [
      'a ref to nothing',
      () => [edit('models/marts/daily_revenue.sql', (text) => text.replace("ref('stg_sales')", "ref('stg_sale')"))],
      ['run'],
      {},
      1,
      /MODEL_INVALID: models\/marts\/daily_revenue\.sql:\d+:\d+: .*stg_sale/,
    ],
    [
      'a cyclic ref',
      () => [edit('models/staging/stg_sales.sql', (text) => `${text}\n-- {{ ref('daily_revenue') }}\n`)],
      ['run'],
      {},
      1,
      /GRAPH_CYCLE/,
    ],
    ['nothing selected', () => [], ['run', '--select', 'nope'], {}, 2, /USAGE|MODEL_INVALID|nothing/],
    ['an unknown command', () => [], ['rnu'], {}, 2, /USAGE: there is no command "rnu"/],
    ['an unknown option', () => [], ['run', '--selct', 'x'], {}, 2, /USAGE.*--selct/],
    ['wrong SQL', () => [], ['query', 'select nope from raw.sales'], {}, 1, /SQL_INVALID: 1:8: .*nope/],
    ['an unknown environment', () => [], ['run', '--env', 'live'], {}, 2, /there is no environment live/],
    ['a folder that takes none', () => [], ['init', '/proc/x'], {}, 1, /STORAGE_FAILED: \/proc\/x cannot be used/],
  ])('%s', async (_, prepare, args, env, code, words) => {
    const published = await example.rows('select count(*) from raw.sales')
    const undo = prepare()
    try {
      const answer = await example.boathouse(args, { env })
      expect(answer.stderr).toMatch(words)
      expect(answer.stderr).not.toMatch(/^\s+at .*\.ts:/m)
      expect(answer.code).toBe(code)
    } finally {
      for (const step of undo) step()
    }
    expect(await example.rows('select count(*) from raw.sales')).toEqual(published)
  })

  test('a port that is taken is reported with its holder', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => holder.once('listening', resolve))
    const { port } = holder.address() as { port: number }
    const { code, stderr } = await example.boathouse(['up', '--detach', '--port', String(port)])
    holder.close()
    expect(stderr).toMatch(new RegExp(`PORT_TAKEN.*${port}.*${process.pid}`, 's'))
    expect(code).toBe(2)
  })
})

describe('the command line', () => {
  test('--json prints one value on standard output and nothing else', async () => {
    for (const args of [
      ['status'],
      ['table', 'ls'],
      ['runs', 'ls'],
      ['publications', 'ls'],
      ['doctor'],
      ['env', 'ls'],
      ['user', 'ls'],
      ['version'],
      ['table', 'history', 'raw.sales'],
      ['table', 'describe', 'raw.sales'],
    ]) {
      const { stdout } = await example.boathouse([...args, '--json'])
      expect(() => JSON.parse(stdout), args.join(' ')).not.toThrow()
    }
  })

  test('an inline query that cannot be read is told to be one, as by dbt', async () => {
    const { code, stdout } = await example.boathouse(['dbt', 'compile', '--inline', "select * from {{ ref('nope') }}"])
    expect(stdout).toMatch(/Error parsing inline query\nMODEL_INVALID: --inline:1:18: .*nope/)
    expect(code).toBe(2)
  })

  test('doctor passes, and leaves nothing behind', async () => {
    const tables = await example.rows('show tables')
    const { code, stdout } = await example.boathouse(['doctor'])
    expect(stdout).toContain('checks passed')
    expect(code).toBe(0)
    expect(await example.rows('show tables')).toEqual(tables)
  })

  test('time travel reads what was', async () => {
    const history = JSON.parse((await example.boathouse(['table', 'history', 'raw.sales', '--json'])).stdout) as {
      snapshotId: string
    }[]
    const { stdout } = await example.boathouse([
      'query',
      'select count(*) n from raw.sales',
      '--as-of',
      history.at(-1)!.snapshotId,
      '--format',
      'csv',
    ])
    expect(stdout.trim()).toBe('n\n1000')
  })

  test('an export has all rows, however many, and who reads its beginning alone is no failure', async () => {
    const asked = (sql: string, ...more: string[]) => example.boathouse(['query', sql, ...more])
    const { stdout } = await asked('select range as n from range(250000)', '--format', 'csv')
    expect(stdout.split('\n').length).toBe(250_002)
    const objects = await asked("select range as n, ['a'] as l from range(2500)", '--format', 'json')
    expect(JSON.parse(objects.stdout)).toEqual(Array.from({ length: 2500 }, (_, n) => ({ n, l: ['a'] })))
    expect(objects.stdout).toMatch(/^\[\n  \{\n    "n": 0,\n    "l": \[\n      "a"\n    \]\n  \},\n/)
    expect((await asked('select 1 as n where false', '--format', 'json')).stdout).toBe('[]\n')
    expect(await asked('select range as n from range(9)', '--format', 'csv', '--limit', '2')).toMatchObject({
      stdout: 'n\n0\n1\n',
      stderr: expect.stringContaining('cut after 2 rows'),
    })
    const child = example.start(['query', 'select range from range(3000000)', '--format', 'csv'])
    let complaint = ''
    child.stderr!.on('data', (text) => (complaint += String(text)))
    child.stdout!.once('data', () => child.stdout!.destroy())
    expect([await new Promise((resolve) => child.once('exit', resolve)), complaint]).toEqual([0, ''])
  })

  test('up, status and down; nothing is left running', async () => {
    const up = await example.boathouse(['up', '--detach', '--port', '0', '--json'], { env: { BOATHOUSE_PG_PORT: '0' } })
    expect(up, up.stderr).toMatchObject({ code: 0 })
    const { url, link, pid, sql } = JSON.parse(up.stdout) as {
      url: string
      link: string
      pid: number
      sql: { host: string; port: number }
    }
    expect(link).toContain(`${url}/login?token=`)
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok', db: 'ok', redis: 'off' })
    const status = JSON.parse((await example.boathouse(['status', '--json'])).stdout) as {
      running: { processes: Record<string, number> }
      sql: { host: string; port: number; status: string }
    }
    expect(sql).toEqual({ host: '127.0.0.1', port: expect.any(Number) })
    expect(status.sql).toEqual({ ...sql, status: 'ok' })
    expect((await example.boathouse(['status'])).stdout).toContain(
      `psql -h 127.0.0.1 -p ${sql.port} -U YOUR_NAME dev  ok`,
    )
    expect((await example.boathouse(['doctor'])).stdout).toContain(`127.0.0.1:${sql.port} answers`)
    expect((await example.boathouse(['down'])).code).toBe(0)
    for (const one of [pid, ...Object.values(status.running.processes)]) expect(lives(one)).toBe(false)
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
  })
})

/** A process that ended but was not yet collected by its parent lives no more. */
function lives(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    try {
      return process.kill(pid, 0) && !existsSync('/proc/self')
    } catch {
      return false
    }
  }
}
