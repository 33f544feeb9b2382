// Statements that are no SELECT: which one it is, whether it may begin, and the change set that it is carried out in.

import { Failure, type Place } from '../base/failure.ts'
import { didYouMean, suggest } from '../base/suggest.ts'
import { showBytes } from '../base/units.ts'
import { showName, type TableName } from '../catalog/index.ts'
import type { Column } from '../contract/index.ts'
import { limitsOf, mayKnow } from '../govern/index.ts'
import { currentSchema, snapshotAsOf } from '../iceberg/index.ts'
import { columnsOfCommand, isCommand, runCommand, type Commanded } from './commands.ts'
import { changing, commandContext, isNamed, partOf, performContext, type Meant } from './contexts.ts'
import { explain, explainedAs, type Explaining } from './explain.ts'
import { withoutValues } from './policy/guard.ts'
import type { Asking, Opened, QueryResult } from './lake.ts'
import { namingTimeout } from './answers/limits.ts'
import { isOfSchema, missing, refNamed, resolveName, targetName } from './names.ts'
import { toldColumns } from './prepare.ts'
import type { ChangedTable } from './sources.ts'
import { besideOf } from './write/beside.ts'
import { located } from './write/perform-context.ts'
import type { ChangeSet } from './write/change-set.ts'
import { writtenSchema } from './write/computed-defaults.ts'
import { parametersText } from './write/parameters.ts'
import { perform } from './write/perform.ts'
import { returningOf } from './write/returning.ts'
import { authoriseChange, authoriseProperties, rightsOf } from './policy/rights.ts'
import { isTemporary, seenByItsMaker, temporaryTable } from './write/run-names.ts'
import type { Composed } from './sql/compose.ts'
import type { Piece } from './sql/reader.ts'
import type { RowChange } from './sql/row-change.ts'
import { isChange, parseStatement, type Statement } from './sql/statement.ts'
import { isName, nameOf, placeAt, splitStatements, tokens, type Token } from './sql/tokens.ts'

/** Runs the one statement of a text, which is no SELECT. */
export async function runStatement(sql: string, given: Asking, started: number, opened: Opened): Promise<QueryResult> {
  const { deps } = opened
  const [only, second] = splitStatements(sql)
  if (!only) throw new Failure('SQL_INVALID', 'there is no statement in this text')
  if (second)
    throw new Failure('SQL_UNSUPPORTED', 'one statement is run at a time', { place: placeAt(sql, second.start) })
  const statement = forDoor(parseStatement(only.sql), given.door)
  if (!statement) {
    const word = /^\w+/.exec(only.sql)?.[0].toUpperCase() ?? only.sql.slice(0, 10)
    throw new Failure('SQL_UNSUPPORTED', `${word} is not a statement that can be run here`, {
      place: placeAt(sql, only.start),
    })
  }
  const at = (index: number) => placeAt(sql, only.start + index)
  const own = limitsOf(await opened.policyNow(), given.principal).query_timeout
  const time = own && own.most < (given.timeoutMs ?? Infinity) ? own : undefined
  const options = time ? { ...given, timeoutMs: time.most } : given
  const explained = statement.kind === 'explain' && changeIn(statement.select)
  const doing = explained
    ? explainChange(explained, statement, options, (index) => at(statement.select.start + index), opened)
    : isCommand(statement)
      ? runCommand(statement, commandContext(options, at, opened))
      : changeTable(statement, only.sql, options, at, opened)
  const done = await doing.catch((error: unknown) => {
    throw namingTimeout(error, time)
  })
  await deps.audit?.({
    principal: options.principal,
    door: options.door,
    catalog: options.catalog,
    sql,
    action: statement.kind,
    tables: done.tables.map(showName),
    rows: done.count,
    ms: deps.clock.now() - started,
    cached: false,
    verdict: 'allowed',
    failureCode: null,
    requestId: options.requestId ?? null,
  })
  return {
    command: done.command,
    columns: done.columns,
    chunks: (async function* () {
      if (done.chunks) yield* done.chunks
      else yield { rowCount: done.rows.length, json: JSON.stringify(done.rows) }
    })(),
    provenance: { tables: [], views: [] },
    cached: { hit: false, ageMs: 0 },
    truncated: () => false,
    ...(done.chunks && done.count !== null ? { changed: done.count } : {}),
    ...(done.notices?.length ? { notices: done.notices } : {}),
  }
}

