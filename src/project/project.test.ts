import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { showPlace } from '../base/failure.ts'
import { findPlaceholders, scanExpression } from './expression.ts'
import { sqlType } from './names.ts'
import { readProject } from './project.ts'
import { orThrow } from './read.ts'
import { printSchemas } from './schemas.ts'
import { readSources, sourceText, writeSource, type SourceInput } from './sources.ts'
import { didYouMean, suggest } from '../base/suggest.ts'
import { partOf, watchProject } from './watch.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'project-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))
const put = async (file: string, text: string): Promise<void> => {
  await mkdir(join(dir, file, '..'), { recursive: true })
  await writeFile(join(dir, file), text)
}

describe('readProject', () => {
  test('the example has no mistakes', async () => {
    const example = await readProject(join(import.meta.dirname, '../../examples/sales'))
    expect(example.failures).toEqual([])
    expect(example.sources.map(({ value, file }) => [file, value.name, value.table])).toEqual([
      ['sources/sales.yml', 'sales', 'raw.sales'],
    ])
    expect(example.metrics.map(({ value }) => [value.name, value.metrics.length])).toEqual([['sales', 5]])
    expect(example.dashboards.map(({ value }) => [value.name, value.title])).toEqual([['sales', 'Sales']])
    expect(example.schedules.map(({ value }) => [value.name, value.cron, value.enabled])).toEqual([
      ['daily', '0 6 * * *', true],
    ])
  })

  test('an empty folder is an empty project', async () => {
    expect(await readProject(dir)).toEqual({
      dir,
      sources: [],
      metrics: [],
      dashboards: [],
      schedules: [],
      failures: [],
    })
  })

  test('a broken file does not hide the others, and names are unique', async () => {
    const text = (name: string): string => `name: ${name}\nkind: csv\npath: a.csv\ntable: raw.a\n`
    await put('sources/a.yml', text('a'))
    await put('sources/b.yaml', text('b-b'))
    await put('sources/deep/c.yml', text('a'))
    await put('metrics/deep/m.yml', 'model: a.b\n')
    await put('metrics/my-sales.yml', 'model: a.b\n')
    const { sources, metrics, failures } = await readProject(dir)
    expect(sources.map(({ file }) => file)).toEqual(['sources/a.yml'])
    expect(metrics.map(({ value }) => value.name)).toEqual(['m'])
    expect(failures.map((failure) => [failure.code, showPlace(failure.place) + failure.message])).toEqual([
      [
        'SOURCE_INVALID',
        'sources/b.yaml:1:7: "name" is "b-b": a name has letters, digits and underscores, and does not start with a digit',
      ],
      ['SOURCE_INVALID', 'sources/deep/c.yml:1:7: the source "a" is already defined in sources/a.yml'],
      [
        'METRIC_INVALID',
        'metrics/my-sales.yml:1:1: "my-sales" cannot be the name of a model: write one with letters, digits and underscores as "name:"',
      ],
    ])
    expect(() => orThrow({ items: sources, failures })).toThrow('sources/b.yaml:1:7')
  })

  test('the place of a schedule is in its file', async () => {
    await put('schedules.yml', 'schedules:\n  - name: a\n    cron: "0 6 * * *"\n    select: tag:daily\n')
    const [schedule] = (await readProject(dir)).schedules
    expect(schedule!.value.select).toEqual(['tag:daily'])
    expect(schedule!.at(['cron'])).toEqual({ file: 'schedules.yml', line: 3, column: 11 })
  })
})

describe('writeSource', () => {
  const source: SourceInput = {
    table: 'raw.a',
    path: 'a b.csv',
    kind: 'csv',
    name: 'a',
    columns: { 'order id': 'integer' },
    options: { delimiter: ';', nullstr: ['', 'NA'] },
  }

  test('what is written is read', async () => {
    expect(await writeSource(dir, source)).toBe('sources/a.yml')
    const [read] = orThrow(await readSources(dir))
    expect(read!.value).toEqual({ ...source, mode: 'replace', primary_key: [] })
    expect(await readFile(join(dir, 'sources/a.yml'), 'utf8')).toBe(
      'name: a\nkind: csv\npath: a b.csv\ntable: raw.a\ncolumns:\n  order id: integer\noptions:\n  delimiter: ;\n  nullstr:\n    - ""\n    - NA\n',
    )
  })

  test('the order of the keys given does not matter', () => {
    expect(sourceText(Object.fromEntries(Object.entries(source).reverse()) as SourceInput)).toBe(sourceText(source))
  })

  test('an existing file is replaced only on purpose', async () => {
    await put('sources/a.yaml', 'name: a\n')
    await expect(writeSource(dir, source)).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
      place: { file: 'sources/a.yaml' },
    })
    expect(await writeSource(dir, source, { replace: true })).toBe('sources/a.yaml')
    expect(orThrow(await readSources(dir))).toHaveLength(1)
  })
})

