// One statement after the other, as a shell or a client sends them: BEGIN, COMMIT, SAVEPOINT, USE and PREPARE mean something
// only between statements.

import { Bug } from '../base/assert.ts'
import { Failure } from '../base/failure.ts'
import { collect, type Lake, type QueryOptions, type QueryResult } from './lake.ts'
import { callsSequences, openSequenceCalls } from './sequence-calls.ts'
import { parseControl, type Control } from './sql/control.ts'
import { withArguments } from './sql/prepared.ts'
import { placeAt, quoteText, splitStatements } from './sql/tokens.ts'
import { located } from './write/perform-context.ts'
import { openTemporary } from './temporary.ts'
import { parseWithChanges, type WithChanges } from './sql/with-changes.ts'
import { describeWithChanges, runWithChanges } from './with-changes.ts'
import type { Csv } from './write/load-csv.ts'
import type { StatementOptions, Transaction } from './transaction.ts'

export type Described = Awaited<ReturnType<Lake['describe']>>
export type SessionOptions = Omit<QueryOptions, 'changes'>

export interface Session {
  /** `idle` outside of BEGIN … COMMIT; `failed`: until ROLLBACK nothing else is done. */
  readonly state: 'idle' | 'open' | 'failed'
  /** What plain names mean at present. */
  readonly names: { catalog: string; namespace: string | undefined }
  /** One statement. Its place in failures is one in `sql`. */
  query(sql: string, options?: StatementOptions): Promise<QueryResult>
  /** A statement that reads the rows of a CSV as a table, by the name that it is given. They are gone afterwards. */
  loading(csv: Csv, statement: (table: string) => string, options?: StatementOptions): Promise<QueryResult>
  /** As the lake's, of what the session sees. */
  describe(sql: string, options?: StatementOptions): Promise<Described>
  /** The temporary tables of the session go. */
  discardTemporary(): Promise<void>
  /** Rolls back what is open, and gives up what is temporary. */
  close(): Promise<void>
}

type Doors = Pick<Lake, 'query' | 'begin' | 'describe' | 'openScratch' | 'numbers' | 'sequenceOf'>