/** The columns that a statement's RETURNING gives, and the types of its parameters as far as they are known. */
export async function describeChange(
  sql: string,
  options: Asking,
  { prepare, policyNow, deps }: Pick<Opened, 'prepare' | 'policyNow' | 'deps'>,
): Promise<{ columns: Column[]; parameters: string[] }> {
  const statement = forDoor(parseStatement(sql), options.door)
  if (statement && isCommand(statement)) return { columns: [...columnsOfCommand(statement)], parameters: [] }
  if (!statement || !('returning' in statement)) return { columns: [], parameters: [] }
  const { target } = await meantBy(statement, options, deps)
  const isAsked = sql.includes('$')
  const found = async () => {
    const seen = options.changes ?? options.within?.changes ?? options.within?.tables ?? deps.tables
    return (isTemporary(target) ? (options.scratch ?? seen) : seen).load(target)
  }
  const columns = async () => {
    if (!statement.returning || isAsked) return []
    const bind = async (text: Composed) => {
      const columnsOf = async () => (await (await prepare(text.sql, options))?.columns()) ?? []
      return located(text, (index) => placeAt(sql, index), columnsOf())
    }
    const table = await found()
    const own = table?.kind === 'table' ? currentSchema(table.metadata).fields.map(({ name }) => name) : []
    const asked = returningOf(
      statement,
      target,
      await besideOf(statement, { own, postgres: options.door === 'pgwire' }, bind),
    )
    if (!asked) return []
    const told: Asking = { ...options, told: asked.rows }
    const columnsOf = async () => {
      const prepared = await prepare(asked.text.sql, told)
      return prepared ? toldColumns(prepared, options.json) : []
    }
    return located(asked.text, (index) => placeAt(sql, index), columnsOf())
  }
  const parameters = async () => {
    const isOwn = isTemporary(target)
    if (!isAsked || (!isOwn && !mayKnow(await policyNow(), options.principal, target))) return []
    const table = await found()
    const asked = returningOf(statement, target)
    const text = table?.kind === 'table' ? parametersText(statement, target, writtenSchema(table.metadata)) : undefined
    const prepared =
      text === undefined ? undefined : await prepare(text, { ...options, ...(asked && { told: asked.rows }) })
    return (await prepared?.parameterTypes()) ?? []
  }
  // What is wrong with the statement is told when it is run, with its place.
  const types = await parameters().catch((error: unknown) => {
    if (error instanceof Failure && error.code !== 'QUERY_CANCELLED') return []
    throw error
  })
  return { columns: await columns(), parameters: types }
}

async function changeTable(
  statement: Statement,
  written: string,
  options: Asking,
  at: (index: number) => Place,
  opened: Opened,
): Promise<Commanded> {
  if ('others' in statement && statement.others.length > 0) return changeTables(statement, written, options, at, opened)
  const { tables, access } = opened.deps
  const notices = noticesOf(statement, options, at)
  const meant = await meantBy(statement, options, opened.deps)
  const { target } = meant
  const named = async (thrown: unknown): Promise<never> => {
    const error = await withCandidates(atItsName(thrown, written, at), target, options, opened)
    if (isTemporary(target) && error instanceof Failure) throw withPlainName(error, target)
    if (!isMissing(error, target)) throw error
    const tried = options.changes ?? options.within?.changes
    throw await missing(target, at(written.indexOf(statement.name.at(-1)!)), {
      catalog: options.catalog,
      resolver: {
        load: async () => undefined,
        list: (catalog) => opened.listAll(catalog, options.within?.tables ?? tables, tried),
      },
      rights: await rightsOf(options.principal, access),
    })
  }
  const command = commandOf(statement)
  const columns = [{ name: 'rows', type: 'BIGINT', nullable: false }]
  const begun = await mayBegin(statement, target, options, at, opened).then(
    () => true,
    // What somebody may not know of is not there.
    (error: unknown) =>
      'ifExists' in statement && statement.ifExists && isMissing(error, target) ? false : named(error),
  )
  if (!begun) return { command, columns, rows: [[0]], tables: [], count: 0, notices }
  const scratch = isTemporary(target) ? options.scratch : undefined
  const { namespace, catalog } = target
  const schema = `${catalog}.${namespace}`.toLowerCase()
  let leaveSchema: (() => Promise<void>) | undefined
  const work = async (changes: ChangeSet) => {
    const own = performContext(changes, options, at, opened, meant)
    const createNamespace = async (inCatalog: string, name: string) => {
      const stays = options.within?.stays(schema) === true
      return (await own.createNamespace(inCatalog, name)) || stays
    }
    const context = { ...own, createNamespace }
    if (statement.kind === 'drop-schema' && statement.cascade)
      leaveSchema = async () => void (await context.dropNamespace(catalog, namespace, true).catch(unlessFilled))
    const done = await perform(statement, target, context).catch((error: unknown) => {
      throw opened.hiding.has(changes) ? withoutValues(error) : error
    })
    return { done, changed: done.changed }
  }
  const { rows: count, told } = await (
    scratch
      ? bounded(scratch, async () => (await work(scratch)).done)
      : // Rows that are added are added to whatever there is by then.
        changing(target.catalog, options, opened, at, work, { repeats: statement.kind === 'insert' })
  ).catch(named)
  if (leaveSchema && options.within) options.within.leaves(schema, leaveSchema)
  else if (leaveSchema && !options.changes) await leaveSchema()
  if (told) return { command, ...told, rows: [], tables: [target], count }
  return { command, columns, rows: [[count]], tables: [target], count, notices }
}

