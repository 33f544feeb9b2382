import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { Failures, showPlace } from '../base/failure.ts'
import { repr } from '../jinja/index.ts'
import { DashboardFile } from './dashboards.ts'
import { MetricsFile } from './metrics.ts'
import { SchedulesFile } from './schedules.ts'
import { Source } from './sources.ts'
import { parseYaml } from './yaml.ts'

/** Each mistake as `line:column: message`. */
function mistakes(schema: z.ZodType, text: string): string[] {
  try {
    parseYaml('f.yml', text, schema)
    return []
  } catch (error) {
    expect(error).toBeInstanceOf(Failures)
    return (error as Failures).all.map(
      ({ place, message }) => `${showPlace(place).replace('f.yml:', '').trim()} ${message}`,
    )
  }
}

const names = '"name"'
describe('every mistake has its place and says what to do', () => {
  test.each<[string, z.ZodType, string, string[]]>([
    [
      'a source with many mistakes',
      Source,
      'name: sales\nkind: csv\npth: x.csv\ntable: raw-sales\nmode: replce\ncolumns:\n  amount: decimel(12,2)\noptions: {delimitr: ";", quote: abc}\n',
      [
        '1:1: "path" is missing',
        '3:1: unknown key "pth"; did you mean "path"?',
        '4:8: "table" is "raw-sales": a table is written as namespace.name, for example raw.sales',
        '5:7: "mode" is "replce"; it must be one of replace, append; did you mean "replace"?',
        '7:11: "decimel(12,2)" is not a column type; did you mean "decimal(12,2)"?',
        '8:11: unknown key "delimitr"; did you mean "delimiter"?',
        '8:33: "options.quote" is "abc": one character is expected',
      ],
    ],
    ['an unknown kind', Source, 'name: a\nkind: cvs', ['2:7: "kind" is "cvs"; it must be csv; did you mean "csv"?']],
    ['no kind', Source, 'name: a', ['1:1: "kind" is missing']],
    ['an empty file', Source, '', ['1:1: "kind" is missing']],
    ['only a comment', Source, '# nothing yet\n', ['1:1: "kind" is missing']],
    ['a list', Source, '- a', ['1:1: the file must be a mapping, not a list']],
    [
      'a value that is missing',
      Source,
      'name:\nkind: csv\npath: a.csv\ntable: raw.a',
      [`1:6: ${names} must be text, not empty`],
    ],
    [
      'the wrong kind of value',
      Source,
      'name: [a]\nkind: csv\npath: a.csv\ntable: raw.a\nprimary_key: 3',
      [`1:7: ${names} must be text, not a list`, '5:14: "primary_key" must be text or a list, not 3'],
    ],
    [
      'broken YAML',
      Source,
      'name: [a\nkind: csv',
      ['2:1: Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    ['a key that is a list', Source, '? [a]\n: b', ['1:3: With stringKeys, all keys must be strings']],
    ['a key twice', Source, 'name: a\nname: b', ['2:1: Map keys must be unique']],
    [
      'a tab',
      Source,
      'options:\n\theader: true',
      ['2:1: Tabs are not allowed as indentation', '2:1: Tabs are not allowed as indentation'].slice(0, 1),
    ],
    [
      'metrics',
      MetricsFile,
      'model: a.b\nmetrics:\n  - {name: r, agg: sum, expr: "a -- b"}\n  - {name: q, agg: sum}\n  - {name: s, ratio: {numerator: r}, formt: currency}\n  - {name: t, agg: summ, expr: a, format: curency}\n  - {name: u, agg: sum, expr: a, ratio: {numerator: a, denominator: b}}\n  - {name: v}\n  - {name: w, ratio: {numerator: a, denominator: b}, filter: x}',
      [
        '3:34: the expression has a SQL comment; use a comment of YAML (#)',
        '4:20: the metric "q" needs expr: what to add up',
        '5:22: "denominator" is missing in "metrics[2].ratio"',
        '5:38: unknown key "formt"; did you mean "format"?',
        '6:20: "metrics[3].agg" is "summ"; it must be one of sum, count, count_distinct, average, min, max; did you mean "sum"?',
        '6:43: "metrics[3].format" is "curency"; it must be one of number, integer, currency, percent, date, datetime, text; did you mean "currency"?',
        '7:41: the metric "u" has both agg and ratio; one of them is enough',
        '8:5: the metric "v" needs one of agg, ratio or derived',
        '9:62: "filter" belongs to a metric with agg; give it to the metrics that "w" is made of',
      ],
    ],
    [
      'a format with details',
      MetricsFile,
      'model: a.b\nmetrics: [{name: a, agg: count, format: {kind: currenc}}]',
      [
        '2:48: "metrics[0].format.kind" is "currenc"; it must be one of number, currency, percent, date, datetime, text; did you mean "currency"?',
      ],
    ],
    [
      'a dashboard',
      DashboardFile,
      'title: x\nfilters:\n  - {id: p, kind: date_range, dimension: d, default: {from: 2024-13-01}}\nrows:\n  - panels:\n    - {kind: kpi, metrc: revenue}\n    - {kind: kpi, sql: select 1, compare: previous_period}\n    - {kind: table}\n    - {kind: line, metric: a, by: b, x: c}\n    - {kind: pie}\n    - {kind: bar, metric: a, by: b, where: [{dimension: a, op: between, values: 3}]}\n  - panels:\n    - {kind: text, markdown: a, width: 8}\n    - {kind: text, markdown: b, width: 5}',
      [
        '3:61: "filters[0].default.from" is "2024-13-01": invalid ISO date',
        '6:7: the kpi panel needs "metric", or "sql"',
        '6:19: unknown key "metrc"; did you mean "metric"?',
        '7:7: the kpi panel needs "value"',
        '7:43: a panel with sql has no previous period',
        '8:7: the table panel needs "metrics" or "columns", or "sql"',
        '9:41: "x" belongs to a panel with sql',
        '10:14: "rows[0].panels[4].kind" is "pie"; it must be one of kpi, line, bar, table, text',
        '11:81: "between" takes 2 values, not 1',
        '13:5: a row has 12 columns; these panels take 13',
      ],
    ],
    [
      'schedules',
      SchedulesFile,
      'schedules:\n  - {name: a, cron: "0 25 * * *"}\n  - {name: a, cron: "0 6 * * *", timezone: Berlin, enabled: maybe}',
      [
        '2:21: "0 25 * * *" is not a cron expression (Invalid value for hour: 25); "0 6 * * *" is every day at 06:00',
        '3:44: "Berlin" is not a time zone; write one as in Europe/Berlin or UTC',
        '3:61: "schedules[1].enabled" must be true or false, not "maybe"',
      ],
    ],
    [
      'a schedule twice',
      SchedulesFile,
      'schedules:\n  - {name: a, cron: "0 6 * * *"}\n  - {name: a, cron: "0 6 * * *"}',
      ['3:12: the schedule "a" is already defined above'],
    ],
  ])('%s', (_, schema, text, expected) => expect(mistakes(schema, text)).toEqual(expected))
})

describe('places', () => {
  const file = parseYaml(
    'f.yml',
    'base: &b {x: 1, y: [10, 20]}\nother: *b\nsql: |\n  select\n    a, b\nplain: one two\nquoted: "one two"\nfolded: >\n  one\n  two\nmerged:\n  <<: *b\n  z: 3\n',
    z.record(z.string(), z.unknown()),
  )
  test.each<[PropertyKey[], 'key' | 'value', string]>([
    [['base', 'x'], 'value', '1:14'],
    [['base', 'x'], 'key', '1:11'],
    [['base', 'y', 1], 'value', '1:25'],
    [['other', 'y', 0], 'value', '1:21'], // through the alias
    [['base', 'nothing', 'below'], 'value', '1:10'], // the nearest that exists
    [[], 'value', '1:1'],
  ])('%j %s', (path, what, expected) => expect(showPlace(file.at(path, what))).toBe(`f.yml:${expected}: `))

  test.each<[string, number, number, string]>([
    ['sql', 2, 3, '5:5'],
    ['sql', 1, 1, '4:3'],
    ['plain', 1, 5, '6:12'],
    ['quoted', 1, 5, '7:14'],
    ['folded', 2, 1, '8:9'], // only the start of folded text is known
  ])('inside %s at %i:%i', (key, line, column, expected) =>
    expect(showPlace(file.within([key], { line, column }))).toBe(`f.yml:${expected}: `),
  )

  test('merged keys', () => expect(file.value['merged']).toEqual({ x: 1, y: [10, 20], z: 3 }))
})

test('YAML 1.1 as dbt reads it', () => {
  const schema = z.strictObject({ a: z.unknown() })
  expect(parseYaml('f.yml', 'a: yes', schema, { version: '1.1' }).value.a).toBe(true)
  expect(parseYaml('f.yml', 'a: yes', schema).value.a).toBe('yes')
})

test('scalars are what PyYAML makes of them', () => {
  const said = `
    1e3 '1e3' | 1.0e3 '1.0e3' | 1.0e+3 1000.0 | 1.5E-3 0.0015 | .5 0.5 | -.5 '-.5' | 1. 1.0 | 12e4567 '12e4567' | 0o17 '0o17'
    017 15 | 08 '08' | 09.5 9.5 | 0x1F 31 | 0b11 3 | 1_000 1000 | +1 1 | 00 0 | 1:30 90 | 01:30 '01:30' | 1:30.5 90.5 | 1.0 1.0
    -0.0 -0.0 | .inf inf | y 'y' | on True | ~ None | 1.2.3 '1.2.3' | 12345678901234567890 '12345678901234567890'`
  const value = (text: string) =>
    repr(parseYaml('f.yml', `[${text}]`, z.array(z.unknown()), { version: '1.1' }).value[0])
  for (const [text, python] of said.split(/\n|\|/).flatMap((each) => (each.trim() ? [each.trim().split(' ')] : [])))
    expect(`${text} ${value(text!)}`).toBe(`${text} ${python}`)
})

test('any text is a value or failures with places, never another error', () =>
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ maxLength: 60 }), fc.stringMatching(/^[a-z:\-[\]{}&*!|>'"%@` \n\t#,?]{0,60}$/)),
      (text) => {
        try {
          parseYaml('f.yml', text, Source)
        } catch (error) {
          expect(error).toBeInstanceOf(Failures)
          for (const { place } of (error as Failures).all) expect(place?.line ?? 1).toBeGreaterThan(0)
        }
      },
    ),
    { numRuns: 500 },
  ))

