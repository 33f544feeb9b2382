// The types are those that agate found for the same values: dbt-common 1.39 `agate_helper.from_csv`, dbt-adapters 1.24
// `convert_number_type`. Where a number does not fit INTEGER dbt-duckdb fails, and the column is wider here.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openWorld } from '../../lake/world.ts'
import { loadProject } from '../project.ts'
import { runModel } from '../materialize.ts'
import { csvRecords, seedColumns } from './seed-types.ts'

const typeOf = (...values: string[]) => {
  const lines = values.map((value) => `"${value.replaceAll('"', '""')}",x`)
  return seedColumns(['c,z', ...lines, ''].join('\n'), { file: 's.csv', delimiter: ',', given: {} }).columns[0]!.type
}

test.each<[string[], string]>([
  [['1', '2'], 'integer'],
  [['1.0'], 'integer'],
  [['1.50', ''], 'double'],
  [['1e3'], 'integer'],
  [['1e-3'], 'double'],
  [['1.5e1'], 'integer'],
  [['100e-2'], 'integer'],
  [['$5'], 'integer'],
  [['5%'], 'integer'],
  [['1,000'], 'integer'],
  [['inf'], 'integer'],
  [['nan'], 'integer'],
  [['1_000'], 'integer'],
  [['+5'], 'integer'],
  [['--5'], 'integer'],
  [[' 7 '], 'integer'],
  [['$-3'], 'integer'],
  [['0x1'], 'varchar'],
  [['007'], 'integer'],
  [['.5'], 'double'],
  [['5.'], 'integer'],
  [['.'], 'varchar'],
  [['NULL', 'null'], 'integer'],
  [[''], 'integer'],
  [['na'], 'varchar'],
  [['2020-01-01'], 'date'],
  [['2020-1-5'], 'date'],
  [['2020-13-01'], 'varchar'],
  [['2020-02-30'], 'varchar'],
  [['20-01-01'], 'varchar'],
  [[' 2020-01-01 '], 'date'],
  [['2020-01-01 10:00:00'], 'timestamp'],
  [['2020-01-01 1:2:3'], 'timestamp'],
  [['2020-01-01 10:00'], 'varchar'],
  [['2020-01-01 10:00:00.5'], 'varchar'],
  [['2020-01-01T10:00:00'], 'timestamp'],
  [['2020-01-01T10:00:00.123+02:00'], 'timestamp'],
  [['20200101T101010'], 'timestamp'],
  [['2020-01-01T10'], 'timestamp'],
  [['2020-W01-1T10:00'], 'timestamp'],
  [['2020-01-01t10:00:00'], 'varchar'],
  [['2020-01T10:00'], 'timestamp'],
  [['2020-001T10:00'], 'timestamp'],
  [['2020-01-01T25:00'], 'varchar'],
  [['2020-02-30T10:00:00'], 'varchar'],
  [['2020-01-01', '2020-01-01 10:00:00'], 'varchar'],
  [['2020-01-01 10:00:00', '2020-01-01T10:00:00'], 'varchar'],
  [['true', 'False', ''], 'boolean'],
  [['t'], 'varchar'],
  [['yes'], 'varchar'],
  [['1', 'true'], 'varchar'],
  [['2147483647'], 'integer'],
  [['2147483648'], 'bigint'],
  [['9223372036854775808'], 'hugeint'],
])('%j is %s', (values, type) => expect(typeOf(...values)).toBe(type))

test.each([
  ['a,b\n1,2\n', 'a|b 1|2'],
  ['a,b\r\n1,2\r\n', 'a|b 1|2'],
  ['a,b\n1,', 'a|b 1|'],
  ['a,b\n,\n\n"x ""y"" z",2', 'a|b | x "y" z|2'],
  ['a\n"1\n2"\n', 'a 1\n2'],
  ['a\n"1"2\n', 'a 12'],
  ['a\n"never closed', 'a never closed'],
  ['', ''],
])('%j as records', (text, expected) => {
  expect([...csvRecords(text)].map((record) => record.join('|')).join(' ')).toBe(expected)
})

