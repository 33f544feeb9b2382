import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestEngine } from './engine.testing.ts'
import { openEngine } from './index.ts'
import { stalledMax } from './slots.ts'

const { engine, dir, close } = openTestEngine({ memoryBytes: 800 * 2 ** 20, classes: ['plan', 'interactive'] })
beforeAll(() => {
  mkdirSync(join(dir, 'secret'))
  writeFileSync(join(dir, 'secret/a.csv'), 'a\n1\n')
  writeFileSync(join(dir, 'lake/b.csv'), 'a\n7\n')
})
afterAll(close)
const rows = (sql: string, more = {}) => engine.rows({ class: 'interactive', sql, ...more })

test.each([
  ['1::int', 1],
  ['9007199254740991::bigint', 9007199254740991],
  ['9007199254740993::bigint', '9007199254740993'],
  ['170141183460469231731687303715884105727::hugeint', '170141183460469231731687303715884105727'],
  ['sum(1::int)', '1'],
  ['1500.10::decimal(12,2)', '1500.10'],
  ['-0.05::decimal(38,10)', '-0.0500000000'],
  ['1.5::double', 1.5],
  ["'nan'::double", 'NaN'],
  ["'-inf'::float", '-Infinity'],
  ['true', true],
  ['null', null],
  ["date '2024-03-31'", '2024-03-31'],
  ["timestamp '2024-03-31 12:00:00'", '2024-03-31 12:00:00'],
  ["timestamp '2024-03-31 12:00:00.120'", '2024-03-31 12:00:00.12'],
  ["timestamptz '2024-03-31 12:00:00+02'", '2024-03-31T10:00:00Z'],
  ["timestamptz '1969-12-31 23:59:59.999999+00'", '1969-12-31T23:59:59.999999Z'],
  ["time '12:30:00'", '12:30:00'],
  ["'a\"b\\é😀'", 'a"b\\é😀'],
  ['[1, null, 3]', [1, null, 3]],
  ["{'x': 1.10::decimal(4,2), 'y': null}", { x: '1.10', y: null }],
  ['row(1, 2)', [1, 2]],
  ["row(1, row('a', [row(2, null)]))", [1, ['a', [[2, null]]]]],
  ["{'x': row(1, 2)}", { x: [1, 2] }],
  ["[{'x': 1, 'y': [{'z': 2}]}, null]", [{ x: 1, y: [{ z: 2 }] }, null]],
  [
    "array_value(row(1, 'a'), row(2, 'b'))",
    [
      [1, 'a'],
      [2, 'b'],
    ],
  ],
  ['map {row(1, 2): row(3, 4)}', [{ key: [1, 2], value: [3, 4] }]],
  ['{"__proto__": 5, "2": 6, "1": 7}', { ['__proto__']: 5, 2: 6, 1: 7 }],
  ["map {'k': [1]}", [{ key: 'k', value: [1] }]],
  ["'ab'::blob", 'YWI='],
  ["'4c1aa0ea-3cb2-4e0c-a4a8-6a1ab2a3a5b1'::uuid", '4c1aa0ea-3cb2-4e0c-a4a8-6a1ab2a3a5b1'],
])('encodes %s', async (sql, value) => expect(await rows(`select ${sql}`)).toEqual([[value]]))

test('the rows that a LIMIT leaves are found before they are joined, whoever is done first', async () => {
  const setup = [
    'CREATE TABLE many AS SELECT range::INT AS n FROM range(200000)',
    'CREATE TABLE few AS SELECT range::INT AS n FROM range(150000, 160000, 1000)',
  ]
  const sql = 'SELECT count(*)::INT FROM (FROM many ORDER BY n DESC LIMIT 45000) JOIN few USING (n)'
  for (let round = 0; round < 25; round++) expect(await rows(sql, { setup })).toEqual([[5]])
})

test('a query that meets a fault of DuckDB itself takes only its own host along', async () => {
  const faulty =
    "SELECT lead(n ORDER BY n) OVER (ORDER BY c ROWS BETWEEN 3 FOLLOWING AND 1 FOLLOWING) FROM (VALUES (1, 'a'), (2, 'b'), (NULL, 'b')) t(n, c)"
  for (const name of ['interactive', 'plan'] as const) {
    await expect(engine.rows({ class: name, sql: faulty })).rejects.toThrow('Information loss')
    expect(await engine.rows({ class: name, sql: 'select 1' })).toEqual([[1]])
  }
})

