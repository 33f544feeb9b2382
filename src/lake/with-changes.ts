// A statement whose WITH clause changes rows: one transaction of several statements, which all read what there was when it
// began. The rows that a part tells, and those of a query that several parts read, are temporary tables meanwhile.

import { randomUUID } from 'node:crypto'
import { Bug } from '../base/assert.ts'
import { showName, type Loaded, type PendingChange, type TableName } from '../catalog/index.ts'
import type { Chunk } from '../engine/index.ts'
import type { QueryResult } from './lake.ts'
import { Composed, compose } from './sql/compose.ts'
import { splice } from './sql/splice.ts'
import { parametersIn, placeAt, quoteName, tokens } from './sql/tokens.ts'
import type { WithChanges } from './sql/with-changes.ts'
import type { StatementOptions, Within } from './transaction.ts'
import type { ChangeSet } from './write/change-set.ts'
import { distinctNames } from './write/columns.ts'
import { located } from './write/perform-context.ts'
import { isTemporary, type RunNames } from './write/run-names.ts'
import type { Described } from './session.ts'

type Running = {
  query(sql: string, options: StatementOptions): Promise<QueryResult>
  /** The transaction that it is a part of. */
  within: Within
  /** Where its temporary tables are. */
  scratch: ChangeSet
  namespace: string
  catalog: string
}

type Describing = Pick<Running, 'scratch' | 'namespace' | 'catalog'> & {
  query(sql: string): Promise<unknown>
  describe(sql: string): Promise<Described>
}

const rowsIn = (table: string): string => `SELECT * FROM pg_temp.${quoteName(table)}`

/** Runs all parts; the answer is that of what stands behind the clause, read to its end. */
export async function runWithChanges(
  sql: string,
  { steps, last }: WithChanges,
  more: StatementOptions,
  { query, within, scratch, namespace, catalog }: Running,
): Promise<QueryResult> {
  const at = (index: number) => placeAt(sql, index)
  const readAs = await asItIs(within, scratch)
  const tables = new Map<string, TableName>()
  const rowsOf = (name: string) => rowsIn(tables.get(name)!.name)
  const run = (text: Composed, options: RunNames & StatementOptions) =>
    located(text, at, query(text.sql, { ...options, readAs }))
  const { formats: _, json: __, ...plain } = more
  try {
    for (const step of steps) {
      const text = step.text(rowsOf)
      if (step === last) return await whole(await run(text, more))
      const table = { catalog, namespace, name: `with_${randomUUID().slice(0, 8)}` }
      const done = step.changes
        ? await run(text, { ...plain, toldTo: step.isRead ? table : undefined })
        : await run(compose`CREATE TEMP TABLE ${quoteName(table.name)} AS ${text}`, plain)
      for await (const _ of done.chunks);
      if (step.isRead) tables.set(step.name!, table)
    }
    throw new Bug('a WITH clause has something behind it')
  } finally {
    for (const table of tables.values()) await scratch.drop(table)
  }
}

/** Columns of the answer and types of the parameters. Nothing is changed: what a part would tell is a table without rows. */
export async function describeWithChanges(
  sql: string,
  { steps, last }: WithChanges,
  { query, describe, scratch, namespace, catalog }: Describing,
): Promise<Described> {
  const at = (index: number) => placeAt(sql, index)
  const tables = new Map<string, TableName>()
  const rowsOf = (name: string) => rowsIn(tables.get(name)!.name)
  const parameters: string[] = []
  try {
    for (const step of steps) {
      const text = step.text(rowsOf)
      const { text: asked, numbers } = counted(text.sql)
      const found = await located(text, at, describe(asked))
      for (const [index, type] of found.parameters.entries()) {
        const number = (numbers[index] ?? index + 1) - 1
        if ((parameters[number] ?? 'UNKNOWN') === 'UNKNOWN') parameters[number] = type
      }
      if (step === last)
        return { columns: found.columns, parameters: Array.from(parameters, (type) => type ?? 'UNKNOWN') }
      if (!step.isRead) continue
      const { columns } = await located(text, at, describe(withNulls(text.sql)))
      const names = distinctNames(columns)
      const table = { catalog, namespace, name: `with_${randomUUID().slice(0, 8)}` }
      const list = names.map(({ name, type }) => `${quoteName(name)} ${type}`)
      await query(`CREATE TEMP TABLE ${quoteName(table.name)} (${list.join(', ')})`)
      tables.set(step.name!, table)
    }
    throw new Bug('a WITH clause has something behind it')
  } finally {
    for (const table of tables.values()) await scratch.drop(table)
  }
}

/** No column of what is told is of a parameter's type. */
const withNulls = (sql: string): string =>
  splice(
    sql,
    parametersIn([...tokens(sql)]).map(({ start, end }) => ({ start, end, text: 'NULL' })),
  ).text

/** The engine counts those that are there: a part without `$1` has the others for it. */
function counted(sql: string): { text: string; numbers: number[] } {
  const found = parametersIn([...tokens(sql)])
  const numbers = [...new Set(found.map(({ number }) => number))].sort((a, b) => a - b)
  const edits = found.map(({ start, end, number }) => ({ start, end, text: `$${numbers.indexOf(number) + 1}` }))
  return { text: splice(sql, edits).text, numbers }
}

/** All tables as the transaction, and the session, have them now; what is made later is there, too. */
async function asItIs(
  within: Within,
  scratch: ChangeSet,
): Promise<{ load(name: TableName): Promise<Loaded | undefined> }> {
  const keyOf = (name: TableName) => showName(name).toLowerCase()
  const held = async (set: ChangeSet | undefined) =>
    new Map(((await set?.pending()) ?? []).map((change): [string, PendingChange] => [keyOf(change.name), change]))
  const [ours, temporary] = [await held(within.changes), await held(scratch)]
  const { tables } = within
  return {
    async load(name) {
      const change = (isTemporary(name) ? temporary : ours).get(keyOf(name))
      if (!change) return isTemporary(name) ? scratch.load(name) : tables.load(name)
      const { kind, location } = change
      return location === null ? undefined : tables.open({ name: change.name, kind, location })
    },
  }
}

/** Rows that are read after the commit could fail after it. */
async function whole(result: QueryResult): Promise<QueryResult> {
  const chunks: Chunk[] = await Array.fromAsync(result.chunks)
  return {
    ...result,
    chunks: (async function* () {
      yield* chunks
    })(),
  }
}
