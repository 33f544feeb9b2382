// What a SELECT names, and what stands there when it runs: scans of tables, bodies of views, values of ours.

import { Failure, type Place } from '../base/failure.ts'
import type { Log } from '../base/log.ts'
import {
  showName,
  type Catalog,
  type Loaded,
  type LoadedTable,
  type LoadedView,
  type Sequences,
  type TableName,
} from '../catalog/index.ts'
import { EngineFailure, type Engine, type EngineColumn } from '../engine/index.ts'
import { seesAll, type Subject } from '../govern/index.ts'
import type { Principal } from '../govern/index.ts'
import {
  canTravel,
  currentViewVersion,
  metadataTable,
  metadataTableName,
  schemaOf,
  snapshotAsOf,
  snapshotById,
  type At,
  type DataFile,
  type Field,
  type NewField,
  type ManifestCache,
  type MetadataTableName,
  type Schema,
  type Snapshot,
} from '../iceberg/index.ts'
import type { FileIO } from '../io/index.ts'
import { withoutLikeRows } from './sql/long-values.ts'
import { analysisOf, type AnalysisCache, type ColumnsCache } from './answers/analyses.ts'
import { engineFailure } from './answers/engine-failure.ts'
import { barrier, guardOf, type Guard } from './policy/guard.ts'
import { systemRelation, type KeysOf, type Known, type SystemRelation } from './pg-catalog/index.ts'
import type { Earlier, EarlierView } from './scan/as-of.ts'
import { describedColumns, informationSchema, schemaOfLoaded, type InformationTable } from './relations/information.ts'
import { emptyMetadataSql, metadataSql } from './relations/metadata-tables.ts'
import { aboutTable, fullName, missing, notFound, refNamed } from './names.ts'
import type { Files } from './prepare.ts'
import { aliasOf, seenByItsMaker, shownTemporary, unaliased, type RunNames } from './write/run-names.ts'
import type { Rights } from './policy/rights.ts'
import {
  asReaderOfLogs,
  systemSchema,
  systemTable,
  type SystemLogs,
  type SystemTableName,
} from './relations/system-tables.ts'
import { withDuckdbRelations } from './relations/duckdb-relations.ts'
import type { Given } from './relations/outline.ts'
import { changesSchema, rangeOf, type Range } from './scan/changes.ts'
import { extraColumns, shadowOf, shadowOfColumns, type ScanSource, type Shadow } from './scan/scan.ts'
import type { PlainCondition } from './sql/plain-select.ts'
import { backticksInDuckDb } from './sql/backticks.ts'
import { placesOf, splice, tableEdits, withEdits, type Edit, type NamedTable, type Spliced } from './sql/splice.ts'
import { quoteFile, quoteName } from './sql/tokens.ts'
import { sessionEdits } from './sql/session-words.ts'
import { schemaStarsInDuckDb } from './sql/schema-stars.ts'
import { travelInDuckDb } from './sql/travel.ts'
import { sqlType } from './types.ts'
import { declaredTypes, markedType, needsMark, readTypes, type DeclaredType } from './write/declared-types.ts'
import { aboveAll, numberedFields, ownerOf, ownSequence } from './write/numbered.ts'
import { zoneOf } from './policy/zones.ts'

/** A text of a person or of a view without what other engines, or DuckDB's own catalog, call otherwise than the lake. */
export function inOurWords(sql: string): Spliced {
  const quoted = backticksInDuckDb(sql)
  const named = withDuckdbRelations(quoted.text)
  const travelled = travelInDuckDb(named.text)
  const starred = schemaStarsInDuckDb(travelled.text)
  return { text: starred.text, origin: (index) => quoted.origin(named.origin(travelled.origin(starred.origin(index)))) }
}

/** How names are looked up: through the catalog, or through a change set first. */
export type Resolver = {
  load(name: TableName): Promise<Loaded | undefined>
  list(catalog: string): Promise<Loaded[]>
  /** The temporary tables of the session or run. */
  temporaries?(): Promise<Loaded[]>
}
export type PrepareContext = {
  engine: Engine
  io: FileIO
  files: Files
  manifests: ManifestCache
  analyses: AnalysisCache
  columns: ColumnsCache
  resolver: Resolver
  catalog: string
  catalogs: readonly string[]
  namespace: string | undefined
  /** Every table as of then, where the statement does not say otherwise. */
  asOf: At | undefined
  /** As of then, for this one table, where the statement says of it `said`: goes before both and before `asOf`. */
  asOfTable?: ((name: TableName, said?: At) => Earlier | undefined) | undefined
  /** As it was made then. */
  asOfView?: ((name: TableName) => EarlierView | undefined) | undefined
  rights: Rights
  /** What `system.audit` and `system.queries` show; undefined: there are none. */
  logs: SystemLogs | undefined
  user: Pick<Principal, 'name' | 'role'>
  /** For a client of PostgreSQL: `information_schema` is PostgreSQL's. */
  postgres: boolean
  /** For a run of models, as DuckDB has it: `information_schema` lies in `system`, in no database of a user. */
  run: boolean
  keysOf: KeysOf | undefined
  sequences: Pick<Sequences, 'find' | 'list'> | undefined
  namespacesOf(catalog: string): Promise<readonly string[]>
  /** Its properties. */
  namespaceOf: Catalog['namespace']
  log: Log
  signal: AbortSignal | undefined
  /** The zone of the asker, where it is not the project's. */
  timeZone: string | undefined
  /** False: every file of a table is read. */
  prune: boolean
  /** What names mean in a run, and its temporary table that a plain name means. */
  names?: RunNames | undefined
  temporaryNamed?: ((reference: NamedTable['reference']) => Promise<TableName | undefined>) | undefined
  /** Columns of tables that are looked at as if they were there (`outline.ts`). */
  given?: Given | undefined
  /**
   * The use of this table that is called `changedAlias` gives the rows' places (`_boathouse_file`,
   * `_boathouse_pos`) and ids besides; without such a name its first use.
   */
  rowsOf?: ChangedTable | undefined
  told?: ToldRows | undefined
}

/** Whose rows a statement changes; those of `main` where no branch is named. */
export type ChangedTable = { name: TableName; branch?: string | undefined }

/** For RETURNING: rows that a statement changes, in place of the table's where it is called `changedAlias`. */
export type ToldRows = {
  table: TableName
  /** What stands behind FROM; undefined while a SELECT of them is only bound. */
  rows: string | undefined
  /** They were read as the asker sees them: columns, rows and values are hidden already. */
  asSeen: boolean
  /** What they have besides the table's columns. */
  extra: readonly NewField[]
}