/** Somebody made a table in it meanwhile: then the schema stays. */
function unlessFilled(error: unknown): false {
  if (error instanceof Failure && error.code === 'NAMESPACE_NOT_EMPTY') return false
  throw error
}

/** `DROP TABLE a, b`: all of them, or none. */
async function changeTables(
  statement: Extract<Statement, { others: unknown }>,
  written: string,
  options: Asking,
  at: (index: number) => Place,
  opened: Opened,
): Promise<Commanded> {
  const { name: first, others } = statement
  const { catalog } = targetName(statement, options)
  return changing(catalog, options, opened, at, async (changes) => {
    const done: Commanded[] = []
    for (const name of [first, ...others])
      done.push(await changeTable({ ...statement, name, others: [] }, written, { ...options, changes }, at, opened))
    const [one] = done as [Commanded, ...Commanded[]]
    const count = done.reduce((sum, each) => sum + (each.count ?? 0), 0)
    const tables = done.flatMap((each) => each.tables)
    return { done: { ...one, rows: [[count]], tables, count }, changed: (await changes.pending()).length > 0 }
  })
}

/** Nothing enforces a foreign key, and who promises one has to say so. Clients of PostgreSQL cannot: they are told. */
function noticesOf(statement: Statement, { door }: Asking, at: (index: number) => Place): string[] {
  const written = 'promised' in statement ? (statement.promised ?? []) : []
  const foreign = written.find(({ what, unenforced }) => what === 'a foreign key' && !unenforced)
  if (foreign && door !== 'pgwire')
    throw new Failure('SQL_UNSUPPORTED', 'a foreign key that is enforced is not supported', {
      hint: 'Write NOT ENFORCED behind it, and test for it in the project.',
      place: at(foreign.start),
    })
  if (statement.kind === 'truncate' && statement.restart)
    return ['numbers of rows do not begin anew: they go on above those that were given']
  return foreign ? ['a foreign key is kept for the catalog, and nothing enforces it'] : []
}

/** What is wrong with a column is told where the statement names it. */
function atItsName(error: unknown, written: string, at: (index: number) => Place): unknown {
  if (!(error instanceof Failure) || error.place || !['SQL_INVALID', 'REQUEST_INVALID'].includes(error.code))
    return error
  const { message, context } = error
  const name = typeof context['column'] === 'string' ? context['column'] : /"([^"]+)"/.exec(message)?.[1]
  const last = name?.split('.').at(-1)
  const isIt = (token: Token) =>
    isName(token) && [name, last].some((one) => one?.toLowerCase() === nameOf(token).toLowerCase())
  const token = name === undefined ? undefined : tokens(written).find(isIt)
  return token ? error.with({ place: at(token.start) }) : error
}

/** What may have been meant, of the columns that the asker may know. */
async function withCandidates(
  error: unknown,
  target: TableName,
  { principal }: Asking,
  { deps }: Pick<Opened, 'deps'>,
): Promise<unknown> {
  if (!(error instanceof Failure) || !Array.isArray(error.context['columns'])) return error
  const { columns: all, column } = error.context as { columns: string[]; column: string }
  const shown = isTemporary(target) ? seenByItsMaker : (await rightsOf(principal, deps.access)).select(target)
  const { verdict, columns: seen } = shown
  const known = seen === 'all' ? all : all.filter((one) => seen.has(one.toLowerCase()))
  const columns = verdict === 'refused' ? [] : known
  return error.with({
    message: `${error.message}${didYouMean(column, columns)}`,
    suggestions: suggest(column, columns),
    columns: undefined,
    column: undefined,
  })
}