test('names are those of agate', () => {
  const names = (text: string) =>
    seedColumns(text, { file: 's.csv', delimiter: ';', given: {} }).columns.map(({ name }) => name)
  expect(names('a;a;;b c\n')).toEqual(['a', 'a_2', 'c', 'b c'])
  expect(() => names('a;b\n1;2;3\n')).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }))
  expect(() => names('a;b\n\n1;"2\n"\n1;2;3\n')).toThrow(expect.objectContaining({ place: { file: 's.csv', line: 5 } }))
  expect(() => names('')).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }))
})

test('a seed is a table with these types, and what is wrong in it has its line', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'seeds-'))
  const world = await openWorld()
  try {
    mkdirSync(join(dir, 'seeds'))
    const seed = (name: string, text: string) => writeFileSync(join(dir, 'seeds', name), text)
    writeFileSync(
      join(dir, 'dbt_project.yml'),
      "name: shop\nseeds:\n  shop:\n    semi: {delimiter: ';', +column_types: {code: varchar(5), amount: 'numeric(10,2)'}}\n    words: {+quote_columns: false}\n    blanks: {+quote_columns: false}",
    )
    seed('plain.csv', '\uFEFFid,name,day,at,flag,price\n1,"a, b",2026-01-02,2026-01-02T03:04:05Z,true,1.5\n2,,,,,\n')
    seed('semi.csv', 'code;amount\n007;12.5\n')
    seed('empty.csv', 'a,b\n')
    seed('wrong.csv', `a,b\n1,x\n$5,${'long '.repeat(200)}\n`)
    seed('words.csv', 'id,default\n1,2\n')
    seed('blanks.csv', 'id, name\n1,x\n')
    const project = await loadProject(dir, { target: { name: 'dev', catalog: 'dev_analytics' }, startedAt: 0 })
    const system = { id: 'system', name: 'system', role: 'system' as const }
    const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: system })
    const work = { project, lake: world.lake, changes, principal: system }
    const run = (name: string) => runModel(project.nodes.get(`seed.shop.${name}`)!, work)
    expect(await run('plain')).toMatchObject({
      status: 'success',
      rows: 2,
      adapterResponse: { _message: 'INSERT 2', code: 'INSERT', rows_affected: 2 },
    })
    expect((await run('semi')).status).toBe('success')
    expect((await run('empty')).rows).toBe(0)
    expect(await run('wrong')).toMatchObject({
      status: 'error',
      code: 'QUERY_FAILED',
      message: expect.stringMatching(
        /^line 3: Error when converting column "a"\. Could not convert string "\$5" to 'INTEGER'; Original Line: /,
      ) as string,
      place: { file: 'seeds/wrong.csv', line: 3 },
    })
    // As in dbt, which writes the name without quotes.
    expect(await run('words')).toMatchObject({
      status: 'error',
      code: 'MODEL_INVALID',
      place: { file: 'seeds/words.csv' },
    })
    expect((await run('blanks')).status).toBe('success')
    await changes.publish()
    expect(await world.rows('select id, name from main.blanks')).toEqual([[1, 'x']])
    const types = (name: string) =>
      world.lake
        .bind(`select * from main.${name}`, world.asking())
        .then((columns) => columns.map((column) => column.type).join(' '))
    expect(await types('plain')).toBe('INTEGER VARCHAR DATE TIMESTAMP BOOLEAN DOUBLE')
    expect(await types('semi')).toBe('VARCHAR DECIMAL(10,2)')
    expect(await types('empty')).toBe('INTEGER INTEGER')
    expect(await world.rows('select * from main.plain order by id')).toEqual([
      [1, 'a, b', '2026-01-02', '2026-01-02 03:04:05', true, 1.5],
      [2, null, null, null, null, null],
    ])
    expect(await world.rows('select * from main.semi')).toEqual([['007', '12.50']])
  } finally {
    await world.close()
    rmSync(dir, { recursive: true })
  }
})