export function openSession(lake: Doors, options: SessionOptions): Session {
  let transaction: Transaction | undefined
  const temporary = openTemporary(lake, () => transaction?.within)
  const prepared = new Map<string, string>()
  const sequences = openSequenceCalls()
  let { catalog, namespace } = options
  const asking = () => ({
    ...options,
    catalog,
    ...(namespace === undefined ? {} : { namespace }),
    // Whoever named one environment has not named the one that USE leads to.
    environmentNamed: options.environmentNamed === true && catalog === options.catalog,
    ...temporary.names(),
    onNumber: sequences.note,
  })

  async function control(found: Exclude<Control, { kind: 'execute' }>, more: StatementOptions): Promise<string> {
    if (found.kind === 'begin') {
      if (transaction) throw new Failure('TRANSACTION_STATE', 'a transaction is under way already')
      const { isolation, readOnly } = found
      // In which form rows are told is said of each statement.
      const { formats: _, json: __, ...rest } = more
      transaction = await lake.begin({ ...asking(), ...rest, isolation, readOnly })
      await temporary.begin()
      return 'BEGIN'
    }
    if (found.kind === 'use') {
      await use(found, more)
      return 'USE'
    }
    if (found.kind === 'prepare') {
      if (prepared.size >= preparedMax)
        throw new Failure('QUERY_TOO_LARGE', `a session keeps ${preparedMax} prepared statements`)
      prepared.set(found.name.toLowerCase(), found.statement)
      return 'PREPARE'
    }
    if (found.kind === 'deallocate') {
      if (found.name === undefined) prepared.clear()
      else if (!prepared.delete(found.name.toLowerCase())) throw noPrepared(found.name)
      return 'DEALLOCATE'
    }
    if (!transaction) throw new Failure('TRANSACTION_STATE', 'no transaction is under way')
    const current = transaction
    switch (found.kind) {
      case 'commit': {
        const isFailed = current.state === 'failed'
        transaction = undefined
        await current.commit().catch(async (error: unknown) => {
          await temporary.rollback()
          throw error
        })
        await (isFailed ? temporary.rollback() : temporary.commit())
        return isFailed ? 'ROLLBACK' : 'COMMIT'
      }
      case 'rollback':
        transaction = undefined
        await current.rollback()
        await temporary.rollback()
        return 'ROLLBACK'
      case 'savepoint':
        await current.savepoint(found.name)
        await temporary.savepoint(found.name)
        return 'SAVEPOINT'
      case 'rollback-to':
        await current.rollbackTo(found.name)
        await temporary.rollbackTo(found.name)
        return 'ROLLBACK'
      case 'release':
        current.release(found.name)
        return 'RELEASE'
    }
  }

  async function use(to: Extract<Control, { kind: 'use' }>, more: StatementOptions): Promise<void> {
    const place = { ...asking(), ...more, catalog: to.catalog ?? catalog }
    const { chunks } = await lake.query(
      `SELECT 1 FROM information_schema.schemata WHERE schema_name = ${quoteText(to.namespace)}`,
      place,
    )
    let isThere = false
    for await (const { rowCount } of chunks) isThere ||= rowCount > 0
    if (!isThere) throw new Failure('NAMESPACE_NOT_FOUND', `there is no schema ${to.namespace} in ${place.catalog}`)
    catalog = place.catalog
    namespace = to.namespace
  }

  /** In the transaction that is open, or in one of its own. */
  async function changedTogether(sql: string, several: WithChanges, more: StatementOptions): Promise<QueryResult> {
    const isOwn = !transaction
    if (isOwn) await control({ kind: 'begin', isolation: 'snapshot', readOnly: false }, more)
    const current = transaction!
    try {
      const { set: scratch, namespace: own } = await temporary.place({ ...asking(), ...more })
      const query = (text: string, options: StatementOptions) => run(text, options)
      const running = { query, within: current.within, scratch, namespace: own, catalog }
      const result = await runWithChanges(sql, several, more, running)
      if (isOwn) await control({ kind: 'commit' }, more)
      return result
    } catch (error) {
      if (isOwn && transaction) await control({ kind: 'rollback' }, more)
      else current.fail()
      throw error
    }
  }

  /** A statement with numbers in place of calls of sequences. */
  async function withNumbers<Done>(
    sql: string,
    more: StatementOptions,
    work: (text: string) => Promise<Done>,
    described = false,
  ): Promise<Done> {
    if (!callsSequences(sql)) return work(sql)
    const { formats: _, json: __, ...plain } = { ...asking(), ...more }
    const within = transaction ? { within: transaction.within } : {}
    const numbers = await sequences.bound(
      sql,
      {
        numbers: (name) => lake.numbers(name, { ...plain, ...within }),
        sequenceOf: (table, column) => lake.sequenceOf(table, column, { ...plain, ...within }),
        rows: async (text) => (await collect(await (transaction ?? lake).query(text, plain))).rows,
      },
      { described },
    )
    const text = { sql: numbers.text, origin: numbers.origin }
    return located(text, (index) => placeAt(sql, index), work(text.sql))
  }

  async function run(sql: string, more: StatementOptions): Promise<QueryResult> {
    const several = parseWithChanges(sql)
    if (several) return changedTogether(sql, several, more)
    const made = transaction?.state === 'failed' ? undefined : await temporary.foresee(sql, { ...asking(), ...more })
    const result = await (transaction ?? lake).query(sql, { ...asking(), ...more })
    if (made?.goesAtCommit && !transaction) await temporary.commit()
    return result
  }

  async function describe(sql: string, more: StatementOptions): Promise<Described> {
    const several = parseWithChanges(sql)
    if (!several) return (transaction ?? lake).describe(sql, { ...asking(), ...more })
    const { set: scratch, namespace: own } = await temporary.place({ ...asking(), ...more })
    return describeWithChanges(sql, several, {
      query: (text) => (transaction ?? lake).query(text, { ...asking(), ...more }),
      describe: (text) => (transaction ?? lake).describe(text, { ...asking(), ...more }),
      scratch,
      namespace: own,
      catalog,
    })
  }

  const session: Session = {
    get state() {
      return transaction ? (transaction.state === 'failed' ? 'failed' : 'open') : 'idle'
    },
    get names() {
      return { catalog, namespace }
    },
    async query(sql, more = {}) {
      const found = parseControl(sql)
      if (found?.kind === 'execute') {
        const statement = prepared.get(found.name.toLowerCase())
        if (statement === undefined) throw noPrepared(found.name)
        // Only a statement can be prepared, not what is said of several.
        if (parseControl(statement)) throw new Failure('SQL_UNSUPPORTED', `${found.name} cannot be executed`)
        return session.query(withArguments(statement, found.arguments), more)
      }
      if (found) return done(await control(found, more))
      return transaction?.state === 'failed' ? run(sql, more) : withNumbers(sql, more, (text) => run(text, more))
    },
    async loading(csv, statement, more = {}) {
      const loaded = await temporary.load(csv, { ...asking(), ...more })
      try {
        return await session.query(statement(`pg_temp.${loaded.name}`), more)
      } finally {
        await loaded.drop()
      }
    },
    describe: (sql, more = {}) => withNumbers(sql, more, (text) => describe(text, more), true),
    discardTemporary: () => temporary.close(),
    async close() {
      await transaction?.rollback()
      transaction = undefined
      await temporary.close()
    },
  }
  return session
}

