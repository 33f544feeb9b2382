// From a person's SELECT to what runs: parse, check, resolve names, bind on the planning host, prune files.
//
//   text ──json_serialize_sql──▶ tree ──allow-list──▶ names ──catalog──▶ tables, views
//        ──splice──▶ text over empty shadows ──optimiser──▶ errors with a place, conditions per scan
//        ──splice──▶ text over the files that survive ──▶ engine

import { Bug } from '../base/assert.ts'
import { Failure, type Place } from '../base/failure.ts'
import { showName, type Loaded, type LoadedTable, type TableName } from '../catalog/index.ts'
import type { Column } from '../contract/index.ts'
import { EngineFailure, type EngineColumn } from '../engine/index.ts'
import {
  changesThatMayMatch,
  filesToRead,
  planScan,
  totalBytes,
  type Predicate,
  type ScanFile,
  type SnapshotChanges,
} from '../iceberg/index.ts'
import type { FileCache, FileLease } from '../io/index.ts'
import { planningMs } from './answers/analyses.ts'
import { engineFailure } from './answers/engine-failure.ts'
import {
  filesWorth,
  joinKeys,
  keyPredicate,
  keysSql,
  smallBytes,
  smallerBy,
  type JoinKey,
} from './answers/join-keys.ts'
import { checkScan } from './answers/limits.ts'
import { metadataAnswer } from './answers/metadata-answer.ts'
import { predicateSql } from './policy/guard.ts'
import { cannotFail } from './policy/harmless.ts'
import { atText } from './scan/as-of.ts'
import { changesSql, filesOfChanges, planRange, withoutChanges } from './scan/changes.ts'
import { vainCasts } from './sql/casts.ts'
import { parsePlan, plainPredicate, predicatesOf } from './scan/predicates.ts'
import type { Rights } from './policy/rights.ts'
import { apartFromStatistics, mayMistakeNulls } from './scan/distinct-from.ts'
import { scanSql } from './scan/scan.ts'
import {
  readSql,
  nameSources,
  openShadowText,
  render,
  renderOnce,
  inOurWords,
  retryShadow,
  columnsOf,
  sourcesOf,
  type Named,
  type Piece,
  type PrepareContext,
  type Scan,
  type Source,
} from './sources.ts'
import { groupedByKey, type Keyed } from './sql/grouped-key.ts'
import { indexOfByte, splice, type Edit, type Spliced } from './sql/splice.ts'
import { isKeptAs, markedAs, type DeclaredType } from './write/declared-types.ts'
import { systemSql } from './relations/system-tables.ts'
import { placeAt, splitStatements, tokens } from './sql/tokens.ts'
import { mayDependOnZone, zoneOf } from './policy/zones.ts'

/** One use of a table, as it was planned. `isChanged`: the use whose rows a statement changes; it may read the table elsewhere too. */
export type PlannedScan = {
  table: LoadedTable
  files: ScanFile[]
  predicate: Predicate | undefined
  isChanged: boolean
}

/** What an engine host may run until `lease` is released: the files that the text names stay on this disk. */
export type Planned = { sql: string; bytes: number; scans: PlannedScan[]; lease: FileLease }

/** Where the files of a plan are on this disk. */
export type Files = Pick<FileCache, 'lease' | 'keep'>

/** Kinds of errors that say that a text does not bind, or not to such types. */
const unbound = new Set([
  'binder',
  'catalog',
  'conversion',
  'invalid input',
  'invalid type',
  'mismatch type',
  'not implemented',
])

/** By the place of the column; undefined for one that is of the engine's type. */
export type Declared = readonly (DeclaredType | undefined)[]

