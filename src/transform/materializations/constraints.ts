// A model's contract: its columns before it is written, its constraints once the rows are there and nobody has seen them.

import { Failure } from '../../base/failure.ts'
import { quoteName, quoteTable, type QueryOptions } from '../../lake/index.ts'
import { withForeignTables, type DbtNode } from '../../project/dbt/index.ts'
import { contractFailures } from '../contract.ts'
import { queryOptions, rowsOf, type Work } from '../work.ts'
import { lakeName } from './target.ts'

/** The SELECT with the columns of the contract in their order; as it is without one. @throws MODEL_INVALID with every mismatch */
export async function checkContract(node: DbtNode, sql: string, work: Work): Promise<string> {
  if (!node.contract) return sql
  const options = queryOptions(work)
  const typeNamed = async (type: string) =>
    (await work.lake.bind(`select cast(null as ${type}) as c`, options))[0]!.type
  warnOfPrecision(node, work)
  const failures = await contractFailures(node, await work.lake.bind(sql, options), typeNamed)
  const [first] = failures
  if (first)
    throw new Failure(first.code, [broken, ...failures.map(({ message }) => message)].join('\n'), {
      place: first.place ?? node.place,
      hint: first.hint,
    })
  return `select ${node.columns.map(({ name }) => quoteName(name)).join(', ')} from (\n${sql}\n) as model_subq`
}

function warnOfPrecision({ columns }: DbtNode, { project }: Work): void {
  const naked = columns.filter(({ dataType = '' }) => /^\s*(?:numeric|decimal|number)\s*$/i.test(dataType))
  if (naked.length === 0) return
  const names = naked.map(({ name }) => `'${name}'`).join(', ')
  project.options.onLog(
    'warn',
    `Detected columns with numeric type and unspecified precision/scale, this can lead to unintended rounding: [${names}]`,
    undefined,
  )
}

const broken = 'This model has an enforced contract that failed.'

/** What DuckDB would have refused while writing. @throws QUERY_FAILED naming the constraint that does not hold */
export async function holdConstraints(node: DbtNode, work: Work): Promise<void> {
  if (!node.contract) return
  const checks = checksOf(withForeignTables(work.project, node))
  if (checks.length === 0) return
  const options: QueryOptions = queryOptions(work)
  const table = quoteTable(lakeName(work.project, node))
  const counts = checks.map(({ broken }) => `(${broken(table)})`)
  const { rows } = await rowsOf(work.lake, `select ${counts.join(',\n')}`, options)
  const index = (rows[0] ?? []).findIndex((count) => Number(count) > 0)
  const failed = checks[index]
  if (failed)
    throw new Failure(
      'QUERY_FAILED',
      `Constraint Error: ${failed.what} constraint failed: ${node.name} (${failed.on}); ${Number(rows[0]![index])} rows break it`,
      {
        place: node.patch ?? node.place,
      },
    )
}

/** `on`: its columns, or its expression. */
type Check = { what: string; on: string; broken(table: string): string }

function checksOf({ columns, constraints }: DbtNode): Check[] {
  const all = [
    ...columns.flatMap((column) => column.constraints.map((each) => ({ ...each, columns: [column.name] }))),
    ...constraints,
  ]
  return all.flatMap(({ type, columns: named, expression, to, toColumns }): Check[] => {
    const names = named.map(quoteName)
    const shown = named.join(', ')
    const notNull = { what: 'NOT NULL', on: shown, broken: count(names.map((name) => `${name} is null`).join(' or ')) }
    const unique: Check = {
      what: 'UNIQUE',
      on: shown,
      broken: (table) =>
        `select count(*) from (select 1 from ${table} where ${names.map((name) => `${name} is not null`).join(' and ')} group by ${names.join(', ')} having count(*) > 1)`,
    }
    if (type === 'check')
      return expression ? [{ what: 'CHECK', on: expression, broken: count(`not (${expression})`) }] : []
    if (names.length === 0) return []
    if (type === 'not_null') return [notNull]
    if (type === 'unique') return [unique]
    if (type === 'foreign_key')
      return to === undefined || toColumns.length !== names.length
        ? []
        : [{ what: 'FOREIGN KEY', on: shown, broken: orphans(names, to, toColumns.map(quoteName)) }]
    return type === 'primary_key'
      ? [
          { ...notNull, what: 'PRIMARY KEY' },
          { ...unique, what: 'PRIMARY KEY' },
        ]
      : []
  })
}

/** Rows whose key is whole and is not in the other table. */
const orphans = (names: readonly string[], to: string, keys: readonly string[]) => (table: string) =>
  `select count(*) from ${table} as child where ${names.map((name) => `child.${name} is not null`).join(' and ')} and not exists (select 1 from ${to} as parent where ${names.map((name, index) => `parent.${keys[index]!} = child.${name}`).join(' and ')})`

const count = (condition: string) => (table: string) => `select count(*) from ${table} where ${condition}`