/** What a session's namespace is called helps nobody. */
const withPlainName = (failure: Failure, { catalog, namespace }: TableName): Failure =>
  failure.with({ message: failure.message.replaceAll(`${catalog}.${namespace}.`, '') })

/** `create table t` makes one of the lake, whatever else is called t. */
const makesTable = (statement: Statement): boolean => 'temporary' in statement && !statement.temporary

/** Temporary tables of a session are for what is looked at in between. @throws QUERY_TOO_LARGE; nothing is done then */
async function bounded<Done>(scratch: ChangeSet, work: () => Promise<Done>): Promise<Done> {
  const before = await scratch.savepoint()
  const done = await work()
  const made = await scratch.pending()
  let bytes = 0
  for (const { name } of made) {
    const table = await scratch.load(name)
    const snapshot = table?.kind === 'table' ? snapshotAsOf(table.metadata, undefined) : undefined
    bytes += Number(snapshot?.summary['total-files-size'] ?? 0)
  }
  if (made.length <= temporaryMax && bytes <= temporaryBytesMax) return done
  await before()
  throw new Failure(
    'QUERY_TOO_LARGE',
    `a session has at most ${temporaryMax} temporary tables, of ${showBytes(temporaryBytesMax)} together`,
    { hint: 'Drop those that are not needed, or make a table of the lake.' },
  )
}
const [temporaryMax, temporaryBytesMax] = [100, 2 ** 30]

/** A schema has one spelling, that of who made it: `create table A.t` is for the schema a, where there is no A. */
async function inItsSchema(
  statement: Statement,
  target: TableName,
  { namespaces }: Pick<Opened['deps'], 'namespaces'>,
): Promise<TableName> {
  if (!isOfSchema(statement) && !['create-table', 'create-view'].includes(statement.kind)) return target
  const all = await namespaces(target.catalog)
  const alike = all.filter((one) => one.toLowerCase() === target.namespace.toLowerCase())
  return alike.includes(target.namespace) || alike.length !== 1 ? target : { ...target, namespace: alike[0]! }
}

/** INSERT, UPDATE, DELETE or MERGE; undefined for anything else. */
function changeIn({ sql }: Piece): RowChange | undefined {
  const statement = isChange(sql) ? parseStatement(sql) : undefined
  return statement && 'returning' in statement ? statement : undefined
}

/** The plan of what a change reads: all of it is done but to write. */
async function explainChange(
  statement: RowChange,
  how: Explaining,
  options: Asking,
  at: (index: number) => Place,
  opened: Opened,
): Promise<Commanded> {
  if (how.analyze)
    throw new Failure('SQL_UNSUPPORTED', 'a statement that changes rows is not run to be explained', {
      hint: 'Write EXPLAIN without ANALYZE.',
      place: at(0),
    })
  const change = { ...statement, returning: undefined } as RowChange
  const meant = await meantBy(change, options, opened.deps)
  const { target } = meant
  await mayBegin(change, target, options, at, opened)
  const given = isTemporary(target) ? options.scratch : (options.changes ?? options.within?.changes)
  const changes = given ?? (await opened.openChanges({ ...options, catalog: target.catalog }))
  try {
    let explained = explainedAs('all rows go, by metadata alone', how)
    const command = commandContext(options, at, opened)
    const plan = async (sql: string, rowsOf?: ChangedTable) => {
      const prepared = await opened.prepare(sql, { ...partOf(options), changes, cache: false }, rowsOf)
      if (!prepared) throw new Failure('SQL_INVALID', 'a SELECT is needed here')
      await command.maySeeAll(prepared.loaded)
      explained = await explain(prepared, how, command)
      const nothing = { rowsWritten: 0, rowsDeleted: 0, rowsChanged: 0, filesWritten: 0, bytesWritten: 0 }
      return { table: showName(target), kind: 'table' as const, columns: [], snapshotId: null, ...nothing }
    }
    const dry: ChangeSet = {
      ...changes,
      append: (_, sql) => plan(sql),
      overwrite: (_, sql) => plan(sql),
      changeRows: (name, _, sql, asked) => plan(sql, { name, branch: asked?.branch }),
      truncate: async () => {},
    }
    const context = performContext(dry, options, at, opened, meant)
    await perform(change, target, { ...context, takeNumbers: async () => 1n })
    return { command: 'EXPLAIN', ...explained, tables: [target], count: null }
  } finally {
    if (!given) await changes.discard()
  }
}