/** A SELECT that passed every check. */
export type Prepared = {
  /** What the result is a function of, apart from policy: the text with snapshots in place of tables. */
  readonly identity: string
  volatile: boolean
  /** Tables are in it that tell what there is by now (`information_schema`). */
  readsCatalog: boolean
  /** Rows or values of a table in it are hidden from the asker: an error's text must not tell them. */
  hides: boolean
  /** Every table and view that was loaded. */
  loaded: Loaded[]
  /** Without what the asker may not know of: tables below a view that reads with the rights of its owner. */
  provenance: {
    tables: { table: string; at?: string; snapshotId: string | null; schemaId: number; committedAt: string | null }[]
    views: { view: string; versionId: number }[]
  }
  /** What the asker named, and their rights when the statement began. */
  direct: readonly TableName[]
  rights: Rights
  /** What was written, with time travel in DuckDB's spelling, and the tables that it names itself. */
  text: string
  named: Piece['tables']
  /** The zone that it runs in, where it is not the project's. */
  timeZone: string | undefined
  /** Every table, with the id of its snapshot. */
  read: Record<string, string | null>
  /**
   * Plans the scans and gives the text for an engine host. `bytes` is what the surviving files hold. Where no file can be
   * spared a text need not be bound for that: with `unbound` its mistakes are found when it runs, and `columns` tells where.
   */
  execute(options?: { unbound: boolean }): Promise<Planned>
  columns(): Promise<readonly EngineColumn[]>
  /**
   * How columns were declared that are passed on from tables as they are; undefined where none is. `sums`: and what is BIGINT
   * to PostgreSQL because integers were summed up, which are HUGEINT to the engine.
   */
  declared(options?: { sums: boolean }): Promise<Declared | undefined>
  /** Casts that fail for every value but NULL, where they stand. */
  vainCasts(): Promise<{ from: string; to: string; place: Place }[]>
  /** The engine's types of `$1`, `$2` …; `UNKNOWN` where the statement does not say. */
  parameterTypes(): Promise<string[]>
}

const smallIntegers: ReadonlySet<string> = new Set(['TINYINT', 'SMALLINT', 'INTEGER', 'UTINYINT', 'USMALLINT'])
const isOfIntegers = (told: DeclaredType | undefined) => told === 'BIGINT' || told === 'SMALLINT'