type Casts = ReadonlyMap<string, string>
export type Scan = {
  kind: 'scan'
  table: LoadedTable
  snapshot: Snapshot | undefined
  /** What the statement says of when. */
  said?: At | undefined
  schema: Schema
  shadow: Shadow
  columns: ScanSource['columns']
  declared: ReadonlyMap<string, DeclaredType>
  /** DuckDB's types of columns that are kept as others: functions take JSON apart, and cut no whole number. */
  casts: Casts
  /** Rows that stand in place of its files'. */
  rows?: string | undefined
  /** Rows that came and went between two snapshots, rather than those that are there. */
  changes?: Range | undefined
  /** What is hidden from the asker: whoever reads the table's files or metadata instead shows too much. */
  guard: Guard | undefined
  /** It lies in a view that is lent. */
  isWalled?: boolean
}
/** A table of Boathouse's own: its rows are read when it is known which matter. */
export type SystemTable = { kind: 'system'; name: SystemTableName; schema: Schema; shadow: Shadow }
/** What is looked at as if it were a table: its columns by name. */
type GivenTable = { kind: 'given'; name: TableName; columns: readonly EngineColumn[]; shadow: Shadow; sql: string }
/** A metadata table or a system relation: `sql` has no rows, `rows` reads what it needs for them. */
type About = { kind: 'about'; sql: string; identity: string; rows: () => Promise<string> }
type View = {
  kind: 'view'
  name: TableName
  loaded: LoadedView
  piece: Piece
  guard: Guard | undefined
  /**
   * It reads what its asker may not. Then its conditions, joins and limits come before all that the asker wrote, as the rows that
   * it leaves out would be told by an error of theirs.
   */
  isLent: boolean
}
export type Source = Scan | About | SystemTable | GivenTable | View | { kind: 'values'; sql: string }
/** `hoist`: what stands for the tables goes into a WITH clause, as the text around them names a column. */
export type Piece = {
  sql: string
  edits: Edit[]
  tables: { named: NamedTable; source: Source }[]
  hoist: boolean
  /** What it asks of its one table, where that can be read off it. */
  conditions?: PlainCondition[] | undefined
}

/** A statement with everything that it names. */
export type Named = {
  piece: Piece
  scans: Scan[]
  systemTables: SystemTable[]
  views: LoadedView[]
  /** Every table and view that was loaded. */
  loaded: Loaded[]
  /** Those that the asker named, and not a view. */
  direct: TableName[]
  volatile: string[]
  /** Tables are in it that tell what there is by now (`information_schema`). */
  readsCatalog: boolean
  /** A view stands in it in several places. */
  isShared: boolean
  /** Statements that make the empty shadows of all tables below it. */
  setup(): string[]
  /** The statement over those. */
  whole(): Shadowed
  /** The same, with columns of its views in place of what these read: as good to be bound where they are sound. */
  brief(): Promise<Shadowed>
  /** The same over shadows of marked columns (`write/declared-types.ts`); undefined where no table has one that was declared. */
  marked(): Shadowed | undefined
  /** Whether there are parameters without values. */
  parameters(): boolean
}

/** A text over shadow tables, and the statements that make those. */
type Shadowed = { spliced: Spliced; setup: string[] }

const nothingDeclared: ReadonlyMap<string, DeclaredType> = new Map()
const noCasts: Casts = new Map()

/** How a statement that changes rows of a table calls that use of it whose rows change. */
export const changedAlias = '_changed'

const viewDepthMax = 32