type RowsStatement = Extract<Statement, { returning?: unknown } | { kind: 'truncate' }>
const changesRows = (statement: Statement): statement is RowsStatement =>
  'returning' in statement || statement.kind === 'truncate'

/** What a statement is about: a temporary table goes before all else that is called so, unless one of the lake is made. */
async function meantBy(
  statement: Statement,
  options: Asking,
  deps: Pick<Opened['deps'], 'tables' | 'namespaces'>,
): Promise<Meant> {
  const own = makesTable(statement) ? undefined : await temporaryTable(statement.name, options, options.changes)
  if (own) return { target: own }
  if (changesRows(statement)) return rowsMeant(statement, options, deps)
  return { target: await inItsSchema(statement, targetName(statement, options), deps) }
}

/** The table whose rows a statement is about, and its branch where the name is that of one: `raw.t.branch_audit`. */
async function rowsMeant(
  statement: RowsStatement,
  options: Asking,
  { tables }: Pick<Opened['deps'], 'tables'>,
): Promise<Meant> {
  const last = statement.name.at(-1)!
  const ref = statement.name.length > 1 ? refNamed(last) : undefined
  const seen = options.changes ?? options.within?.changes ?? options.within?.tables ?? tables
  // A table that is called so goes first; no name of a table has four parts.
  const target = statement.name.length < 4 ? targetName(statement, options) : undefined
  if (target && (!ref || (await seen.load(target)))) return { target }
  const table = resolveName(statement.name.slice(0, -1), options)
  if (ref && 'ref' in ref && /^branch_/i.test(last)) return { target: table, branch: ref.ref }
  throw new Failure('SQL_INVALID', `${last} is what ${showName(table)} was: only branches are written`)
}

/** Before anything is looked up: whether something is there is not for everybody to know. */
async function mayBegin(
  statement: Statement,
  target: TableName,
  asking: Asking,
  at: (index: number) => Place,
  { policyNow, environmentOf }: Opened,
): Promise<void> {
  const { principal } = asking
  const policy = await policyNow()
  for (const properties of propertiesIn(statement)) authoriseProperties(policy, principal, properties, target)
  if (isTemporary(target)) return
  if (statement.kind === 'create-table' || statement.kind === 'create-view')
    authoriseChange(
      policy,
      principal,
      ['create'],
      target,
      environmentOf(target.catalog, isNamed(target.catalog, asking)),
    )
  else if (!isOfSchema(statement) && !mayKnow(policy, principal, target))
    throw new Failure('TABLE_NOT_FOUND', `there is no table ${showName(target)}`, { place: at(0) })
}

function propertiesIn(statement: Statement): Readonly<Record<string, string>>[] {
  switch (statement.kind) {
    case 'create-table':
      return [statement.clauses.properties]
    case 'create-view':
      return [statement.properties]
    case 'alter-view':
      return [statement.set]
    case 'alter':
      return statement.changes.flatMap((change) => (change.kind === 'properties' ? [change.set] : []))
    default:
      return []
  }
}

/** That the statement's own table is not there, as it is told before anybody has looked for what was meant. */
const isMissing = (error: unknown, target: TableName): boolean =>
  error instanceof Failure &&
  error.code === 'TABLE_NOT_FOUND' &&
  error.context.suggestions === undefined &&
  error.message.includes(showName(target))

/** As PostgreSQL's clients are told. */
function commandOf(statement: Statement): string {
  switch (statement.kind) {
    case 'drop':
      return `DROP ${statement.what.toUpperCase()}`
    case 'rename':
      return `ALTER ${statement.what.toUpperCase()}`
    case 'alter':
      return statement.changes[0]?.kind === 'comment' && statement.changes.every(({ kind }) => kind === 'comment')
        ? 'COMMENT'
        : 'ALTER TABLE'
    case 'comment-schema':
      return 'COMMENT'
    case 'truncate':
      return 'TRUNCATE TABLE'
    default:
      return statement.kind.toUpperCase().replace('-', ' ')
  }
}

/** Clients of PostgreSQL print a plan line by line. */
function forDoor(
  statement: ReturnType<typeof parseStatement>,
  door: Asking['door'],
): ReturnType<typeof parseStatement> {
  return statement?.kind === 'explain' ? { ...statement, lines: door === 'pgwire' } : statement
}