test('gives names and types, and all rows in order across chunks', async () => {
  const result = await engine.run({ class: 'interactive', sql: "select range n, 'x' || range s from range(300000)" })
  expect(result.columns).toEqual([
    { name: 'n', type: 'BIGINT' },
    { name: 's', type: 'VARCHAR' },
  ])
  let next = 0
  for await (const chunk of result.chunks) {
    const part = JSON.parse(chunk.json) as [number, string][]
    expect(part.length).toBe(chunk.rowCount)
    for (const row of part) expect(row[0]).toBe(next++)
  }
  expect([next, result.truncated()]).toEqual([300000, false])
})

test('cuts at rowsMax and says so', async () => {
  const result = await engine.run({ class: 'interactive', sql: 'from range(100000)', rowsMax: 5000 })
  let count = 0
  for await (const chunk of result.chunks) count += chunk.rowCount
  expect([count, result.truncated()]).toEqual([5000, true])
})

test('a failure in the middle of a stream is a failure, with its reason', async () => {
  const sql = "select case when range > 500000 then error('late') else range end from range(1000000)"
  await expect(rows(sql)).rejects.toThrow('late')
  expect(await rows('select 1')).toEqual([[1]])
})

test.each([
  ['select 1 +', 'parser'],
  ['select nope from (select 1 a)', 'binder', 7],
  ['from nowhere', 'catalog', 5],
])('%s is refused with its kind and position', async (sql, type, offset?) => {
  const error = await engine.bind({ class: 'plan', sql }).catch((e: { error: unknown }) => e.error)
  expect(error).toMatchObject({ type, ...(offset === undefined ? {} : { offset }) })
})