/** Looks up what `sql` names. `undefined` when it is no SELECT. `place` is that of an index of `sql`. */
export async function nameSources(
  sql: string,
  place: (index: number) => Place,
  context: PrepareContext,
): Promise<Named | undefined> {
  const hasMark = sql.includes(changedAlias)
  const scans: Scan[] = []
  const systemTables: SystemTable[] = []
  const givenTables: GivenTable[] = []
  const views: LoadedView[] = []
  const everything: Loaded[] = []
  const direct: TableName[] = []
  const volatile: string[] = []
  let parameters = false
  let isShared = false
  let readsCatalog = false
  /** Views of a run's statement, of which each is looked up once: views upon views would double with every level. */
  const viewsOf = new Map<string, Source>()
  // Asked of the catalog once for a statement, however many system relations it names.
  let knownToAsker: Promise<Known> | undefined
  // Against the empty shadows of all tables that were named so far.
  const bind = (sql: string): Promise<EngineColumn[]> =>
    retryShadow(() =>
      context.engine.bind({
        class: 'plan',
        sql,
        setup: [...scans, ...systemTables, ...givenTables].map(({ shadow }) => shadow.ddl),
        timeoutMs: 10_000,
        ...(context.signal ? { signal: context.signal } : {}),
      }),
    )

  const shapeOfPiece = new Map<Piece, Promise<Shadow | undefined>>()

  /** Every table as its columns, wherever they are from: what was bound for a check need not be bound when it is built. */
  async function brief(piece: Piece): Promise<Shadowed> {
    const shapes = new Map<Source, Shadow>()
    for (const { source } of piece.tables)
      if (source.kind === 'view' && !source.guard && !shapes.has(source)) {
        const shape = await (shapeOfPiece.get(source.piece) ?? shapeOf(source.piece))
        if (shape) shapes.set(source, shape)
      }
    const setup = new Set<string>()
    const use = ({ name, ddl }: Shadow) => {
      setup.add(ddl)
      return name
    }
    const textOf = (source: Source): string | undefined => {
      const shape = shapes.get(source)
      if (shape) return `(FROM ${use(shape)})`
      if (source.kind === 'given') return `(FROM ${use(source.shadow)})`
      if (source.kind !== 'scan') return source.kind === 'system' ? use(source.shadow) : shadowText(source)
      return source.guard ? readSql(source, use(source.shadow), textOf) : `(FROM ${use(plainShadow(source))})`
    }
    const spliced = render(piece, textOf)
    return { spliced, setup: [...setup] }
  }

  function marked(piece: Piece): Shadowed | undefined {
    if (!scans.some(({ declared }) => [...declared.values()].some(needsMark))) return undefined
    const made = new Set([...systemTables, ...givenTables].map(({ shadow }) => shadow.ddl))
    const textOf = (source: Source): string | undefined => {
      if (source.kind !== 'scan') return shadowText(source)
      const { name, ddl } = markedShadow(source)
      made.add(ddl)
      return guardedSql(source, name, textOf)
    }
    return { spliced: render(piece, textOf), setup: [...made] }
  }

  /** The columns of a view, as a table of them; undefined where only the whole text can tell. */
  function shapeOf(piece: Piece): Promise<Shadow | undefined> {
    const shape = findShape(piece)
    shapeOfPiece.set(piece, shape)
    return shape
  }
  async function findShape(piece: Piece): Promise<Shadow | undefined> {
    const { spliced, setup } = await brief(piece)
    const columns = await columnsOf(spliced.text, setup, context).catch((error: unknown) => {
      if (error instanceof EngineFailure) return undefined
      throw error
    })
    if (!columns) return undefined
    const names = new Set(columns.map(({ name }) => name.toLowerCase()))
    const isTable = names.size === columns.length && columns.every(({ type }) => !/null|unknown|literal/i.test(type))
    return isTable ? shadowOfColumns(columns) : undefined
  }

  const setup = () => [...scans, ...systemTables, ...givenTables].map(({ shadow }) => shadow.ddl)

  const { rights } = context
  const piece = await build(sql, place, context.catalog, context.namespace, [], rights.asker)
  return (
    piece && {
      piece,
      scans,
      systemTables,
      views,
      loaded: everything,
      direct,
      volatile,
      readsCatalog,
      isShared,
      setup,
      whole: () => ({ spliced: render(piece, shadowText), setup: setup() }),
      brief: () => brief(piece),
      marked: () => marked(piece),
      parameters: () => parameters,
    }
  )

  async function build(
    sql: string,
    at: (index: number) => Place,
    catalog: string,
    namespace: string | undefined,
    within: TableName[],
    subject: Subject,
  ): Promise<Piece | undefined> {
    const analysis = await analysisOf(context, sql, at)
    if (!analysis) return undefined
    volatile.push(...analysis.volatile)
    parameters ||= analysis.parameters
    if (analysis.show !== undefined) {
      if (!/^(all_)?tables$/i.test(analysis.show))
        throw new Failure('SQL_UNSUPPORTED', `SHOW ${analysis.show} is not supported`, {
          hint: 'Use SHOW TABLES, or read information_schema.tables, columns or schemata.',
        })
      return showPiece(await informationOf('tables'))
    }
    const places = placesOf(sql, analysis, (written) =>
      unaliased(written ?? catalog, context.names ?? {}).toLowerCase(),
    )
    const tables: Piece['tables'] = []
    for (const [index, reference] of analysis.tables.entries()) {
      const named = places.tables[index]
      if (!named)
        throw new Failure('SQL_UNSUPPORTED', `the table ${reference.name} is named in a way that cannot be followed`, {
          hint: 'Write it as FROM namespace.table.',
        })
      tables.push({ named, source: await sourceOf(named, at, catalog, namespace, within, subject) })
    }
    const hoist = analysis.namesQueries && tables.length > 0
    const values = { user: context.user.name, catalog: context.catalog, schema: context.namespace }
    const isKnown = tables.every(({ source }) => source.kind === 'scan') && analysis.relations.every((one) => one.table)
    // Many a column is called so, and not all that could be one are known here.
    const mayBe = (name: string) => (name === 'user' && !isKnown) || tables.some(hasColumn(name))
    const session = sessionEdits(sql, analysis.session, values, mayBe)
    // A computed default is a property, of which the cache knows nothing.
    volatile.push(...tables.flatMap(({ named }) => (named.described ? [named.called] : [])))
    const edits = [...places.columns, ...session, ...tables.flatMap((one) => describedEdits(one, rights))]
    return { sql, edits, tables, hoist, conditions: analysis.conditions }
  }

  function isCatalog(name: string): boolean {
    return context.catalogs.some((one) => one.toLowerCase() === name.toLowerCase())
  }

  async function informationOf(table: string): Promise<Source> {
    readsCatalog = true
    const known = await knownTables()
    const namespaces = table === 'schemata' ? await emptyOrNot(known) : []
    const sql = informationSchema(table as InformationTable, context.catalog, { known, namespaces }, shownColumns)
    return { kind: 'values', sql }
  }
  /** Tables and views of which the asker may know, and the temporary ones that are their own. */
  async function knownTables(): Promise<Loaded[]> {
    const all = (await context.resolver.list(context.catalog)).filter(({ name }) => rights.knows(name))
    const own = (await context.resolver.temporaries?.()) ?? []
    return [...all, ...own.map((one) => ({ ...one, name: { ...one.name, namespace: shownTemporary } }))]
  }
  function shownColumns(one: Loaded): readonly Field[] {
    return one.name.namespace === shownTemporary ? schemaOfLoaded(one).fields : rights.columns(one)
  }
  /** Namespaces that the asker may know of, those without a table among them. */
  async function emptyOrNot(known: readonly Loaded[]): Promise<string[]> {
    const { catalog } = context
    const there = (await context.namespacesOf(catalog)).filter((one) => rights.knowsNamespace(catalog, one))
    return [...new Set([...there, ...known.map(({ name }) => name.namespace)])]
  }

  async function commentsOf(namespaces: readonly string[]): Promise<Map<string, string>> {
    const all = await Promise.all(
      namespaces.map(async (one) => [one, (await context.namespaceOf(context.catalog, one))?.comment] as const),
    )
    return new Map(all.filter((one): one is [string, string] => one[1] !== undefined))
  }

  /** Of the tables that the asker sees all of: the highest number is one of theirs. */
  async function lastNumbers(tables: readonly Loaded[]): Promise<Map<string, bigint>> {
    const found = new Map<string, bigint>()
    for (const { kind, name, metadata } of tables) {
      if (kind !== 'table' || name.namespace === shownTemporary || !seesAll(rights.select(name))) continue
      for (const { field, sequence } of numberedFields(metadata)) {
        const above = sequence ? undefined : await aboveAll(context.io, metadata, field, context)
        if (above !== undefined) found.set(`${name.namespace}.${ownSequence(name.name, field.name)}`, above - 1n)
      }
    }
    return found
  }

  /** What PostgreSQL shows of a sequence that is read like a table. */
  async function sequenceRow(name: TableName): Promise<Source | undefined> {
    const found = (await context.sequences?.find(name))?.sequence ?? (await ownNumbers(name))
    if (!found) return undefined
    volatile.push(name.name)
    const { last, start } = found
    const sql = `(SELECT CAST(${last ?? start} AS BIGINT) AS last_value, CAST(0 AS BIGINT) AS log_cnt, ${last !== undefined} AS is_called)`
    return { kind: 'values', sql }
  }

  /** Of a column that numbers its rows the highest number that there is, for those who see all of it. */
  async function ownNumbers(name: TableName): Promise<{ last: bigint | undefined; start: bigint } | undefined> {
    const own = name.name.endsWith('_seq') ? await ownerOf(name, (one) => context.resolver.load(one)) : undefined
    if (!own || !seesAll(rights.select(own.table.name))) return undefined
    const { manifests, signal } = context
    const above = await aboveAll(context.io, own.table.metadata, own.column.field, { manifests, signal })
    return { last: above === undefined ? undefined : above - 1n, start: BigInt(own.column.from) }
  }

  function systemOf(name: string, relation: SystemRelation): Source {
    volatile.push(name)
    const shownCatalog = (catalog: string) => aliasOf(catalog, context.names ?? {})
    const ask = async (): Promise<Known> => {
      const tables = await knownTables()
      return {
        catalog: shownCatalog(context.catalog),
        catalogs: context.catalogs.map(shownCatalog),
        user: context.user.name,
        isAdmin: context.user.role === 'admin',
        namespaces: await emptyOrNot(tables),
        tables,
        columnsOf: shownColumns,
        may: (privilege, on) => on.namespace === shownTemporary || rights.may(privilege, on),
        seesEveryColumn: (name) => name.namespace === shownTemporary || rights.select(name).columns === 'all',
        keys: (await context.keysOf?.(context.catalog)) ?? [],
        sequences: ((await context.sequences?.list(context.catalog)) ?? []).filter(({ name }) => rights.knows(name)),
      }
    }
    readsCatalog = true
    return {
      kind: 'about',
      sql: relation.sql,
      identity: `<${name}>`,
      rows: async () => {
        const known = await (knownToAsker ??= ask())
        return relation.rows(known, {
          ...(relation.holds === 'comments' && { comments: await commentsOf(known.namespaces) }),
          ...(relation.holds === 'last' && { last: await lastNumbers(known.tables) }),
        })
      },
    }
  }

  async function sourceOf(
    named: NamedTable,
    at: (index: number) => Place,
    catalog: string,
    namespace: string | undefined,
    within: TableName[],
    subject: Subject,
  ): Promise<Source> {
    const { reference } = named
    const here = at(named.start)
    if (context.run && isInformationOfDatabase(reference)) throw notFound(`information_schema.${reference.name}`, here)
    const system = systemRelation(reference, context.postgres ? 'postgres' : 'own')
    if (system) return systemOf(reference.name, system)
    if (reference.namespace?.toLowerCase() === 'information_schema') {
      if (!['tables', 'columns', 'schemata'].includes(reference.name.toLowerCase()))
        throw notFound(`information_schema.${reference.name}`, here)
      return informationOf(reference.name.toLowerCase())
    }
    const log = systemTable(reference.namespace, reference.name)
    if (log && context.logs) return logOf(log, here, subject)
    const { about, ...ordinary } = aboutTable(await aboutOwn(reference, catalog, namespace), context.catalogs)
    const own = within.length === 0 ? await context.temporaryNamed?.(reference) : undefined
    const reached = within.length > 0 ? await inView(ordinary, catalog) : ordinary
    const { name, ref } = own ? { name: own } : await meantBy(reached, catalog, namespace, here)
    const isOwn = own !== undefined || (within.length === 0 && name.namespace === context.names?.temporary)
    if (ref && named.at)
      throw new Failure('SQL_INVALID', `${reference.name} says already as of when ${showName(name)} is read`, {
        place: here,
      })
    const decision = isOwn ? seenByItsMaker : rights.select(name, subject)
    if (decision.verdict === 'refused') throw await refusal(name, subject, within, here)
    const given = context.given?.(name)
    if (given && !about) {
      const shadow = shadowOfColumns(given)
      const table: GivenTable = { kind: 'given', name, columns: given, shadow, sql: shadow.name }
      givenTables.push(table)
      return table
    }
    const loaded = await context.resolver.load(name)
    if (!loaded) {
      const numbers = about === undefined && seesAll(decision) ? await sequenceRow(name) : undefined
      if (numbers) return numbers
      throw await missing(name, here, context)
    }
    everything.push(loaded)
    if (within.length === 0) direct.push(loaded.name)
    if (about) {
      // Bounds, counts and partitions tell of rows and columns that are hidden; so do rows of which nothing visible changed.
      if (!seesAll(decision))
        throw new Failure('FORBIDDEN', `${showName(name)}$${about} is for those who see all of the table`, {
          place: here,
        })
      if (about !== 'changes') return aboutOf(about, loaded, named, here, ref)
    }
    const guarded = (schema: Schema, shadow: () => string, extra: readonly string[] = []) =>
      guardOf(
        decision,
        { loaded, schema, extra, shadow, place: here },
        {
          asker: rights.asker,
          analyse: (text) => analysisOf(context, text, () => here),
          tableOf: (named) => ofPolicy(named, loaded.name.catalog),
          shadowed: (condition) => render(condition, shadowText).text,
          bind,
          volatile,
          log: context.log,
        },
      )
    if (loaded.kind === 'view') {
      if (about) throw notFound(`${showName(name)}$changes: it is a view`, here)
      if (within.length >= viewDepthMax || within.some((outer) => showName(outer) === showName(loaded.name)))
        throw new Failure('SQL_INVALID', `the view ${showName(loaded.name)} reads itself`, { place: here })
      if (named.at || ref)
        throw new Failure('SQL_UNSUPPORTED', `${showName(loaded.name)} is a view; AT is for tables`, { place: here })
      if (context.asOfTable?.(loaded.name)) throw becameOther(loaded, here)
      const viewed = viewAsOf(loaded, context.asOfView?.(loaded.name), here)
      views.push(viewed)
      const key = JSON.stringify([
        loaded.location,
        { ...subject, roles: [...subject.roles], groups: [...subject.groups] },
      ])
      const known = viewsOf.get(key)
      if (known) {
        isShared = true
        return known
      }
      // Without an owner it lends nobody's rights, nor those of the view around it: it may have been made anew since. Of an
      // earlier version its owner may have meant to take something away.
      const owner = (viewed === loaded ? await rights.ownerOf(loaded) : undefined) ?? rights.asker
      const before = { read: everything.length, scans: scans.length }
      const piece = await viewPiece(viewed, here, within, owner).catch((error: unknown) => {
        throw viewed === loaded ? error : hiddenNow(error, loaded.name, here)
      })
      const guard = await guarded(schemaOfLoaded(viewed), () => `(${render(piece, shadowText).text}\n)`)
      const isLent = everything.slice(before.read).some(({ name }) => rights.lends(name, owner, subject))
      if (isLent) for (const scan of scans.slice(before.scans)) scan.isWalled = true
      const view: Source = { kind: 'view', name: loaded.name, loaded: viewed, piece, guard, isLent }
      if (context.run) viewsOf.set(key, view)
      return view
    }
    if (context.told && reference.alias === changedAlias && showName(context.told.table) === showName(loaded.name))
      return toldOf(context.told, loaded, seesAll(decision), guarded)
    if (context.asOfView?.(loaded.name)) throw becameOther(loaded, here)
    const { metadata } = loaded
    const isTarget =
      context.rowsOf &&
      about !== 'changes' &&
      (reference.alias === changedAlias || !hasMark) &&
      showName(context.rowsOf.name) === showName(loaded.name) &&
      scans.every(({ columns }) => !columns)
    const branch = isTarget ? context.rowsOf!.branch : undefined
    const when =
      branch === undefined ? (ref ?? (named.at && (await evaluateAt(named, here, context)))) : { ref: branch }
    const earlier = context.asOfTable?.(loaded.name, when)
    const then = atOf(earlier)
    const travel = then ?? when ?? context.asOf
    let snapshot: Snapshot | undefined
    let changes: Range | undefined
    try {
      changes = about && rangeOf(loaded, when ?? travel)
      if (changes && then) changes = { ...changes, to: then.snapshotId }
      if (!changes) snapshot = earlier?.snapshotId === null ? undefined : snapshotAsOf(metadata, travel)
      else if (changes.to !== undefined) snapshot = snapshotById(metadata, changes.to)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      // Which others there are is for those who see all of it, as in `$refs`.
      const isUnknown = travel && 'ref' in travel && !metadata.refs[travel.ref] && !seesAll(decision)
      const message = isUnknown ? `there is no branch or tag "${travel.ref}"` : error.message
      throw error.with({ message: `${showName(name)}: ${message}`, place: here })
    }
    // Without time travel, and for branches, the current schema counts: no snapshot may have been written under it yet.
    const isBranch = travel && 'ref' in travel && metadata.refs[travel.ref]?.type === 'branch'
    const ofRows =
      metadata.schemas.find(({ schemaId }) => schemaId === earlier?.schemaId) ??
      (travel && !isBranch ? schemaOf(metadata, snapshot) : schemaOf(metadata))
    const schema = changes ? changesSchema(loaded, ofRows) : ofRows
    checkNames(loaded.name, schema, here)
    const columns = isTarget ? { file: true, position: true, rowId: metadata.formatVersion >= 3 } : undefined
    const places = new Set(extraColumns({ columns }).map(({ name }) => name))
    const taken = schema.fields.find(({ name }) => places.has(name.toLowerCase()))
    if (taken)
      throw new Failure(
        'SQL_UNSUPPORTED',
        `${showName(loaded.name)} has a column ${taken.name}, a name that changes of single rows need`,
        {
          place: here,
          hint: 'Names of Iceberg and of Boathouse for the place of a row are kept for it: rename the column.',
        },
      )
    const declared = declaredTypes(metadata, schema)
    const casts = readTypes(declared)
    const place = scans.length + systemTables.length
    const shadowWith = (casts: Casts) => shadowOf(schema, place, columns, typeWith(casts))
    const scan: Scan = {
      kind: 'scan',
      table: loaded,
      snapshot,
      said: when,
      schema,
      shadow: shadowWith(casts),
      columns,
      declared,
      casts,
      changes,
      guard: undefined,
    }
    scans.push(scan)
    if (seesAll(decision)) return scan
    // Conditions of a policy, and masks, are about what is kept: what is shown as it is becomes JSON above them.
    scan.shadow = shadowWith(noCasts)
    const extra = extraColumns({ columns }).map(({ name }) => name)
    const guard = await guarded(schema, () => scan.shadow.name, extra)
    if (guard) scan.casts = new Map([...casts].filter(([name]) => guard.plain.has(name)))
    else scan.shadow = shadowWith(casts)
    scan.guard = guard
    return scan
  }

  /** `t.files`, which is about the table `t` of the session's namespace where no table of a schema `t` is called so. */
  async function aboutOwn(
    reference: NamedTable['reference'],
    catalog: string,
    namespace: string | undefined,
  ): Promise<NamedTable['reference']> {
    const { catalog: outer, namespace: table, name } = reference
    if (outer !== undefined || table === undefined || namespace === undefined || !metadataTableName(name))
      return reference
    const isThere = async (name: TableName) => (await context.resolver.load(name)) !== undefined
    if (await isThere({ catalog, namespace: table, name })) return reference
    const own = { catalog, namespace, name: table }
    if (!rights.knows(own) || !(await isThere(own))) return reference
    return { ...reference, namespace: undefined, name: `${table}$${name}` }
  }

  /** Without what another engine calls this catalog in its view, under which it is not known here. */
  async function inView(reference: Parameters<typeof fullName>[0], catalog: string): Promise<typeof reference> {
    const { catalog: outer, namespace: table, name } = reference
    if (outer === undefined || isCatalog(unaliased(outer, context.names ?? {}))) return reference
    // `raw.t.branch_audit` has three parts as well.
    const isRef = refNamed(name) && (await context.resolver.load({ catalog, namespace: outer, name: table! }))
    return isRef ? reference : { ...reference, catalog: undefined }
  }

  /** The table of a name, and when by the name: one that is spelled like that of a branch is a table first. */
  async function meantBy(
    reference: Parameters<typeof fullName>[0],
    catalog: string,
    namespace: string | undefined,
    here: Place,
  ): Promise<{ name: TableName; ref?: At }> {
    const find = (one: typeof reference) => fullName(one, catalog, namespace, context.catalogs, here, context.names)
    const name = find(reference)
    const ref = refNamed(name.name)
    const { catalog: outer, namespace: table } = reference
    const isOfCatalog = outer !== undefined && isCatalog(unaliased(outer, context.names ?? {}))
    const isShort = table === undefined || (outer ?? namespace) === undefined || isOfCatalog
    if (!ref || isShort || context.given?.(name) || (await context.resolver.load(name))) return { name }
    return { name: find({ catalog: undefined, namespace: outer, name: table }), ref }
  }

  async function toldOf(
    { rows, asSeen, extra }: ToldRows,
    table: LoadedTable,
    isWhole: boolean,
    guarded: (schema: Schema, shadow: () => string, extra: readonly string[]) => Promise<Guard | undefined>,
  ): Promise<Source> {
    const whole = schemaOf(table.metadata)
    const shown = asSeen ? rights.columns(table) : whole.fields
    const more = extra.map(({ name, type }, at): Field => ({ id: -1 - at, name, type, required: false }))
    const schema = { ...whole, fields: [...shown, ...more] }
    const declared = declaredTypes(table.metadata, schema)
    // Of somebody who sees a part it may hold masks.
    const casts = isWhole ? readTypes(declared) : noCasts
    const shadow = shadowOf(schema, scans.length + systemTables.length, {}, typeWith(casts))
    const kept = schema.fields.map(
      ({ name, type }) => `CAST(${quoteName(name)} AS ${sqlType(type)}) AS ${quoteName(name)}`,
    )
    const scan: Scan = {
      kind: 'scan',
      table,
      snapshot: undefined,
      schema,
      shadow,
      columns: undefined,
      declared,
      casts,
      rows: `(SELECT ${kept.join(', ')} FROM ${rows})`,
      guard: undefined,
    }
    scans.push(scan)
    if (!asSeen)
      scan.guard = await guarded(
        { ...schema, fields: shown },
        () => shadow.name,
        extra.map(({ name }) => name),
      )
    return scan
  }

  /** A table that a row filter asks: with the rights of the policy, as of now, and known to nobody by it. */
  async function ofPolicy({ reference, at }: NamedTable, catalog: string): Promise<Source> {
    const { namespace, name } = reference
    const shown = [reference.catalog, namespace, name].filter((part) => part !== undefined).join('.')
    if (reference.catalog !== undefined || namespace === undefined || at || reference.hasAt)
      throw new Failure('SQL_INVALID', `a row filter names a table as namespace.table, found ${shown}`)
    const table = await context.resolver.load({ catalog, namespace, name })
    if (table?.kind !== 'table') throw new Failure('TABLE_NOT_FOUND', `a row filter reads ${shown}, which is no table`)
    everything.push(table)
    const schema = schemaOf(table.metadata)
    const scan: Scan = {
      kind: 'scan',
      table,
      snapshot: snapshotAsOf(table.metadata, undefined),
      schema,
      shadow: shadowOf(schema, scans.length + systemTables.length),
      columns: undefined,
      declared: nothingDeclared,
      casts: noCasts,
      guard: undefined,
    }
    scans.push(scan)
    return scan
  }

  function logOf(name: SystemTableName, place: Place, subject: Subject): Source {
    const full = { catalog: context.catalog, namespace: 'system', name }
    if (!seesAll(rights.logs(full, asReaderOfLogs(subject)))) throw notFound(`system.${name}`, place)
    volatile.push(`system.${name}`)
    const schema = systemSchema(name)
    const shadow = shadowOf(schema, scans.length + systemTables.length)
    const source: SystemTable = { kind: 'system', name, schema, shadow }
    systemTables.push(source)
    return source
  }

  async function refusal(name: TableName, subject: Subject, within: TableName[], place: Place): Promise<Failure> {
    // Whether it is there is not for everybody to know: the answer is the same.
    if (!rights.knows(name) && subject === rights.asker) return missing(name, place, context)
    if (subject !== rights.asker)
      return new Failure(
        'FORBIDDEN',
        `the view ${showName(within.at(-1)!)} reads what its owner may not select (any more)`,
        {
          place,
          hint: `An administrator can grant ${subject.name} select on it, or make the view anew.`,
        },
      )
    return new Failure('FORBIDDEN', `${subject.name} may not select from ${showName(name)}`, { place })
  }

  /** The view's SQL for DuckDB; of a view that another engine made, its first text that runs here. */
  async function viewPiece(
    { name, metadata }: LoadedView,
    here: Place,
    within: TableName[],
    subject: Subject,
  ): Promise<Piece> {
    const version = currentViewVersion(metadata)
    if (!version || version.representations.length === 0)
      throw new Failure('METADATA_INVALID', `the view ${showName(name)} has no SQL`)
    // Other engines have names of their own for this catalog.
    const { defaultCatalog } = version
    const catalog = defaultCatalog !== undefined && isCatalog(defaultCatalog) ? defaultCatalog : name.catalog
    const pieceOf = async (sql: string) => {
      const { text } = inOurWords(sql)
      const piece = await build(text, () => here, catalog, version.defaultNamespace[0], [...within, name], subject)
      if (!piece) throw new Failure('METADATA_INVALID', `the view ${showName(name)} is not a SELECT`)
      return piece
    }
    const own = version.representations.find(({ dialect }) => dialect.toLowerCase() === 'duckdb')
    if (own) return pieceOf(own.sql)
    const reasons: string[] = []
    for (const { dialect, sql } of version.representations) {
      const before = [scans, systemTables, views, everything, volatile].map((list) => [list, list.length] as const)
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

  async function aboutOf(
    what: MetadataTableName,
    loaded: Loaded,
    named: NamedTable,
    here: Place,
    ref: At | undefined,
  ): Promise<Source> {
    if (loaded.kind === 'view')
      throw new Failure('TABLE_NOT_FOUND', `${showName(loaded.name)} is a view, which has no ${what}`, { place: here })
    const { metadata, location } = loaded
    const when = ref ?? (named.at && (await evaluateAt(named, here, context)))
    // As of then where it can be; the history itself is always the one of now.
    const at = when ?? (canTravel(what) ? (atOf(context.asOfTable?.(loaded.name)) ?? context.asOf) : undefined)
    try {
      const table = metadataTable(context.io, metadata, what, {
        location,
        at,
        manifests: context.manifests,
        signal: context.signal,
        positionsIn: (file) => positionsIn(file, context),
      })
      return {
        kind: 'about',
        sql: emptyMetadataSql(table),
        identity: `<${what}:${location}:${at === undefined ? '' : Object.values(at).join('')}>`,
        rows: () => metadataSql(`${showName(loaded.name)}$${what}`, table),
      }
    } catch (error) {
      throw error instanceof Failure
        ? error.with({ message: `${showName(loaded.name)}$${what}: ${error.message}`, place: here })
        : error
    }
  }
}

/** The rows of a file of position deletes. */
async function positionsIn(
  { path, format, fileSizeBytes: sizeBytes }: DataFile,
  { engine, files, signal }: Pick<PrepareContext, 'engine' | 'files' | 'signal'>,
): Promise<[string, bigint][]> {
  if (format !== 'parquet') throw new Failure('UNSUPPORTED', `${path} is in ${format}; only Parquet is read`)
  const lease = await files.lease([{ path, sizeBytes }], signal)
  try {
    const rows = await engine.rows({
      class: 'interactive',
      sql: `SELECT file_path, pos::VARCHAR FROM read_parquet(${quoteFile(lease.pathOf(path))}, hive_partitioning = false) WHERE pos IS NOT NULL`,
      timeoutMs: 60_000,
      ...(signal ? { signal } : {}),
    })
    return rows.map(([file, position]) => [String(file), BigInt(String(position))])
  } finally {
    lease.release()
  }
}

/** The columns of a text over shadows. @throws EngineFailure */
export async function columnsOf(
  sql: string,
  setup: readonly string[],
  { engine, columns, signal }: Pick<PrepareContext, 'engine' | 'columns' | 'signal'>,
): Promise<readonly EngineColumn[]> {
  const known = columns.get(sql)
  if (known) return known
  const few = withoutLikeRows(sql)
  const bound = await retryShadow(() =>
    engine.bind({ class: 'plan', sql: few, setup: [...setup], timeoutMs: 10_000, ...(signal ? { signal } : {}) }),
  )
  columns.put(sql, bound)
  return bound
}

/** Iceberg tells columns apart by case, SQL does not. */
function checkNames(table: TableName, { fields }: Schema, place: Place): void {
  const byName = new Map(fields.map((field) => [field.name.toLowerCase(), field]))
  if (byName.has('')) throw new Failure('SQL_UNSUPPORTED', `${showName(table)} has a column without a name`, { place })
  const hidden = byName.size < fields.length && fields.find((field) => byName.get(field.name.toLowerCase()) !== field)
  if (hidden)
    throw new Failure(
      'SQL_UNSUPPORTED',
      `${showName(table)} has two columns named ${hidden.name}, but for their case`,
      {
        place,
        hint: 'Rename one of them with an engine that tells them apart.',
      },
    )
}

/** Where uses of a table need no telling apart. */
const plainShadow = ({ schema, columns, casts }: Scan): Shadow => shadowOf(schema, 0, columns, typeWith(casts))

const hasColumn =
  (name: string) =>
  ({ source }: Piece['tables'][number]): boolean =>
    source.kind === 'scan' && source.schema.fields.some((field) => field.name.toLowerCase() === name)

/** `DESCRIBE t` says which columns take no null, are the key or have a default: what is read in place of the table has none of that. */
function describedEdits(
  { named: { described }, source }: Piece['tables'][number],
  rights: { columns(one: Loaded): readonly Field[] },
): Edit[] {
  if (!described || source.kind !== 'scan') return []
  const { table, schema, guard } = source
  const shown = guard && new Set(rights.columns(table).map(({ id }) => id))
  const fields = schema.fields.filter(({ id }) => shown?.has(id) ?? true)
  const { start, end } = described
  return [
    { start, end: start, text: `${describedColumns(table, { ...schema, fields })} (` },
    { start: end, end, text: '\n)' },
  ]
}

/** It has the name of what an earlier answer read. */
const becameOther = ({ kind, name }: Loaded, place: Place): Failure =>
  new Failure(
    'REQUEST_INVALID',
    `${showName(name)} was a ${kind === 'view' ? 'table' : 'view'} to that answer, and is a ${kind} now`,
    { place },
  )

/** Its earlier text names what the asker may not know of. */
const hiddenNow = (error: unknown, view: TableName, place: Place): unknown =>
  error instanceof Failure && (error.code === 'TABLE_NOT_FOUND' || error.code === 'FORBIDDEN')
    ? new Failure(
        'FORBIDDEN',
        `${showName(view)}, as it was to that answer, reads what is gone or what you may not select`,
        {
          place,
          hint: 'An earlier text of a view is read with your own rights: ask without asOf, or for a grant on what it read.',
        },
      )
    : error

/** As it was made for an earlier answer. @throws Failure REQUEST_INVALID when that version is not kept any more */
function viewAsOf(view: LoadedView, earlier: EarlierView | undefined, place: Place): LoadedView {
  const { name, metadata } = view
  if (!earlier || earlier.versionId === metadata.currentVersionId) return view
  const { versionId } = earlier
  if (!metadata.versions.some((version) => version.versionId === versionId))
    throw new Failure('REQUEST_INVALID', `${showName(name)} has no version ${versionId} (any more)`, {
      place,
      hint: 'A view keeps its last versions; its property "version.history.num-entries" says how many.',
    })
  return { ...view, metadata: { ...metadata, currentVersionId: versionId } }
}

const atOf = (earlier: Earlier | undefined): { snapshotId: bigint } | undefined =>
  typeof earlier?.snapshotId === 'bigint' ? { snapshotId: earlier.snapshotId } : undefined

/** Types of a shadow's columns. */
const typeWith =
  (casts: Casts) =>
  ({ name, type }: Field): string =>
    casts.get(name) ?? sqlType(type)

/** The stand-in with columns that say how they were declared. */
const markedShadow = ({ schema, columns, declared }: Scan): Shadow =>
  shadowOf(schema, 0, columns, ({ name, type }) => {
    const said = declared.get(name)
    return said === undefined ? sqlType(type) : markedType(said)
  })

/** What stands for a source; undefined for a view whose body does. */
type TextOf = (source: Source) => string | undefined

/** What stands for a table while a statement is only bound. */
export const shadowText = (source: Source): string | undefined =>
  source.kind === 'scan'
    ? source.guard
      ? readSql(source, source.shadow.name, shadowText)
      : source.shadow.name
    : source.kind === 'system'
      ? source.shadow.name
      : source.kind === 'view'
        ? undefined
        : source.sql

/** As `shadowText`, for a plan that says which of the asker's conditions reach the tables. Not to be run over rows. */
export const openShadowText = (source: Source): string | undefined =>
  source.kind === 'scan' && source.guard
    ? asRead(
        source,
        source.guard.sql(source.shadow.name, {
          open: true,
          text: (condition) => render(condition, openShadowText).text,
        }),
      )
    : shadowText(source)

/** What is read of a scan as it is seen, with its columns as DuckDB's own types. */
export const readSql = (scan: Scan, from: string, textOf: TextOf, predicate?: string): string =>
  asRead(scan, guardedSql(scan, from, textOf, predicate))

/** DuckDB checks values of JSON on the way, which takes it as long as to read them. */
const asRead = ({ casts }: Scan, from: string): string =>
  casts.size === 0
    ? from
    : `(SELECT * REPLACE (${[...casts].map(([name, type]) => `CAST(${quoteName(name)} AS ${type}) AS ${quoteName(name)}`).join(', ')}) FROM ${from})`

/** `textOf`: what stands for the tables that a row filter asks. */
function guardedSql({ guard, isWalled }: Scan, from: string, textOf: TextOf, predicate?: string): string {
  if (guard) return guard.sql(from, { predicate, text: (condition) => render(condition, textOf).text })
  return isWalled && predicate !== undefined ? `(SELECT * FROM ${from} AS _all WHERE ${predicate})` : from
}

/**
 * The text with every table's name replaced; a view's body goes in whole. Where DuckDB would name a column by the text, the
 * paths, conditions and masks in it would be told: there a name stands for the table, and all that in a WITH clause.
 * `isHarmless`: nothing in it can fail (`policy/harmless.ts`).
 */
export function render(piece: Piece, textOf: TextOf, { isHarmless = false } = {}): Spliced {
  const open = textOf === openShadowText
  const bodyOf = (source: Source) => {
    const text = textOf(source)
    if (source.kind !== 'view' || text !== undefined) return text!
    const body = `(${render(source.piece, textOf, { isHarmless }).text}\n)`
    const seen = source.guard
      ? source.guard.sql(body, { open, text: (condition) => render(condition, textOf).text })
      : body
    return source.isLent && !open && !isHarmless ? barrier(seen) : seen
  }
  if (!piece.hoist)
    return splice(piece.sql, [
      ...piece.edits,
      ...piece.tables.flatMap(({ named, source }) => tableEdits(named, bodyOf(source))),
    ])
  const names = piece.tables.map(({ named: { reference } }, index) => {
    const { namespace, name } = reference
    const shown = namespace === undefined ? name : `${namespace}.${name}`
    return quoteName(index === 0 ? shown : `${shown} ${index + 1}`)
  })
  const definitions = piece.tables.map(
    ({ source }, index) => `${names[index]} AS NOT MATERIALIZED (SELECT * FROM ${bodyOf(source)})`,
  )
  return splice(piece.sql, [
    ...piece.edits,
    ...piece.tables.flatMap(({ named }, index) => tableEdits(named, names[index]!)),
    ...withEdits(piece.sql, definitions),
  ])
}

/**
 * The text for an engine, in which a view that is read in several places stands once, in a WITH clause: DuckDB then binds and
 * computes it once.
 */
export function renderOnce(piece: Piece, textOf: TextOf): string {
  const uses = new Map<Source, number>()
  const count = ({ tables }: Piece) => {
    for (const { source } of tables) {
      if (source.kind !== 'view') continue
      const before = uses.get(source) ?? 0
      uses.set(source, before + 1)
      if (before === 0) count(source.piece)
    }
  }
  count(piece)
  const names = new Map<Source, string>()
  const definitions: string[] = []
  const named: TextOf = (source) => {
    if (source.kind !== 'view' || uses.get(source) === 1) return textOf(source)
    const known = names.get(source)
    if (known !== undefined) return known
    const { text } = render(source.piece, named)
    const name = quoteName(`${showName(source.name)} (${names.size + 1})`)
    names.set(source, name)
    definitions.push(`${name} AS (${text}\n)`)
    return name
  }
  const { text } = render(piece, named)
  return definitions.length === 0 ? text : splice(text, withEdits(text, definitions)).text
}

/** All that a text reads, each once. */
export function sourcesOf(piece: Piece): Source[] {
  const found = new Set<Source>()
  const visit = ({ tables }: Piece) => {
    for (const { source } of tables) {
      if (found.has(source)) continue
      found.add(source)
      if (source.kind === 'view') visit(source.piece)
    }
  }
  visit(piece)
  return [...found]
}

/** Two statements that make the same shadow at once: one of them is told of a conflict and simply tries again. */
export async function retryShadow<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= 5 || !(error instanceof EngineFailure) || !/conflict|already exists/i.test(error.message))
        throw error
    }
  }
}

