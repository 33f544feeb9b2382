// A unit test: the model's own SQL over rows that the test gives, compared with the rows that it expects.
//
//   given rows ─▶ CTEs of the input's types ─▶ the model's SQL ─┬─▶ one query ─▶ rows that differ
//   expected rows, cast to the types that the model answers ────┘
//
// Inputs stand in front of the model's SQL as ephemeral models do. Their types are those of the tables they stand for, or
// of the model behind them while its table is not there yet.

import { Failure } from '../base/failure.ts'
import { quoteName } from '../lake/index.ts'
import { fromJs, toJson } from '../jinja/index.ts'
import {
  behaviourFlag,
  findSource,
  macrosOf,
  nodesByName,
  findRef,
  searchOrder,
  Relation,
  type DbtNode,
  type DbtProject,
  type DbtSource,
  type DbtUnitTest,
} from '../project/dbt/index.ts'
import { Compiler, type Inputs, type Names } from './compile.ts'
import type { Injected } from './inject.ts'
import { asker } from './materialize.ts'
import { showDifference } from './unit-test-diff.ts'
import { inTemplate, queryOptions, rowsOf, statementOf, timed, type NodeResult, type Work } from './work.ts'

type Row = Record<string, unknown>
type ColumnTypes = ReadonlyMap<string, { name: string; type: string }>

/** Runs one unit test; what differs is the message of a failure. */
export async function runUnitTest(test: DbtUnitTest, work: Work): Promise<NodeResult> {
  const named = { uniqueId: test.uniqueId, kind: 'unit_test' as const, name: test.name, place: test.place }
  return timed(named, work, async (clocked) => {
    const model = work.project.nodes.get(test.dependsOn[0] ?? '')
    if (!model)
      throw new Failure('MODEL_INVALID', `unit test "${test.name}" is about ${test.model}, which is not there`)
    const project = overridden(work.project, model, test)
    const inputs = await inputsOf(test, model, work)
    const compiler = new Compiler(project, asker({ ...work, project }), { inputs })
    const own = inputs.get(model.uniqueId)
    const self = own ? new Relation({ database: null, schema: null, identifier: own.name }, 'cte') : null
    const compiled = await compiler.compile(model, { ...namesOf(test), this: self })
    clocked.compiled(compiled.sql)
    const main = statementOf(compiled)
    const answered = await inTemplate(compiled, () => work.lake.bind(main, queryOptions(work)))
    const types = typesOf(answered)
    const columns = test.expect.rows?.[0] ? Object.keys(test.expect.rows[0]) : [...types.keys()]
    const expected = expectedSql(test, types)
    const names = columns.map((name) => quoteName(typeOf(types, name, 'expected output').name))
    const { rows } = await rowsOf(work.lake, comparison(main, expected, names), queryOptions(work))
    const pick = (which: string) => rows.filter((row) => row.at(-1) === which).map((row) => row.slice(0, -1))
    const difference = showDifference(columns, pick('expected'), pick('actual'))
    const told = { rows: undefined, table: undefined, compiledSql: compiled.sql, adapterResponse: { _message: 'OK' } }
    return difference === undefined
      ? { ...told, status: 'pass' as const, failures: 0, message: 'passed' }
      : {
          ...told,
          status: 'fail' as const,
          failures: 1,
          message: `\n\nactual differs from expected:\n\n${difference}\n`,
        }
  })
}

/** The project as the test wants it: other values of variables, and macros that answer what it says. */
function overridden(project: DbtProject, model: DbtNode, { overrides, name, file }: DbtUnitTest): DbtProject {
  const { options } = project
  const macros = Object.entries(overrides.macros).flatMap(([called, value]) => {
    if (plainNames.includes(called)) return []
    const [packageName, macroName] = called.includes('.') ? called.split('.', 2) : [model.package, called]
    if (!/^\w+$/.test(macroName!))
      throw new Failure('MODEL_INVALID', `unit test "${name}" overrides "${called}", which names no macro`)
    const answer = `{{ return(fromjson(${toJson(toJson(fromJs(value)))})) }}`
    const text = `{% macro ${macroName}() %}{% set _ = [varargs, kwargs] %}${answer}{% endmacro %}`
    return macrosOf(packageName!, text, file).macros
  })
  const env = Object.fromEntries(Object.entries(overrides.envVars).map(([key, value]) => [key, String(value)]))
  return {
    ...project,
    // The first of a name is the one that counts.
    macros: [...macros, ...project.macros],
    options: { ...options, vars: { ...options.vars, ...overrides.vars }, env: { ...options.env, ...env } },
  }
}

/** Names of a template that are values; a test overrides them under `macros`, too. */
const plainNames = ['database', 'dbt_version', 'invocation_id', 'project_name', 'run_started_at', 'schema', 'thread_id']

const namesOf = ({ overrides }: DbtUnitTest): Names =>
  Object.fromEntries(
    Object.entries(overrides.macros).flatMap(([name, value]) =>
      plainNames.includes(name) ? [[name, fromJs(value)]] : [],
    ),
  )

// ---- inputs

async function inputsOf(test: DbtUnitTest, model: DbtNode, work: Work): Promise<Inputs> {
  const inputs = new Map<string, Injected>()
  for (const { input, rows, sql, place } of test.given) {
    const to = inputNamed(input, model, work.project)
    if (!to)
      throw new Failure(
        'MODEL_INVALID',
        `unit test "${test.name}" has an input (${input}) that was not found in the manifest of the project`,
        {
          place,
        },
      )
    const name = 'identifier' in to ? `${to.source}__${to.name}` : to.alias
    const text = sql ?? fixtureSql(rows ?? [], await columnsOf(to, test, work), to.name)
    inputs.set(to.uniqueId, { name: `__dbt__cte__${name}`, sql: text })
  }
  return inputs
}

