// From a person's SELECT to what runs: parse, check, resolve names, bind on the planning host, prune files.
//
//   text ──json_serialize_sql──▶ tree ──allow-list──▶ names ──catalog──▶ tables, views
//        ──splice──▶ text over empty shadows ──optimiser──▶ errors with a place, conditions per scan
//        ──splice──▶ text over the files that survive ──▶ engine

import { Failure, type Place } from '../base/failure.ts'
import { suggest } from '../base/suggest.ts'
import type { Loaded, LoadedTable, LoadedView, TableName } from '../catalog/index.ts'
import { showName } from '../catalog/index.ts'
import { EngineFailure, type Engine, type EngineColumn } from '../engine/index.ts'
import {
  canTravel,
  currentViewVersion,
  metadataTable,
  metadataTableName,
  filesToRead,
  planScan,
  schemaOf,
  snapshotAsOf,
  type At,
  type ManifestCache,
  type MetadataTableName,
  type Predicate,
  type ScanFile,
  type Schema,
  type Snapshot,
} from '../iceberg/index.ts'
import type { FileCache, FileIO, FileLease } from '../io/index.ts'
import { informationSchema, type InformationTable } from './information.ts'
import { emptyMetadataSql, metadataSql, splitMetadataName } from './metadata-tables.ts'
import { parsePlan, predicatesOf } from './predicates.ts'
import { scanSql, shadowOf, type Shadow, type ScanSource } from './scan.ts'
import {
  indexOfByte,
  locate,
  splice,
  tableEdits,
  unqualify,
  type Edit,
  type NamedTable,
  type Spliced,
} from './sql/splice.ts'
import { placeAt, splitStatements } from './sql/tokens.ts'
import { analyse, type Analysis } from './sql/tree.ts'

/** How names are looked up: through the catalog, or through a change set first. */
export type Resolver = {
  load(name: TableName): Promise<Loaded | undefined>
  list(catalog: string): Promise<Loaded[]>
}
export type PrepareContext = {
  engine: Engine
  io: FileIO
  files: Files
  manifests: ManifestCache
  analyses: AnalysisCache
  resolver: Resolver
  catalog: string
  catalogs: readonly string[]
  namespace: string | undefined
  /** Every table as of then, where the statement does not say otherwise. */
  asOf: At | undefined
  /** Called for every table and view that is named, before it is read. */
  mayRead(name: TableName): void
  signal: AbortSignal | undefined
  /** False: every file of a table is read. */
  prune: boolean
  /** The first use of this table gives the rows' places (`_file`, `_pos`) and ids besides: for those who change rows. */
  rowsOf?: TableName | undefined
}

/** One use of a table, as it was planned. */
export type PlannedScan = { table: LoadedTable; files: ScanFile[]; predicate: Predicate | undefined }

/** What an engine host may run until `lease` is released: the files that the text names stay on this disk. */
export type Planned = { sql: string; bytes: number; scans: PlannedScan[]; lease: FileLease }

/** Where the files of a plan are on this disk. */
export type Files = Pick<FileCache, 'lease' | 'keep'>

/** A SELECT that passed every check. */
export type Prepared = {
  /** What the result is a function of, apart from policy: the text with snapshots in place of tables. */
  identity: string
  volatile: boolean
  /** Every table and view that was loaded. */
  loaded: Loaded[]
  provenance: { tables: { table: string; snapshotId: string | null; committedAt: string | null }[]; views: string[] }
  /** Plans the scans and gives the text for an engine host. `bytes` is what the surviving files hold. */
  execute(): Promise<Planned>
  columns(): Promise<EngineColumn[]>
}

type Scan = {
  kind: 'scan'
  table: LoadedTable
  snapshot: Snapshot | undefined
  schema: Schema
  shadow: Shadow
  columns: ScanSource['columns']
}
/** A metadata table: `sql` has no rows, `rows` reads the manifests that it needs. */
type About = { kind: 'about'; sql: string; identity: string; rows: () => Promise<string> }
type Source = Scan | About | { kind: 'view'; name: TableName; piece: Piece } | { kind: 'values'; sql: string }
type Piece = { sql: string; edits: Edit[]; tables: { named: NamedTable; source: Source }[] }

const viewDepthMax = 32