/** The text with `max` for `sum`, so that its types tell what was summed up; undefined where nothing is. */
function sumsAsMost(sql: string): string | undefined {
  if (!/\bsum\s*\(/i.test(sql)) return undefined
  const all = [...tokens(sql)]
  const edits = all.flatMap(({ kind, text, start, end }, at): Edit[] => {
    const isCall = kind === 'word' && text.toLowerCase() === 'sum' && all[at + 1]?.text === '('
    return isCall && all[at - 1]?.text !== '.' ? [{ start, end, text: 'max' }] : []
  })
  return edits.length === 0 ? undefined : splice(sql, edits).text
}

/** The columns of a SELECT for who is told how columns were declared. */
export async function toldColumns(
  prepared: Pick<Prepared, 'columns' | 'declared'>,
  json: string | undefined,
): Promise<Column[]> {
  const columns = await prepared.columns()
  const declared = (await prepared.declared({ sums: true })) ?? []
  return columns.map(({ name, type }, at) => {
    const told = declared[at]
    const computed = type === 'JSON' ? (json ?? type) : type === 'HUGEINT' && isOfIntegers(told) ? 'BIGINT' : type
    return { name, type: told !== undefined && isKeptAs(told, type) ? told : computed, nullable: true }
  })
}

/** Checks one SELECT. `undefined` when it is a statement of another kind; then the caller parses it. */
export async function prepareSelect(original: string, context: PrepareContext): Promise<Prepared | undefined> {
  const statements = splitStatements(original)
  const statement = statements[0]
  if (!statement) throw new Failure('SQL_INVALID', 'there is no statement in this text')
  if (statements.length > 1)
    throw new Failure('SQL_UNSUPPORTED', `one statement is run at a time, this text has ${statements.length}`, {
      place: placeAt(original, statements[1]!.start),
    })
  const words = inOurWords(statement.sql)
  const first = await namedIn(words, original, statement.start, context)
  const found = context.postgres && first ? await withGroupedKeys(first, original, statement.start, context) : first
  if (!found) return undefined
  const { text, place, named } = found
  const { piece, scans, systemTables, views, volatile, readsCatalog, loaded } = named

  const shadowed = [...scans, ...systemTables]
  const sources = sourcesOf(piece)
  const guards = sources.flatMap((source) =>
    source.kind === 'scan' || source.kind === 'view' ? (source.guard ?? []) : [],
  )
  const lent = sources.flatMap((source) => (source.kind === 'view' && source.isLent ? [source.piece] : []))
  const isLent = lent.length > 0
  const isOfProject =
    context.timeZone !== undefined &&
    (guards.some((guard) => guard.hides && guard.dependsOnZone()) || mayDependOnZone(lent))
  const timeZone = isOfProject ? undefined : context.timeZone

  const identityOf = (source: Source): string | undefined =>
    source.kind === 'scan'
      ? readSql(
          source,
          `<${source.table.metadata.tableUuid}:${source.snapshot?.snapshotId ?? 'empty'}:${source.schema.schemaId}${source.changes ? `:since ${source.changes.from}` : ''}>`,
          identityOf,
        )
      : source.kind === 'about'
        ? source.identity
        : source.kind === 'values'
          ? source.sql
          : source.kind === 'system'
            ? `<system.${source.name}>`
            : undefined

  let bindings: Promise<readonly EngineColumn[]> | undefined
  const columns = (): Promise<readonly EngineColumn[]> => (bindings ??= bound(found, context))

  return {
    get identity() {
      return render(piece, identityOf).text
    },
    volatile: volatile.length > 0,
    readsCatalog,
    hides: isLent || guards.some(({ hides }) => hides),
    loaded,
    timeZone,
    direct: named.direct,
    rights: context.rights,
    text,
    named: piece.tables,
    provenance: {
      tables: distinct(
        scans
          .filter(({ table }) => context.rights.knows(table.name))
          .map(({ table, said, snapshot, schema }) => ({
            table: showName(table.name),
            ...(said === undefined ? {} : { at: atText(said) }),
            snapshotId: snapshot?.snapshotId.toString() ?? null,
            schemaId: schema.schemaId,
            committedAt: snapshot ? new Date(snapshot.timestampMs).toISOString() : null,
          })),
      ),
      views: distinct(
        views
          .filter(({ name }) => context.rights.knows(name))
          .map(({ name, metadata }) => ({ view: showName(name), versionId: metadata.currentVersionId })),
      ),
    },
    read: Object.fromEntries(
      scans.map(({ table, snapshot }) => [showName(table.name), snapshot?.snapshotId.toString() ?? null]),
    ),
    columns,
    declared: async ({ sums } = { sums: false }) => {
      const marked = named.marked()
      const { spliced, setup } = marked ?? named.whole()
      const summed = sums ? sumsAsMost(spliced.text) : undefined
      if (!marked && summed === undefined) return undefined
      const columnsAs = (text: string) => columnsOf(text, setup, context)
      const bound = await (
        summed === undefined
          ? columnsAs(spliced.text)
          : columnsAs(summed).catch(() => (marked ? columnsAs(spliced.text) : []))
      ).catch((error: unknown) => {
        // What it computes is not to be had of marks: then nothing is told of what is only passed on.
        if (error instanceof EngineFailure && unbound.has(error.error.type)) return []
        throw error
      })
      const ofIntegers = (type: string) => (summed !== undefined && smallIntegers.has(type) ? 'BIGINT' : undefined)
      const declared = bound.map(({ type }) => markedAs(type) ?? ofIntegers(type))
      return declared.some((one) => one !== undefined) ? declared : undefined
    },
    vainCasts: async () => {
      const { spliced, plan } = await boundPlan(context, named)
      return vainCasts(plan).map(({ at, ...types }) => ({
        ...types,
        place: place(spliced.origin(indexOfByte(spliced.text, at))),
      }))
    },
    parameterTypes: () => {
      const { spliced, setup } = named.whole()
      return retryShadow(() =>
        context.engine.parameterTypes({
          class: 'plan',
          sql: spliced.text,
          setup,
          timeoutMs: planningMs,
          ...withSignal(context.signal),
        }),
      ).catch((error: unknown) => {
        throw bindingFailure(error, spliced, place)
      })
    },
    execute: async ({ unbound } = { unbound: false }) => {
      if (named.parameters())
        throw new Failure('SQL_UNSUPPORTED', 'the statement has parameters, and no values were given for them')
      // Of rows that change the conditions say, too, which changes of others are a conflict.
      const isRead = context.rowsOf === undefined && systemTables.length === 0
      const isUnconditional =
        shadowed.length === 0 || (isRead && ((context.run && areSmall(scans)) || areOneFileEach(scans)))
      const plain = isRead && !isUnconditional ? plainConditionsOf(piece, scans) : undefined
      const isKnown = isUnconditional || plain !== undefined
      if (context.postgres && text.includes('||') && scans.some(({ casts }) => [...casts.values()].includes('JSON')))
        await checkJoined(context, named, place)
      if (isKnown && !unbound) await columns()
      const { predicates, joins, plan } = isKnown
        ? (plain ?? nothingKnown)
        : await conditions({ ...context, timeZone }, named, columns)
      const texts = new Map<Source, string>()
      for (const source of sources) if (source.kind === 'about') texts.set(source, await source.rows())
      for (const source of systemTables)
        texts.set(source, await systemSql(source.name, context.logs!, predicates.get(source.shadow.name)))
      const { io, signal } = context
      const plans = new Map<Scan, PlannedScan>()
      const changes = new Map<Scan, SnapshotChanges[]>()
      const planOf = async (scan: Scan, predicate: Predicate | undefined) => {
        const { table, snapshot } = scan
        const isChanged = scan.columns !== undefined
        if (scan.rows !== undefined) return void plans.set(scan, { table, files: [], predicate, isChanged })
        if (scan.changes) {
          const all = await planRange(io, table, { ...scan.changes, manifests: context.manifests, signal })
          const found = predicate ? changesThatMayMatch(all, table.metadata, scan.schema, predicate) : all
          changes.set(scan, found)
          return void plans.set(scan, { table, files: filesOfChanges(found), predicate, isChanged })
        }
        const plan = await planScan(io, table.metadata, {
          snapshotId: snapshot?.snapshotId,
          predicate,
          manifests: context.manifests,
          signal,
        })
        // An empty table has no snapshot; the schema to show is still the one that was bound.
        plans.set(scan, { table, files: snapshot ? inOrder(plan.files) : [], predicate, isChanged })
      }
      for (const scan of scans) await planOf(scan, context.prune ? predicates.get(scan.shadow.name) : undefined)
      if (context.prune) await pruneByJoins(joins, plans, context, planOf)
      const planned = [...plans.values()]
      const [only, ...others] = piece.tables
      const [scan] = scans
      if (scan && only?.source === scan && others.length === 0 && !scan.guard && isOfFiles(scan) && context.prune) {
        const answer = await metadataAnswer(piece.sql, plans.get(scan)!, scan.schema, columns)
        if (answer !== undefined)
          return { sql: answer, bytes: 0, scans: [{ ...plans.get(scan)!, files: [] }], lease: nothingLeased }
      }
      const bytes = planned.flatMap(({ files }) => files).reduce((sum, file) => sum + file.fileSizeBytes, 0)
      checkScan(context.rights.limits.scan_bytes, bytes)
      const lease = await context.files.lease(planned.flatMap(filesToRead), signal)
      try {
        const rows = new Map<Source, string>()
        const mistakesNulls = mayMistakeNulls(named.whole().spliced.text)
        for (const [scan, { files }] of plans) {
          const read =
            scan.rows ??
            (scan.changes
              ? await changedSql(scan, changes.get(scan)!, lease, context)
              : await rowsSql(scan, files, lease, context))
          rows.set(scan, mistakesNulls ? apartFromStatistics(read, scan.schema, files) : read)
        }
        const textOf = (source: Source) =>
          source.kind === 'values' ? source.sql : (texts.get(source) ?? rows.get(source))
        for (const [scan, { predicate }] of plans)
          texts.set(scan, readSql(scan, rows.get(scan)!, textOf, predicateSql(predicate, scan.schema)))
        const isOnce = isUnconditional && named.isShared && volatile.length === 0 && guards.length === 0 && !isLent
        const text = isOnce
          ? renderOnce(piece, textOf)
          : render(piece, textOf, { isHarmless: isLent && plan !== undefined && cannotFail(plan) }).text
        // What came and went is not what is there: nobody changes rows by it.
        return { sql: text, bytes, scans: [...plans].flatMap(([scan, plan]) => (scan.changes ? [] : [plan])), lease }
      } catch (error) {
        lease.release()
        throw error
      }
    },
  }
}

/** A text in our words, what it names, and where an index of it stands in the one that was asked. */
type NamedText = { text: string; origin(index: number): number; place(index: number): Place; named: Named }

async function namedIn(
  { text, origin }: Spliced,
  original: string,
  start: number,
  context: PrepareContext,
): Promise<NamedText | undefined> {
  const place = (index: number): Place => placeAt(original, start + origin(index))
  const named = await nameSources(text, place, context)
  return named && { text, origin, place, named }
}

/** Columns that a key in GROUP BY determines need not be there, for PostgreSQL's clients. */
async function withGroupedKeys(
  first: NamedText,
  original: string,
  start: number,
  context: PrepareContext,
): Promise<NamedText | undefined> {
  let now: NamedText | undefined = first
  for (let tried = 0; now && tried < groupedMax && /\bgroup\s+by\b/i.test(now.text); tried++) {
    const current: NamedText = now
    const tables = keyedTables(current.named.piece, context.rights)
    if (!tables.some(({ key }) => key.length > 0)) return current
    let at: number | undefined
    const column = await bound({ ...current, place: (index) => ((at = index), current.place(index)) }, context).then(
      () => undefined,
      (error: unknown) => (error instanceof Failure ? ungrouped.exec(error.message)?.[1] : undefined),
    )
    const edit = column === undefined ? undefined : groupedByKey(current.text, { column, at }, tables)
    if (!edit) return current
    const { text, origin } = splice(current.text, [edit])
    now = await namedIn({ text, origin: (index) => current.origin(origin(index)) }, original, start, context)
  }
  return now
}
const groupedMax = 50
const ungrouped = /column "?(.+?)"? must appear in the GROUP BY clause/

const keyedTables = ({ tables }: Piece, rights: Rights): Keyed[] =>
  tables.flatMap(({ named, source }): Keyed[] => {
    if (source.kind !== 'scan') return []
    const { fields, identifierFieldIds } = source.schema
    const key = fields.filter(({ id }) => identifierFieldIds.includes(id)).map(({ name }) => name.toLowerCase())
    const { alias, name } = named.reference
    return [
      {
        called: (alias ?? name).toLowerCase(),
        start: named.start,
        columns: new Set(rights.columns(source.table).map((field) => field.name.toLowerCase())),
        key: key.length === identifierFieldIds.length ? key : [],
      },
    ]
  })

/** @throws SQL_INVALID with the place */
async function bound(
  { named, place }: Pick<NamedText, 'named' | 'place'>,
  context: PrepareContext,
): Promise<readonly EngineColumn[]> {
  const { spliced, setup } = await named.brief()
  try {
    return await columnsOf(spliced.text, setup, context)
  } catch (error) {
    if (!(error instanceof EngineFailure)) throw error
    // What is wrong may lie below a view: the whole text tells it, and its place.
    const { spliced: whole, setup } = named.whole()
    return columnsOf(whole.text, setup, context).catch((error: unknown) => {
      throw bindingFailure(error, whole, place)
    })
  }
}

/** Whether what it reads are the rows of its files, and no more. */
const isOfFiles = ({ columns, rows, changes }: Scan): boolean =>
  columns === undefined && rows === undefined && changes === undefined

/** As they were added: rows that nobody asked to be ordered come as people expect them, the first ones first. */
const inOrder = (files: readonly ScanFile[]): ScanFile[] => {
  const added = ({ fileSequenceNumber, sequenceNumber }: ScanFile) => fileSequenceNumber ?? sequenceNumber
  return files.toSorted((a, b) => (added(a) < added(b) ? -1 : added(a) > added(b) ? 1 : 0))
}

type Reading = Pick<PrepareContext, 'io' | 'engine' | 'run' | 'signal'>

/** The live rows of these files of a table, unguarded. */
const rowsSql = (
  { table, schema, columns }: Pick<Scan, 'table' | 'schema' | 'columns'>,
  files: readonly ScanFile[],
  lease: FileLease,
  { io, engine, run, signal }: Reading,
): Promise<string> =>
  scanSql({
    table: showName(table.name),
    metadata: table.metadata,
    schema,
    files,
    columns,
    io,
    engine,
    // A run has one of these at work, and none of the others.
    hosts: run ? 'write' : 'interactive',
    localPathOf: lease.pathOf,
    signal,
  })

/** The rows that came and went, unguarded. */
const changedSql = (
  { table, schema }: Scan,
  changes: readonly SnapshotChanges[],
  lease: FileLease,
  reading: Reading,
): Promise<string> =>
  changesSql(changes, schema, (files, withFile) =>
    rowsSql({ table, schema: withoutChanges(schema), columns: { file: withFile } }, files, lease, reading),
  )

const nothingLeased: FileLease = {
  pathOf: (location) => {
    throw new Bug(`${location} was not leased`)
  },
  release() {},
}

/**
 * Which condition reaches which scan; every scan without an entry keeps all its files. A plan that cannot be made or
 * written down is no reason to refuse a query that binds: only to read all files.
 */
async function conditions(
  context: PrepareContext,
  { piece, scans, systemTables, isShared, setup }: Named,
  bind: () => Promise<unknown>,
): Promise<Conditions> {
  const schemas = new Map([...scans, ...systemTables].map(({ shadow, schema }) => [shadow.name, schema]))
  const json = await retryShadow(async () =>
    String(
      (
        await context.engine.rows({
          class: 'plan',
          sql: 'SELECT json_serialize_plan($1::VARCHAR, optimize := true)',
          parameters: [render(piece, openShadowText).text],
          setup: setup(),
          timeoutMs: planningMs,
          ...zoneOf(context),
          ...withSignal(context.signal),
        })
      )[0]?.[0],
    ),
  ).catch((error: unknown) => {
    if (error instanceof EngineFailure) return undefined
    throw error
  })
  if (json === undefined || json.startsWith('{"error":true')) {
    await bind()
    return nothingKnown
  }
  const plan = parsePlan(json)
  if (!plan) return nothingKnown
  // A table that stands in several places has the conditions of all of them, and what one of them is joined with says nothing.
  return {
    predicates: predicatesOf(plan, schemas),
    joins: isShared ? [] : joinKeys(plan, schemas),
    plan,
  }
}

/** Clients of PostgreSQL mean by `a || b` of two columns of JSON what the engine does not: it would join the texts. @throws SQL_UNSUPPORTED */
async function checkJoined(context: PrepareContext, named: Named, place: (index: number) => Place): Promise<void> {
  const { spliced, plan } = await boundPlan(context, named)
  // A cast that nobody wrote stands where its operand does.
  const isWritten = (at: number) => /^(::|(try_)?cast\b)/i.test(spliced.text.slice(indexOfByte(spliced.text, at)))
  const at = joinedJson(plan, isWritten)
  if (at !== undefined)
    throw new Failure('SQL_UNSUPPORTED', 'what || does of JSON has to be said of one side', {
      place: place(spliced.origin(indexOfByte(spliced.text, at))),
      hint: 'Write a::jsonb || b to put JSON together, a::text || b::text to join texts.',
    })
}

/** What the text binds to, before anything is optimised; undefined where it does not bind. */
async function boundPlan(context: PrepareContext, { brief }: Named) {
  // A view means what it meant where it was made.
  const { spliced, setup } = await brief()
  const [[json] = []] = await context.engine
    .rows({
      class: 'plan',
      sql: 'SELECT json_serialize_plan($1::VARCHAR)',
      parameters: [spliced.text],
      setup,
      timeoutMs: planningMs,
      ...withSignal(context.signal),
    })
    .catch((error: unknown) => {
      if (error instanceof EngineFailure) return [] // what is wrong with it is told when it is bound
      throw error
    })
  return { spliced, plan: parsePlan(String(json)) }
}

/** Where in the text a plan has `||` of JSON and JSON, or of JSON and a constant. `isWritten`: whether a cast stands there. */
function joinedJson(node: unknown, isWritten: (at: number) => boolean): number | undefined {
  if (node === null || typeof node !== 'object') return undefined
  const { name, children, query_location: at } = node as Node
  const kinds = name === '||' && Array.isArray(children) ? children.map((one) => kindOf(one as Node, isWritten)) : []
  if (kinds.includes('json') && !kinds.includes('other')) return Number(at)
  for (const one of Object.values(node)) {
    const found = joinedJson(one, isWritten)
    if (found !== undefined) return found
  }
  return undefined
}
type Node = { [key: string]: unknown }
function kindOf({ expression_class: kind, child, query_location: at }: Node, isWritten: (at: number) => boolean) {
  if (kind === 'BOUND_CONSTANT') return 'constant'
  const type = (child as { return_type?: { type_info?: { alias?: string } | null } } | undefined)?.return_type
  return kind === 'BOUND_CAST' && type?.type_info?.alias === 'JSON' && !isWritten(Number(at)) ? 'json' : 'other'
}

/**
 * Whether to read all costs less than to find out what need not be read: a plan of views upon views is large, and a run asks
 * for one for each of its models.
 */
function areSmall(scans: readonly Scan[]): boolean {
  const snapshots = new Map(scans.map(({ table, snapshot }) => [`${table.location} ${snapshot?.snapshotId}`, snapshot]))
  const total = (name: string) =>
    [...snapshots.values()].reduce((sum, snapshot) => sum + (snapshot ? Number(snapshot.summary[name]) : 0), 0)
  return total('total-data-files') <= fewFiles && total('total-files-size') <= fewBytes
}
const [fewFiles, fewBytes] = [32, 2 ** 25]

/** Of one file on this disk its own statistics tell, row group by row group, more than its manifest could. */
const areOneFileEach = (scans: readonly Scan[]): boolean =>
  scans.every(
    ({ table, snapshot, guard, isWalled }) =>
      !guard &&
      !isWalled &&
      table.metadata.location.startsWith('file:') &&
      (!snapshot || Number(snapshot.summary['total-data-files']) <= 1),
  )

/** By the name of the shadow table, and the columns that joins compare. */
type Conditions = {
  predicates: ReadonlyMap<string, Predicate>
  joins: readonly JoinKey[]
  /** Undefined where it was not asked for, or could not be had. */
  plan: ReturnType<typeof parsePlan>
}
const nothingKnown: Conditions = { predicates: new Map(), joins: [], plan: undefined }

/** What can be read off a text that asks one table a plain question; undefined where the optimiser may know more. */
function plainConditionsOf({ sql, tables, conditions }: Piece, scans: readonly Scan[]): Conditions | undefined {
  const [scan, ...others] = scans
  const [only] = tables
  if (!conditions || !scan || others.length > 0 || only?.source !== scan) return undefined
  // What the asker compares is what is shown to them, and not what lies in the files.
  if (scan.guard || scan.isWalled || !isOfFiles(scan)) return undefined
  const { reference } = only.named
  const predicate = plainPredicate(conditions, {
    sql,
    schema: { ...scan.schema, fields: scan.schema.fields.filter(({ name }) => !scan.casts.has(name)) },
    called: reference.alias ?? reference.name,
  })
  return predicate && { ...nothingKnown, predicates: new Map([[scan.shadow.name, predicate]]) }
}

/** Reads the keys of the small sides of joins, and plans the large ones again with them. */
async function pruneByJoins(
  joins: readonly JoinKey[],
  plans: ReadonlyMap<Scan, PlannedScan>,
  context: PrepareContext,
  planAgain: (scan: Scan, predicate: Predicate) => Promise<void>,
): Promise<void> {
  const { engine, signal } = context
  const bytesOf = ({ files }: PlannedScan) => totalBytes(files)
  const scanOf = (shadow: string) => [...plans.keys()].find((scan) => scan.shadow.name === shadow)
  for (const join of joins.flatMap(({ one, other }) => [[one, other] as const, [other, one] as const])) {
    const [large, small] = join
    const [scan, by] = [scanOf(large.shadow), scanOf(small.shadow)]
    if (!scan || !by || scan.guard || by.guard || !isOfFiles(scan) || !isOfFiles(by)) continue
    const [wide, narrow] = [plans.get(scan)!, plans.get(by)!]
    const condition = predicateSql(narrow.predicate, by.schema)
    const isWorthIt =
      condition !== undefined &&
      wide.files.length >= filesWorth &&
      bytesOf(narrow) <= Math.min(smallBytes, bytesOf(wide) / smallerBy)
    if (!isWorthIt) continue
    const lease = await context.files.lease(filesToRead(narrow), signal)
    try {
      const rows = await rowsSql(by, narrow.files, lease, context)
      const sql = keysSql(small.field, `(SELECT * FROM ${rows} AS narrow WHERE ${condition})`)
      const [keys = []] = await engine.rows({
        class: context.run ? 'write' : 'interactive',
        sql,
        timeoutMs: 10_000,
        ...withSignal(signal),
      })
      const found = keyPredicate(large.field, keys)
      if (found) await planAgain(scan, wide.predicate ? { op: 'and', of: [wide.predicate, found] } : found)
    } catch (error) {
      // Reading all files is right, too; the statement itself tells what is wrong.
      if (!(error instanceof EngineFailure)) throw error
    } finally {
      lease.release()
    }
  }
}

const withSignal = (signal: AbortSignal | undefined) => (signal ? { signal } : {})

/** What DuckDB said of the shadow text, as a Failure with a place in the person's text. */
function bindingFailure(error: unknown, bound: Spliced, at: (index: number) => Place): unknown {
  if (!(error instanceof EngineFailure)) return error
  return engineFailure(
    error,
    error.error.offset === undefined ? undefined : at(bound.origin(indexOfByte(bound.text, error.error.offset))),
  )
}

const distinct = <Item>(all: Item[]): Item[] => [...new Map(all.map((one) => [JSON.stringify(one), one])).values()]