test('cancels, and times out, and goes on', async () => {
  const slow = 'select count(*) from range(100000000) a, range(100000) b where a.range + b.range = -1'
  await expect(rows(slow, { timeoutMs: 200 })).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' })
  await expect(rows(slow, { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({ code: 'QUERY_CANCELLED' })
  expect(await rows('select 42')).toEqual([[42]])
})

test('the time that a reader takes is not counted', async () => {
  await rows('select 1')
  const { chunks } = await engine.run({ class: 'interactive', sql: 'from range(1000000)', timeoutMs: 4000 })
  let count = 0
  for await (const { rowCount } of chunks) {
    if (count === 0) await new Promise((resolve) => setTimeout(resolve, 5000))
    count += rowCount
  }
  expect(count).toBe(1_000_000)
})

test('a cancel while the host is still starting is not lost', async () => {
  const other = openEngine({
    memoryBytes: 2 ** 29,
    threads: 1,
    tempDirectory: join(dir, 'tmp4'),
    tempBytes: 2 ** 30,
    timeZone: 'UTC',
    directories: [],
    classes: ['interactive'],
  })
  const stop = new AbortController()
  const slow = other.rows({
    class: 'interactive',
    sql: 'select count(*) from range(100000000) a, range(100000) b where a.range + b.range = -1',
    signal: stop.signal,
  })
  setTimeout(() => stop.abort(), 10)
  await expect(slow).rejects.toMatchObject({ code: 'QUERY_CANCELLED' })
  await other.close()
})

test('where a class has no host, one that may open files stands in for it', async () => {
  const worker = openEngine({
    memoryBytes: 2 ** 29,
    threads: 1,
    tempDirectory: join(dir, 'tmp5'),
    tempBytes: 2 ** 30,
    timeZone: 'UTC',
    directories: [join(dir, 'lake')],
    classes: ['plan', 'write'],
  })
  expect(await worker.rows({ class: 'interactive', sql: `from '${join(dir, 'lake/b.csv')}'` })).toEqual([[7]])
  await worker.close()
})

test('a reader that leaves early stops the query', async () => {
  const { chunks } = await engine.run({ class: 'interactive', sql: 'from range(1000000000)' })
  for await (const _ of chunks) break
  await expect.poll(() => engine.status().find((host) => host.class === 'interactive')!.running).toBe(0)
})

test('long queries in all slots do not keep short ones waiting for their end', async () => {
  const slots = 8
  const stop = new AbortController()
  const long = Array.from({ length: slots }, () =>
    rows('select count(*) from range(100000000000)', { signal: stop.signal }).catch(
      (error: { code: string }) => error.code,
    ),
  )
  expect(await rows('select 42')).toEqual([[42]])
  stop.abort()
  expect(await Promise.all(long)).toEqual(Array.from({ length: slots }, () => 'QUERY_CANCELLED'))
})

test('what cannot be interrupted is killed, and the next query has a new host', async () => {
  const stuck = "select levenshtein(repeat('abcdefghij', 9000), repeat('jihgfedcba', 9000))"
  await expect(rows(stuck, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' })
  expect(await rows('select 42')).toEqual([[42]])
})

test('kill -9 of a host fails only its own queries', async () => {
  const slow = rows('select count(*) from range(100000000) a, range(100000) b where a.range + b.range = -1')
  await rows('select 1')
  process.kill(engine.status().find((host) => host.class === 'interactive')!.pid!, 'SIGKILL')
  await expect(slow).rejects.toMatchObject({ code: 'ENGINE_LOST' })
  expect(await engine.bind({ class: 'plan', sql: 'select 1 a' })).toEqual([{ name: 'a', type: 'INTEGER' }])
  expect(await rows('select 42')).toEqual([[42]])
})

test('a lost planning host is asked once more', async () => {
  await engine.bind({ class: 'plan', sql: 'select 1 a' })
  const { pid } = engine.status().find((host) => host.class === 'plan')!
  process.kill(pid!, 'SIGKILL')
  expect(await engine.bind({ class: 'plan', sql: 'select 2 b' })).toEqual([{ name: 'b', type: 'INTEGER' }])
})

test('readers that stall keep nobody waiting; of too many of them one loses its rows', async () => {
  const sql = "select range, repeat('x', 100) from range(100000000)"
  const stop = new AbortController()
  const stalled: Promise<void>[] = []
  const all = Array.from({ length: stalledMax.all + 1 }, (_, at) => {
    const { promise, resolve: onIdle } = Promise.withResolvers<void>()
    stalled.push(promise)
    return engine.run({ class: 'interactive', sql, owner: `owner ${at % 3}`, onIdle, signal: stop.signal })
  })
  await Promise.all(stalled)
  expect(await rows('select 42')).toEqual([[42]])
  stop.abort()
  const ends = (await Promise.all(all)).map(async ({ chunks }) => {
    for await (const { rowCount } of chunks) expect(rowCount).toBeGreaterThan(0)
  })
  const told = (await Promise.allSettled(ends)).map((end) => (end as PromiseRejectedResult).reason as Error)
  for (const reason of told) expect(reason).toMatchObject({ code: 'QUERY_CANCELLED' })
  expect(told.filter(({ message }) => message.includes('not read'))).toHaveLength(1)
})

test('a host that grows past its share is ended, not the machine', async () => {
  const greedy =
    "select length(repeat('x', 900000000)) + length(repeat('y', 900000000)) + length(repeat('z', 900000000)) n, levenshtein(repeat('abcdefghij', 9000), repeat('jihgfedcba', 9000))"
  await expect(rows(greedy, { timeoutMs: 20_000 })).rejects.toMatchObject({
    code: expect.stringMatching(/ENGINE_LOST|QUERY_TIMEOUT/),
  })
  expect(await rows('select 42')).toEqual([[42]])
})

test.each([
  ["from read_csv('$dir/secret/a.csv')"],
  ["from read_text('/etc/passwd')"],
  ["copy (select 1) to '$dir/secret/x.csv'"],
  ["attach '$dir/secret/x.db' as x"],
  ["set memory_limit = '100GB'"],
  ['install httpfs'],
])('a locked host refuses %s', async (sql) => {
  await expect(rows(sql.replaceAll('$dir', dir))).rejects.toThrow()
})

test('a plan host reads no file at all', async () => {
  await expect(engine.rows({ class: 'plan', sql: `from read_csv('${dir}/lake/b.csv')` })).rejects.toThrow()
  expect(await rows(`from read_csv('${dir}/lake/b.csv')`)).toEqual([[7]])
})

test('classes in one process have an instance each, with what that class may do', async () => {
  const {
    engine: command,
    dir: own,
    close,
  } = openTestEngine({
    memoryBytes: 2 ** 29,
    classes: ['plan', 'interactive', 'write'],
    inOneProcess: true,
  })
  writeFileSync(join(own, 'lake/b.csv'), 'b\n7\n')
  const sql = `from read_csv('${own}/lake/b.csv')`
  const write = `copy (select 1) to '${own}/lake/x.csv'`
  try {
    await expect(command.rows({ class: 'plan', sql })).rejects.toThrow()
    expect(await command.rows({ class: 'interactive', sql })).toEqual([[7]])
    await command.rows({ class: 'write', sql: write })
    const pids = new Set(command.status().map(({ pid }) => pid))
    expect(pids.size).toBe(1)
    process.kill([...pids][0]!, 'SIGKILL')
    expect(await command.bind({ class: 'plan', sql: 'select 2 b' })).toEqual([{ name: 'b', type: 'INTEGER' }])
  } finally {
    await close()
  }
})

test.each([
  [`select "Initcap"('ab cd')`, 'Ab Cd'],
  ['select has_table_privilege(1, 2, 3)', null],
  ['select json_serialize_plan($1::varchar) not like \'%"error":true%\'', true, ["select initcap('a')"]],
])("PostgreSQL's function is there for the first statement that names one: %s", async (sql, value, parameters = []) => {
  const { engine: fresh, close } = openTestEngine({ memoryBytes: 2 ** 29, classes: ['interactive'] })
  try {
    expect(await fresh.rows({ class: 'interactive', sql: 'select 1' })).toEqual([[1]])
    expect(await fresh.rows({ class: 'interactive', sql, parameters })).toEqual([[value]])
  } finally {
    await close()
  }
})

test('closing ends every process and removes what they spilled', async () => {
  const other = openEngine({
    memoryBytes: 2 ** 29,
    threads: 1,
    tempDirectory: join(dir, 'tmp2'),
    tempBytes: 2 ** 30,
    timeZone: 'UTC',
    directories: [],
    classes: ['interactive'],
  })
  await other.rows({ class: 'interactive', sql: 'select 1' })
  const { pid } = other.status()[0]!
  await other.close()
  expect(() => process.kill(pid!, 0)).toThrow()
  expect(readdirSync(join(dir, 'tmp2'))).toEqual([])
})

test.each([
  ['is the first host', `await engine.rows({ class: 'interactive', sql: 'select 1' })`, true],
  [
    'is used once',
    `await engine.close(); engine = open(); await engine.rows({ class: 'interactive', sql: 'select 1' }); await engine.close(); engine = open()`,
    false,
  ],
  [
    'and is gone is replaced',
    `process.kill(early, 'SIGKILL'); await new Promise((resolve) => setTimeout(resolve, 200))`,
    false,
  ],
])('a process that was started early %s; it keeps no process from ending', async (_, before, isEarly) => {
  const script = `
    import { readFileSync } from 'node:fs'
    const { openEngine, startHostEarly } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)})
    const open = () => openEngine({ memoryBytes: 2 ** 29, threads: 1, tempDirectory: ${JSON.stringify(join(dir, 'tmp6'))}, tempBytes: 2 ** 30, timeZone: 'UTC', directories: [], classes: ['interactive'] })
    startHostEarly()
    const early = Number(readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim())
    let engine = open()
    ${before}
    const rows = await engine.rows({ class: 'interactive', sql: 'select 42' })
    const isEarly = engine.status()[0].pid === early
    await engine.close()
    startHostEarly()
    console.log(JSON.stringify({ rows, isEarly }))`
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  expect(JSON.parse(stdout)).toEqual({ rows: [[42]], isEarly })
})

test("what a process of the same id left behind, or another beside it holds, is in no host's way", async () => {
  const tempDirectory = join(dir, 'shared')
  const left = ['plan', 'interactive', 'write', 'plan-interactive-write'].flatMap((name) =>
    Array.from({ length: 50 }, (_, at) => join(tempDirectory, `${name}-${process.pid}-${at}`, name)),
  )
  for (const one of left) mkdirSync(one, { recursive: true })
  const open = () =>
    openEngine({
      memoryBytes: 2 ** 28,
      threads: 1,
      tempDirectory,
      tempBytes: 2 ** 30,
      timeZone: 'UTC',
      directories: [],
      classes: ['plan', 'interactive'],
    })
  const engines = [open(), open()]
  for (const one of engines)
    for (const name of ['plan', 'interactive'] as const)
      expect(await one.rows({ class: name, sql: 'select 1' })).toEqual([[1]])
  await Promise.all(engines.map((one) => one.close()))
  expect(readdirSync(tempDirectory).length).toBe(200)
})

test('a host ends with its parent, even in the middle of a query', async () => {
  const script = `
    const { openEngine } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)})
    const engine = openEngine({ memoryBytes: 2 ** 29, threads: 1, tempDirectory: ${JSON.stringify(join(dir, 'tmp3'))}, tempBytes: 2 ** 30, timeZone: 'UTC', directories: [], classes: ['interactive'] })
    await engine.rows({ class: 'interactive', sql: 'select 1' })
    engine.rows({ class: 'interactive', sql: 'select count(*) from range(100000000) a, range(100000) b where a.range + b.range = -1' }).catch(() => {})
    setTimeout(() => console.log(engine.status()[0].pid), 300)`
  const parent = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script])
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  parent.kill('SIGKILL')
  const pid = Number(String(line).trim())
  await expect
    .poll(() => existsSync(`/proc/${pid}`) && !/ Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')), {
      timeout: 10_000,
    })
    .toBe(false)
})