/** Checks one SELECT. `undefined` when it is a statement of another kind; then the caller parses it. */
export async function prepareSelect(original: string, context: PrepareContext): Promise<Prepared | undefined> {
  const statements = splitStatements(original)
  const statement = statements[0]
  if (!statement) throw new Failure('SQL_INVALID', 'there is no statement in this text')
  if (statements.length > 1)
    throw new Failure('SQL_UNSUPPORTED', `one statement is run at a time, this text has ${statements.length}`, {
      place: placeAt(original, statements[1]!.start),
    })
  const place = (index: number): Place => placeAt(original, statement.start + index)

  const scans: Scan[] = []
  const views: TableName[] = []
  const everything: Loaded[] = []
  const volatile: string[] = []
  // Against the empty shadows of all tables that were named so far.
  const bind = (sql: string): Promise<EngineColumn[]> =>
    retryShadow(() =>
      context.engine.bind({
        class: 'plan',
        sql,
        setup: scans.map(({ shadow }) => shadow.ddl),
        timeoutMs: 10_000,
        ...withSignal(context.signal),
      }),
    )

  const piece = await build(statement.sql, place, context.catalog, context.namespace, [])
  if (!piece) return undefined

  async function build(
    sql: string,
    at: (index: number) => Place,
    catalog: string,
    namespace: string | undefined,
    within: TableName[],
  ): Promise<Piece | undefined> {
    const analysis = await parse(context, sql, at)
    if (!analysis) return undefined
    volatile.push(...analysis.volatile)
    if (analysis.show !== undefined) {
      if (!/^(all_)?tables$/i.test(analysis.show))
        throw new Failure('SQL_UNSUPPORTED', `SHOW ${analysis.show} is not supported`, {
          hint: 'Use SHOW TABLES, or read information_schema.tables, columns or schemata.',
        })
      return showPiece(await informationOf('tables'))
    }
    const located = locate(sql, analysis)
    const tables: Piece['tables'] = []
    for (const [index, reference] of analysis.tables.entries()) {
      const named = located[index]
      if (!named)
        throw new Failure('SQL_UNSUPPORTED', `the table ${reference.name} is named in a way that cannot be followed`, {
          hint: 'Write it as FROM namespace.table.',
        })
      tables.push({ named, source: await sourceOf(named, at, catalog, namespace, within) })
    }
    return { sql, edits: unqualify(sql, analysis), tables }
  }

  async function informationOf(table: string): Promise<Source> {
    const readable = (await context.resolver.list(context.catalog)).filter(({ name }) =>
      allowed(() => context.mayRead(name)),
    )
    return { kind: 'values', sql: informationSchema(table as InformationTable, context.catalog, readable) }
  }

  async function sourceOf(
    named: NamedTable,
    at: (index: number) => Place,
    catalog: string,
    namespace: string | undefined,
    within: TableName[],
  ): Promise<Source> {
    const { reference } = named
    const here = at(named.start)
    if (reference.namespace?.toLowerCase() === 'information_schema') {
      if (!['tables', 'columns', 'schemata'].includes(reference.name.toLowerCase()))
        throw notFound(`information_schema.${reference.name}`, here)
      return informationOf(reference.name.toLowerCase())
    }
    const { about, ...ordinary } = aboutTable(reference, context.catalogs)
    const name = fullName(ordinary, catalog, namespace, context.catalogs, here)
    context.mayRead(name)
    const loaded = await context.resolver.load(name)
    if (!loaded) throw await missing(name, here, context)
    everything.push(loaded)
    if (about) return aboutOf(about, loaded, named, here)
    if (loaded.kind === 'view') {
      if (within.length >= viewDepthMax || within.some((outer) => showName(outer) === showName(loaded.name)))
        throw new Failure('SQL_INVALID', `the view ${showName(loaded.name)} reads itself`, { place: here })
      if (named.at)
        throw new Failure('SQL_UNSUPPORTED', `${showName(loaded.name)} is a view; AT is for tables`, { place: here })
      views.push(loaded.name)
      const piece = await viewPiece(loaded, here, within)
      return { kind: 'view', name: loaded.name, piece }
    }
    const { metadata } = loaded
    const when = named.at ? await evaluateAt(named, here, context) : undefined
    let snapshot: Snapshot | undefined
    try {
      snapshot = snapshotAsOf(metadata, when ?? context.asOf)
    } catch (error) {
      throw error instanceof Failure
        ? new Failure(error.code, `${showName(name)}: ${error.message}`, { place: here, cause: error })
        : error
    }
    // Without time travel, and for branches, the current schema counts: no snapshot may have been written under it yet.
    const travel = when ?? context.asOf
    const isBranch = travel && 'ref' in travel && metadata.refs[travel.ref]?.type === 'branch'
    const schema = travel && !isBranch ? schemaOf(metadata, snapshot) : schemaOf(metadata)
    const isTarget =
      context.rowsOf && showName(context.rowsOf) === showName(loaded.name) && scans.every(({ columns }) => !columns)
    const columns = isTarget ? { file: true, position: true, rowId: metadata.formatVersion >= 3 } : undefined
    const shadow = shadowOf(schema, scans.length, columns)
    const scan: Scan = { kind: 'scan', table: loaded, snapshot, schema, shadow, columns }
    scans.push(scan)
    return scan
  }

  /** The view's SQL for DuckDB; of a view that another engine made, its first text that runs here. */
  async function viewPiece({ name, metadata }: LoadedView, here: Place, within: TableName[]): Promise<Piece> {
    const version = currentViewVersion(metadata)
    if (!version || version.representations.length === 0)
      throw new Failure('METADATA_INVALID', `the view ${showName(name)} has no SQL`)
    // Other engines have names of their own for this catalog.
    const isKnown = context.catalogs.some((one) => one.toLowerCase() === version.defaultCatalog?.toLowerCase())
    const catalog = isKnown ? version.defaultCatalog! : name.catalog
    const pieceOf = async (sql: string) => {
      const piece = await build(sql, () => here, catalog, version.defaultNamespace[0], [...within, name])
      if (!piece) throw new Failure('METADATA_INVALID', `the view ${showName(name)} is not a SELECT`)
      return piece
    }
    const own = version.representations.find(({ dialect }) => dialect.toLowerCase() === 'duckdb')
    if (own) return pieceOf(own.sql)
    const reasons: string[] = []
    for (const { dialect, sql } of version.representations) {
      const before = [scans, views, everything, volatile].map((list) => [list, list.length] as const)
      try {
        const piece = await pieceOf(sql)
        await bind(render(piece, shadowText).text)
        return piece
      } catch (error) {
        if (context.signal?.aborted || (error instanceof Failure && error.code === 'FORBIDDEN')) throw error
        for (const [list, length] of before) list.length = length
        const { message } = error instanceof EngineFailure ? engineFailure(error) : (error as Error)
        reasons.push(`${dialect}: ${message.split('\n')[0]}`)
      }
    }
    throw new Failure('SQL_UNSUPPORTED', `the view ${showName(name)} has no SQL for DuckDB (${reasons.join('; ')})`, {
      place: here,
      hint: 'Add the dialect "duckdb" to the view, or read it with the engine that made it.',
    })
  }

  async function aboutOf(what: MetadataTableName, loaded: Loaded, named: NamedTable, here: Place): Promise<Source> {
    if (loaded.kind === 'view')
      throw new Failure('TABLE_NOT_FOUND', `${showName(loaded.name)} is a view, which has no ${what}`, { place: here })
    const { metadata, location } = loaded
    const when = named.at ? await evaluateAt(named, here, context) : undefined
    // As of then where it can be; the history itself is always the one of now.
    const at = when ?? (canTravel(what) ? context.asOf : undefined)
    try {
      const table = metadataTable(context.io, metadata, what, {
        location,
        at,
        manifests: context.manifests,
        signal: context.signal,
      })
      return {
        kind: 'about',
        sql: emptyMetadataSql(table),
        identity: `<${what}:${location}:${at === undefined ? '' : Object.values(at).join('')}>`,
        rows: () => metadataSql(`${showName(loaded.name)}$${what}`, table),
      }
    } catch (error) {
      throw error instanceof Failure
        ? new Failure(error.code, `${showName(loaded.name)}$${what}: ${error.message}`, { place: here, cause: error })
        : error
    }
  }

  const bound = render(piece, shadowText)
  const setup = scans.map(({ shadow }) => shadow.ddl)
  const rejected = (error: unknown) => bindingFailure(error, bound, place)

  const identityText = render(piece, (source) =>
    source.kind === 'scan'
      ? `<${source.table.metadata.tableUuid}:${source.snapshot?.snapshotId ?? 'empty'}:${source.schema.schemaId}>`
      : source.kind === 'about'
        ? source.identity
        : source.kind === 'values'
          ? source.sql
          : undefined,
  ).text

  const columns = async (): Promise<EngineColumn[]> => {
    try {
      return await bind(bound.text)
    } catch (error) {
      throw rejected(error)
    }
  }

  return {
    identity: identityText,
    volatile: volatile.length > 0,
    loaded: everything,
    provenance: {
      tables: distinct(
        scans.map(({ table, snapshot }) => ({
          table: showName(table.name),
          snapshotId: snapshot?.snapshotId.toString() ?? null,
          committedAt: snapshot ? new Date(snapshot.timestampMs).toISOString() : null,
        })),
      ),
      views: [...new Set(views.map(showName))],
    },
    columns,
    execute: async () => {
      const predicates = await conditions(
        context,
        bound,
        setup,
        new Map(scans.map(({ shadow, schema }) => [shadow.name, schema])),
        columns,
      )
      const texts = new Map<Source, string>()
      for (const source of sourcesOf(piece)) if (source.kind === 'about') texts.set(source, await source.rows())
      const { engine, io, signal } = context
      const plans = new Map<Scan, PlannedScan>()
      for (const scan of scans) {
        const predicate = context.prune ? predicates.get(scan.shadow.name) : undefined
        const { table, snapshot } = scan
        const plan = await planScan(io, table.metadata, {
          snapshotId: snapshot?.snapshotId,
          predicate,
          manifests: context.manifests,
          signal,
        })
        // An empty table has no snapshot; the schema to show is still the one that was bound.
        plans.set(scan, { table, files: snapshot ? plan.files : [], predicate })
      }
      const planned = [...plans.values()]
      const lease = await context.files.lease(planned.flatMap(filesToRead), signal)
      try {
        for (const [scan, { table, files }] of plans)
          texts.set(
            scan,
            await scanSql({
              table: showName(table.name),
              metadata: table.metadata,
              schema: scan.schema,
              files,
              columns: scan.columns,
              io,
              engine,
              localPathOf: lease.pathOf,
              signal,
            }),
          )
        const { text } = render(piece, (source) => (source.kind === 'values' ? source.sql : texts.get(source)))
        const bytes = planned.flatMap(({ files }) => files).reduce((sum, file) => sum + file.fileSizeBytes, 0)
        return { sql: text, bytes, scans: planned, lease }
      } catch (error) {
        lease.release()
        throw error
      }
    },
  }
}