/** `AT (VERSION => 3)` or `AT (TIMESTAMP => now() - INTERVAL 1 DAY)`: the planning host evaluates the constant. */
async function evaluateAt(named: NamedTable, place: Place, context: PrepareContext): Promise<At> {
  const { expression } = named.at!
  const version = named.reference.hasAt === 'VERSION'
  // Spark's number is of seconds; a larger one was meant as milliseconds, and is refused.
  const isSeconds = !version && /^\s*\d{1,11}\s*$/.test(expression)
  const sql = version
    ? `SELECT (${expression})::VARCHAR`
    : `SELECT epoch_ms(${isSeconds ? `to_timestamp(${expression})` : `(${expression})::TIMESTAMPTZ`})::VARCHAR`
  // The planning host knows the shadows of everybody's tables: nothing of it may be named.
  const analysis = await analysisOf(context, sql, () => place)
  if (!analysis || analysis.tables.length > 0 || analysis.show !== undefined)
    throw new Failure('SQL_INVALID', `AT (${named.reference.hasAt} => …) takes a constant, not what a query gives`, {
      place,
    })
  const value = await context.engine.rows({ class: 'plan', sql, timeoutMs: 5_000, ...zoneOf(context) }).then(
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

// SHOW TABLES becomes a SELECT of ours over the information schema: the name at its start is replaced like any table's.
const showTables = 'shown'
const showPiece = (source: Source): Piece => ({
  hoist: false,
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
        described: undefined,
        called: showTables,
      },
      source,
    },
  ],
})

const isInformationOfDatabase = ({ catalog, namespace }: NamedTable['reference']): boolean =>
  namespace?.toLowerCase() === 'information_schema' && catalog !== undefined && catalog.toLowerCase() !== 'system'