describe('watchProject', () => {
  test('tells what changed, together, and not what tools write', async () => {
    await put('models/a.sql', 'select 1')
    await put('.boathouse/catalog.db', '')
    await put('lake/old.parquet', '')
    const stop = new AbortController()
    const told: string[][] = []
    let wake = (): void => {}
    const next = (): Promise<void> => new Promise((resolve) => (wake = resolve))
    await watchProject(
      dir,
      (files) => {
        told.push(files)
        wake()
      },
      stop.signal,
      { ignore: [join(dir, 'lake')] },
    )
    const first = next()
    await Promise.all([
      put('models/a.sql', 'select 2'),
      put('sources/s.yml', 'a: 1'),
      put('.boathouse/catalog.db', 'x'),
      put('target/run.sql', 'x'),
      put('lake/new/a.parquet', 'x'),
      put('dev.duckdb.wal', 'x'),
    ])
    await first
    while (told.flat().length < 2) await next()
    const second = next()
    await rm(join(dir, 'models/a.sql'))
    await second
    stop.abort()
    expect([...new Set(told.flat())].sort()).toEqual(['models/a.sql', 'sources/s.yml'])
  })

  test.each([
    ['boathouse.yml', 'config'],
    ['models/staging/stg_sales.sql', 'model'],
    ['dbt_project.yml', 'model'],
    ['sources/a.yml', 'source'],
    ['sales.csv', 'other'],
    ['metrics/a.yaml', 'metric'],
    ['dashboards/a.yml', 'dashboard'],
    ['schedules.yml', 'schedule'],
    ['dashboards/README.md', 'other'],
  ])('%s is %s', (file, part) => expect(partOf(file)).toBe(part))
})

test.each([
  ['decimal(12, 2)', 'DECIMAL(12,2)'],
  ['NUMERIC(5)', 'DECIMAL(5,0)'],
  ['decimal', 'DECIMAL(18,3)'],
  ['text', 'VARCHAR'],
  ['varchar(20)', 'VARCHAR'],
  ['Timestamp  with time zone', 'TIMESTAMP WITH TIME ZONE'],
  ['smallint', 'INTEGER'],
  ['decimal(39,2)', undefined],
  ['decimal(2,3)', undefined],
  ['integer; drop table x', undefined],
  ['money', undefined],
])('the type %s is %s', (text, expected) => expect(sqlType(text)).toBe(expected))

test.each([
  ['a + b', null],
  ["'it''s -- fine; {x}'", null],
  ['"a;b"', null],
  ['$$ ; -- $$', null],
  ["e'\\'; '", null],
  ['{a} / nullif({b}, 0)', null],
  ["{'k': 1}", null],
  ['a[1]', null],
  ['a -- b', 'has a SQL comment; use a comment of YAML (#) 1:3'],
  ['a /* b */', 'has a SQL comment; use a comment of YAML (#) 1:3'],
  ['a; b', 'has a semicolon: it must be one expression 1:2'],
  ['a) from x where (1', 'closes ")" that was not opened 1:2'],
  ['(a', 'opens "(" and never closes it 1:1'],
  ["'a", "opens ' and never closes it 1:1"],
  ["a\n + 'b", "opens ' and never closes it 2:4"],
  ['(a]', 'closes "]" that was not opened 1:3'],
  ['$tag$ a', 'opens $tag$ and never closes it 1:1'],
])('the expression %j', (text, expected) => {
  const { mistake } = scanExpression(text)
  expect(mistake && `${mistake.what} ${mistake.place.line}:${mistake.place.column}`).toBe(expected)
})

test('references of an expression are those outside of quotes', () => {
  expect(scanExpression("{a} + '{b}' + { c.d }").references).toEqual([
    { name: 'a', start: 0, end: 3 },
    { name: 'c.d', start: 14, end: 21 },
  ])
})

test.each([
  ['select 1 where {{ a }} and {{b: o.x}}', ['a', 'b: o.x']],
  ['select \'{{ a }}\', "{{ a }}", $$ {{ a }} $$ -- {{ a }}\n/* {{ a }} */ where {{ b }}', ['b']],
  ["select {'k': {'a': 1}}, 'open {{ a }}", []],
])('placeholders of %s', (sql, expected) => {
  expect(findPlaceholders(sql).map(({ name, column }) => (column === null ? name : `${name}: ${column}`))).toEqual(
    expected,
  )
})

test.each([
  ['regoin', ['region', 'product'], ['region']],
  ['reg', ['region', 'product'], []],
  ['revenues', ['revenue', 'reverse', 'x'], ['revenue', 'reverse']],
  ['Region', ['region'], ['region']],
  ['x', [], []],
])('%s of %j', (word, known, expected) => expect(suggest(word, known)).toEqual(expected))

test('didYouMean lists what there is when nothing is near', () => {
  expect(didYouMean('zzz', ['a', 'b'])).toBe('; there are: a, b')
  expect(didYouMean('zzz', [])).toBe('')
})

test.each(Object.entries(printSchemas()))(
  'docs/reference/schemas/%s is up to date (node tools/print-schemas.ts)',
  async (name, text) => {
    expect(await readFile(join(import.meta.dirname, '../../docs/reference/schemas', name), 'utf8')).toBe(text)
  },
)