/** What stands for a table while a statement is only bound. */
const shadowText = (source: Source): string | undefined =>
  source.kind === 'scan' ? source.shadow.name : source.kind === 'view' ? undefined : source.sql

/** The text with every table's name replaced; a view's body goes in whole. */
function render(piece: Piece, textOf: (source: Source) => string | undefined): Spliced {
  const edits = piece.tables.flatMap(({ named, source }) => {
    const body = source.kind === 'view' ? `(${render(source.piece, textOf).text}\n)` : textOf(source)!
    return tableEdits(named, body)
  })
  return splice(piece.sql, [...piece.edits, ...edits])
}

const sourcesOf = ({ tables }: Piece): Source[] =>
  tables.flatMap(({ source }) => (source.kind === 'view' ? [source, ...sourcesOf(source.piece)] : [source]))

/**
 * Names of Iceberg's metadata tables: `t$files` with any number of parts before it, or Spark's `ns.t.files`, where `ns`
 * is no catalog.
 */
function aboutTable(
  { catalog, namespace, name }: NamedTable['reference'],
  catalogs: readonly string[],
): Pick<NamedTable['reference'], 'catalog' | 'namespace' | 'name'> & { about: MetadataTableName | undefined } {
  const split = splitMetadataName(name)
  if (split) return { catalog, namespace, name: split.table, about: split.metadata }
  const about = metadataTableName(name)
  const isCatalog = catalogs.some((one) => one.toLowerCase() === catalog?.toLowerCase())
  if (about && catalog !== undefined && namespace !== undefined && !isCatalog)
    return { catalog: undefined, namespace: catalog, name: namespace, about }
  return { catalog, namespace, name, about: undefined }
}