/** What `ref('a')`, `ref('package', 'a', v=2)`, `source('s', 't')` or `this` means in the model. */
function inputNamed(input: string, model: DbtNode, project: DbtProject): DbtNode | DbtSource | undefined {
  const text = input.trim().replace(/^\{\{\s*|\s*\}\}$/g, '')
  if (text === 'this') return model
  const called = /^(ref|source)\s*\(([^]*)\)$/.exec(text)
  if (!called) return undefined
  const version = /\b(?:v|version)\s*=\s*['"]?([\w.]+)/.exec(called[2]!)?.[1]
  // What a project's own ref() is told besides: the model is the same.
  const others =
    behaviourFlag(project, 'support_custom_ref_kwargs') === true ? /\b\w+\s*=[^,]*/g : /\b(?:v|version)\s*=[^,]*/
  const names = Array.from(called[2]!.replace(others, '').matchAll(/'([^']*)'|"([^"]*)"/g), (found) =>
    String(found[1] ?? found[2]),
  )
  const [first, second] = names
  if (first === undefined) return undefined
  if (called[1] === 'source')
    return second === undefined ? undefined : findSource(project, { source: first, table: second }, model.package)
  const ref = { name: second ?? first, package: second === undefined ? undefined : first, version }
  return findRef(nodesByName(project), ref, searchOrder(project, model.package))
}

/** The columns that an input has in the lake, or will have. */
async function columnsOf(to: DbtNode | DbtSource, test: DbtUnitTest, work: Work): Promise<ColumnTypes> {
  const options = queryOptions(work)
  const isNode = 'alias' in to
  if (!isNode || to.config['materialized'] !== 'ephemeral') {
    const path = [to.database, to.schema, isNode ? to.alias : to.identifier].map(quoteName).join('.')
    try {
      return typesOf(await work.lake.bind(`select * from ${path}`, options))
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'TABLE_NOT_FOUND') throw error
      if (!isNode || to.kind !== 'model')
        throw new Failure(
          'MODEL_INVALID',
          `the columns of "${to.name}" for unit test "${test.name}" are unknown: there is no ${path} yet`,
          { cause: error, hint: 'Load or build it first, or give the rows as SQL (format: sql).' },
        )
    }
  }
  const compiled = await new Compiler(work.project, asker(work)).compile(to)
  return typesOf(await inTemplate(compiled, () => work.lake.bind(statementOf(compiled), options)))
}

const typesOf = (columns: readonly { name: string; type: string }[]): ColumnTypes =>
  new Map(columns.map(({ name, type }) => [name.toLowerCase(), { name, type }]))

function typeOf(types: ColumnTypes, name: string, of: string): { name: string; type: string } {
  const found = types.get(name.toLowerCase())
  if (found) return found
  const known = Array.from(types.values(), (column) => column.name).join(', ')
  throw new Failure(
    'MODEL_INVALID',
    `Invalid column name: '${name}' in unit test fixture for ${of}.\nAccepted columns for ${of} are: ${known}`,
  )
}

// ---- rows as SQL

function fixtureSql(rows: readonly Row[], types: ColumnTypes, name: string): string {
  const line = (row: Row) => {
    const given = new Map(Object.entries(row).map(([key, value]) => [typeOf(types, key, `'${name}'`).name, value]))
    return `select ${Array.from(types.values(), (column) => cast(given.get(column.name), column)).join(', ')}`
  }
  return rows.length === 0 ? `${line({})} limit 0` : rows.map(line).join('\nunion all\n')
}

function expectedSql({ expect: { rows, sql } }: DbtUnitTest, types: ColumnTypes): string {
  if (sql !== undefined) return sql.replace(/[\s;]+$/, '')
  if (!rows || rows.length === 0) return 'select * from dbt_internal_unit_test_actual limit 0'
  // Rows are put together by position, whatever the order in which each names its columns.
  const order = Object.keys(rows[0]!).map((key) => key.toLowerCase())
  const line = (row: Row) =>
    `select ${Object.entries(row)
      .toSorted(([a], [b]) => order.indexOf(a.toLowerCase()) - order.indexOf(b.toLowerCase()))
      .map(([key, value]) => cast(value, typeOf(types, key, 'expected output')))
      .join(', ')}`
  return rows.map(line).join('\nunion all\n')
}

const cast = (value: unknown, { name, type }: { name: string; type: string }): string =>
  `cast(${literal(value)} as ${type}) as ${quoteName(name)}`

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  // `1.0`, which JavaScript cannot tell from `1`.
  if (value instanceof Number) return value.toString()
  if (value instanceof Date) return `'${value.toISOString()}'`
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([key, inner]) => `'${key.replaceAll("'", "''")}': ${literal(inner)}`)
      .join(', ')}}`
  return `'${String(value as string).replaceAll("'", "''")}'`
}

const comparison = (
  main: string,
  expected: string,
  columns: readonly string[],
): string => `with dbt_internal_unit_test_actual as (
  select ${columns.join(', ')}, 'actual' as "actual_or_expected"
  from (
${main}
  ) _dbt_internal_unit_test_actual
),
dbt_internal_unit_test_expected as (
  select ${columns.join(', ')}, 'expected' as "actual_or_expected"
  from (
${expected}
  ) _dbt_internal_unit_test_expected
)
select * from dbt_internal_unit_test_actual
union all
select * from dbt_internal_unit_test_expected`