const preparedMax = 1_000
const noPrepared = (name: string) =>
  new Failure('NOT_FOUND', `there is no prepared statement ${name}`, { sqlState: '26000' })

/** The answer of a statement that has no rows. */
const done = (command: string): QueryResult => ({
  command,
  columns: [],
  chunks: (async function* () {})(),
  provenance: { tables: [], views: [] },
  cached: { hit: false, ageMs: 0 },
  truncated: () => false,
})

/**
 * All statements of a text, in order, each run when the reader asks for it. Several without BEGIN are one transaction
 * together, as in PostgreSQL's simple queries: the first failure takes all of them back.
 */
export async function* queryAll(
  lake: Doors,
  text: string,
  options: SessionOptions,
): AsyncGenerator<QueryResult, undefined> {
  const statements = splitStatements(text)
  const [only] = statements
  const isOfParts = statements.length === 1 && (parseWithChanges(only!.sql) !== undefined || callsSequences(only!.sql))
  if (!only || (statements.length === 1 && !isOfParts)) {
    if (only && parseControl(only.sql))
      throw new Failure('TRANSACTION_STATE', `${only.sql} alone has no effect here`, { hint: oneText })
    yield await lake.query(text, options)
    return
  }
  const session = openSession(lake, options)
  const isOne = !statements.some(
    ({ sql }) => !/^(prepare|execute|deallocate)$/.test(parseControl(sql)?.kind ?? 'execute'),
  )
  if (isOne) await session.query(options.asOf === undefined ? 'BEGIN' : 'BEGIN READ ONLY')
  try {
    for (const [index, { sql, start }] of statements.entries()) {
      const inText = { sql, origin: (index: number) => start + index }
      const result = await located(inText, (index) => placeAt(text, index), session.query(sql))
      if (index < statements.length - 1 || session.state === 'idle') {
        yield result
        continue
      }
      if (!isOne) throw new Failure('TRANSACTION_STATE', 'the text ends inside a transaction', { hint: oneText })
      // Rows that are read after the commit could fail after it.
      const chunks = await Array.fromAsync(result.chunks)
      await session.query('COMMIT')
      yield { ...result, chunks: listed(chunks) }
    }
  } finally {
    await session.close()
  }
}

/** As `queryAll`; the result is the last statement's. */
export async function queryText(lake: Doors, text: string, options: SessionOptions): Promise<QueryResult> {
  let left = Math.max(1, splitStatements(text).length)
  for await (const result of queryAll(lake, text, options)) {
    if (--left === 0) return result
    for await (const _ of result.chunks);
  }
  throw new Bug('every text has a last result')
}

async function* listed<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items
}
const oneText = 'Send BEGIN, the statements and COMMIT in one text.'