test('what parses gives the plain value', () => {
  const text =
    'name: sales\nkind: csv\npath: sales.csv\ntable: raw.sales\nprimary_key: order_id\noptions: {nullstr: NA}\n'
  expect(parseYaml('f.yml', text, Source).value).toEqual({
    ...(parse(text) as object),
    mode: 'replace',
    columns: {},
    primary_key: ['order_id'],
    options: { nullstr: ['NA'] },
  })
})

test.each([
  ['a: |\n  x', 'x'],
  ['a: |\n  x\n', 'x\n'],
  ['a: >\n  x\n  y', 'x y'],
  ['a: >\n  x\n  y\n', 'x y\n'],
  ['a: |-\n  x', 'x'],
  ['a: |\n  x\n\n', 'x\n'],
  ['a: |\n  x\n#', 'x\n'],
  ['a: >\n  x\n\n # y', 'x\n'],
  ['a: |\n  # x', '# x'],
])('the end of %j is as it is written', (text, expected) => {
  expect(parseYaml('f.yml', text, z.unknown()).value).toEqual({ a: expected })
})

test('brackets over lines may stand as in PyYAML, where dbt reads them; places are those of the text', () => {
  const text = `models:
  - name: a  # it's [
    tests:
      - accepted: {
        values: ["}", 'it''s', b],
      }
      - other: [
    1, 2  # }
  ]
  - name: b
`
  const { value, at } = parseYaml('p.yml', text, z.unknown(), { version: '1.1' })
  expect(value).toEqual({
    models: [{ name: 'a', tests: [{ accepted: { values: ['}', "it's", 'b'] } }, { other: [1, 2] }] }, { name: 'b' }],
  })
  expect(at(['models', 0, 'tests', 0, 'accepted', 'values', 2])).toMatchObject({ line: 5, column: 32 })
  expect(at(['models', 0, 'tests', 1, 'other', 1])).toMatchObject({ line: 8, column: 8 })
  expect(() => parseYaml('p.yml', text, z.unknown())).toThrow()
  expect(() => parseYaml('p.yml', 'a:\n  - b: {\n  c: 1\nd: 2\n', z.unknown(), { version: '1.1' })).toThrow()
})

test('quoted texts over lines may stand as in PyYAML; what looks like one in a block of text is left alone', () => {
  const text = `models:
  - name: a
    description: "
    The first
one, it's \\"quoted\\"
    "
    sql: |
      select "a
      b"
    other: 'C:\\
  it''s'
    map: {
"x": it's,
"x": -7
}
  - name: b
`
  const { value, at } = parseYaml('p.yml', text, z.unknown(), { version: '1.1', onDuplicateKey: () => {} })
  const [description, other] = [' The first one, it\'s "quoted" ', "C:\\ it's"]
  const a = { name: 'a', description, sql: 'select "a\nb"\n', other, map: { x: -7 } }
  expect(value).toEqual({ models: [a, { name: 'b' }] })
  expect(at(['models', 1, 'name'])).toMatchObject({ line: 16, column: 11 })
})