/** Syntax trees that were checked, by their text: a page that asks the same again costs no parsing. */
export class AnalysisCache {
  readonly #kept = new Map<string, Analysis>()
  get(sql: string): Analysis | undefined {
    const known = this.#kept.get(sql)
    if (known) {
      this.#kept.delete(sql)
      this.#kept.set(sql, known) // youngest again
    }
    return known
  }
  put(sql: string, analysis: Analysis): void {
    if (sql.length > analysisTextMax) return
    this.#kept.set(sql, analysis)
    if (this.#kept.size > analysesMax) this.#kept.delete(this.#kept.keys().next().value!)
  }
}
const [analysesMax, analysisTextMax] = [2_000, 20_000]

async function parse(
  context: PrepareContext,
  sql: string,
  at: (index: number) => Place,
): Promise<Analysis | undefined> {
  const known = context.analyses.get(sql)
  if (known) return known
  const json = String(
    (
      await context.engine.rows({
        class: 'plan',
        sql: 'SELECT json_serialize_sql($1::VARCHAR, skip_null := true, skip_empty := true, skip_default := true)',
        parameters: [sql],
        timeoutMs: 10_000,
        ...withSignal(context.signal),
      })
    )[0]?.[0],
  )
  if (json.startsWith('{"error":true')) {
    const error = JSON.parse(json) as { error_type: string; error_message: string; position?: string }
    if (error.error_type === 'not implemented') return undefined
    throw new Failure(
      'SQL_INVALID',
      error.error_message,
      error.position === undefined ? {} : { place: at(indexOfByte(sql, Number(error.position))) },
    )
  }
  const analysis = analyse(json)
  context.analyses.put(sql, analysis)
  return analysis
}

/**
 * Which condition reaches which scan; every scan without an entry keeps all its files. A plan that cannot be made or
 * written down is no reason to refuse a query that binds: only to read all files.
 */
async function conditions(
  context: PrepareContext,
  bound: Spliced,
  setup: string[],
  schemas: Map<string, Schema>,
  bind: () => Promise<unknown>,
): Promise<Map<string, Predicate>> {
  const json = await retryShadow(async () =>
    String(
      (
        await context.engine.rows({
          class: 'plan',
          sql: 'SELECT json_serialize_plan($1::VARCHAR, optimize := true)',
          parameters: [bound.text],
          setup,
          timeoutMs: 10_000,
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
    return new Map()
  }
  const plan = parsePlan(json)
  return plan ? predicatesOf(plan, schemas) : new Map()
}

/** Two statements that make the same shadow at once: one of them is told of a conflict and simply tries again. */
async function retryShadow<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= 5 || !(error instanceof EngineFailure) || !/conflict|already exists/i.test(error.message))
        throw error
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

/** DuckDB's words without what is ours alone: shadow names and paths. */
export function engineFailure(error: EngineFailure, place?: Place): Failure {
  const { type, message, candidates } = error.error
  const clean = message
    .replace(/\bs_[0-9a-f]{20}_\d+\b/g, 'the table')
    .replace(/'?\/[^\s'"]*\/(data|metadata)\/[^\s'",)]*'?/g, 'a data file')
    .trim()
  const more = {
    cause: error,
    ...(place ? { place } : {}),
    ...(candidates ? { suggestions: candidates.split(',').map((one) => one.trim()) } : {}),
  }
  if (['parser', 'binder', 'catalog', 'syntax'].includes(type)) return new Failure('SQL_INVALID', clean, more)
  if (type === 'not implemented') return new Failure('SQL_UNSUPPORTED', clean, more)
  if (type === 'out of memory')
    return new Failure('QUERY_TOO_LARGE', `the query needs more memory than it may use: ${clean}`, {
      ...more,
      hint: 'Aggregate or filter earlier, or raise `limits.memory`.',
    })
  if (type === 'permission') return new Failure('SQL_REFUSED', clean, more)
  if (type === 'io' && /no space left|disk full/i.test(message))
    return new Failure('STORAGE_FAILED', `the disk is full: ${clean}`, more)
  if (type === 'io') return new Failure('STORAGE_FAILED', clean, more)
  return new Failure('QUERY_FAILED', clean, more)
}

function fullName(
  reference: Pick<NamedTable['reference'], 'catalog' | 'namespace' | 'name'>,
  catalog: string,
  namespace: string | undefined,
  catalogs: readonly string[],
  place: Place,
): TableName {
  const { name } = reference
  if (reference.catalog !== undefined)
    return { catalog: exact(reference.catalog, catalogs), namespace: reference.namespace!, name }
  if (reference.namespace !== undefined) return { catalog, namespace: reference.namespace, name }
  if (namespace !== undefined) return { catalog, namespace, name }
  throw new Failure('TABLE_NOT_FOUND', `${name} is named without a namespace`, {
    place,
    hint: `Write it as namespace.${name}, for example raw.${name}.`,
  })
}
const exact = (name: string, known: readonly string[]) =>
  known.find((one) => one.toLowerCase() === name.toLowerCase()) ?? name

const notFound = (name: string, place: Place, suggestions: string[] = []) =>
  new Failure(
    'TABLE_NOT_FOUND',
    `there is no table ${name}${suggestions.length > 0 ? `; did you mean ${suggestions.join(' or ')}?` : ''}`,
    { place, suggestions },
  )

async function missing(name: TableName, place: Place, context: PrepareContext): Promise<Failure> {
  const all = (await context.resolver.list(name.catalog)).filter((one) => allowed(() => context.mayRead(one.name)))
  const shown = ({ namespace, name }: TableName) => `${namespace}.${name}`
  const namesakes = all.filter((one) => one.name.name.toLowerCase() === name.name.toLowerCase())
  const near = new Set([
    ...namesakes.map((one) => shown(one.name)),
    ...suggest(
      shown(name),
      all.map((one) => shown(one.name)),
    ),
  ])
  return notFound(
    name.catalog === context.catalog ? `${name.namespace}.${name.name}` : showName(name),
    place,
    [...near].slice(0, 3),
  )
}

function allowed(check: () => void): boolean {
  try {
    check()
    return true
  } catch {
    return false
  }
}

/** `AT (VERSION => 3)` or `AT (TIMESTAMP => now() - INTERVAL 1 DAY)`: the planning host evaluates the constant. */
async function evaluateAt(named: NamedTable, place: Place, context: PrepareContext): Promise<At> {
  const { expression } = named.at!
  const version = named.reference.hasAt === 'VERSION'
  const sql = version ? `SELECT (${expression})::VARCHAR` : `SELECT epoch_ms((${expression})::TIMESTAMPTZ)::VARCHAR`
  const value = await context.engine.rows({ class: 'plan', sql, timeoutMs: 5_000 }).then(
    (rows) => rows[0]?.[0] as string | null,
    (cause: unknown) => {
      throw new Failure(
        'SQL_INVALID',
        `AT (${named.reference.hasAt} => ${expression.trim()}) is not a ${version ? 'snapshot id, branch or tag' : 'timestamp'}`,
        { place, cause },
      )
    },
  )
  if (value === null) throw new Failure('SQL_INVALID', `AT (${named.reference.hasAt} => …) is null`, { place })
  if (!version) return { timestampMs: Number(value) }
  return /^-?\d{1,19}$/.test(value) ? { snapshotId: BigInt(value) } : { ref: value }
}

const distinct = <Item extends { table: string; snapshotId: string | null }>(all: Item[]): Item[] => [
  ...new Map(all.map((one) => [`${one.table} ${one.snapshotId}`, one])).values(),
]

// SHOW TABLES becomes a SELECT of ours over the information schema: the name at its start is replaced like any table's.
const showTables = 'shown'
const showPiece = (source: Source): Piece => ({
  sql: `FROM ${showTables} SELECT table_schema, table_name, table_type ORDER BY ALL`,
  edits: [],
  tables: [
    {
      named: {
        reference: {
          catalog: undefined,
          namespace: undefined,
          name: showTables,
          alias: undefined,
          offset: 5,
          hasAt: undefined,
        },
        start: 5,
        end: 5 + showTables.length,
        at: undefined,
        lead: undefined,
      },
      source,
    },
  ],
})
