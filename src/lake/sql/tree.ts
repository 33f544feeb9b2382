// Reads DuckDB's own syntax tree of a SELECT (`json_serialize_sql`): which tables it names, which functions it calls,
// and whether it keeps to what a principal may use. The allow-list here is the wall between principals; the locked
// host behind it is the second one.

import { Failure } from '../../base/failure.ts'
import { pgFunctionGrowth, pgScalarFunctions, pgTableFunctions } from '../../engine/index.ts'
import { aggregateFunctions, scalarFunctions, tableFunctions, volatileFunctions } from './functions.ts'
import { plainConditions, type PlainCondition } from './plain-select.ts'

/** Functions whose names are words: for completion. */
export const callableFunctions: readonly string[] = [...scalarFunctions, ...tableFunctions]
  .filter((name) => /^[a-z]\w*$/.test(name))
  .sort()

/** A node of the tree as JSON. */
export type Node = { [key: string]: unknown }

/** One place where the statement names a table of the lake. */
export type TableReference = {
  catalog: string | undefined
  namespace: string | undefined
  name: string
  alias: string | undefined
  /** Byte offset of the name in the UTF-8 text. */
  offset: number
  /** Whether an AT clause follows; its text is read from the statement. */
  hasAt: 'VERSION' | 'TIMESTAMP' | undefined
}
/** A column named with its table, `raw.sales.amount` or `sales.amount`, or all of them, `sales.*`. */
export type QualifiedColumn = {
  names: string[]
  offset: number
  /** The SELECTs around it, the innermost first. */
  scopes: readonly number[]
}

/** What a FROM clause has under a name, in small letters. */
export type NamedRelation = {
  name: string
  /** The SELECT whose clause it is. */
  scope: number
  /** Undefined: no table of the lake. */
  table: TableReference | undefined
}

/** `isCall`: with parentheses. `isItem`: a column of a SELECT, which is called by it. */
export type SessionWord = { word: string; offset: number; isCall: boolean; isItem: boolean }

export type Analysis = {
  tables: TableReference[]
  relations: NamedRelation[]
  qualified: QualifiedColumn[]
  /** Functions whose answer changes from call to call; such a result is not cached. */
  volatile: string[]
  /** `SHOW TABLES` and the like: what is shown. */
  show: string | undefined
  /** What it asks of its session: `current_user`, `current_schema()`. */
  session: SessionWord[]
  /** Whether it has parameters, `$1`: those have types, but such a text is not run. */
  parameters: boolean
  /** Whether DuckDB names a column by the text of a query in it: `SELECT (SELECT max(x) FROM t)`. */
  namesQueries: boolean
  /** What it asks of its table's rows, where it has one table and that is all to know. */
  conditions: PlainCondition[] | undefined
}

const missing = 2 ** 64 // the location of a node that has none, as JSON.parse rounds it
/** `depth` is of the JSON, a few levels for each of an expression: of those the engine takes 250. */
const limits = { depth: 1_000, tables: 100, terms: 2_000, growth: 10_000 }

/** How often the engine comes to the parts of a node: it looks at an operand of `->` twice, and macros repeat what they are given. */
function growthOf(node: Node): number {
  if (node.class === 'LAMBDA') return 2
  return node.class === 'FUNCTION' ? pgFunctionGrowth(String(node.function_name)) : 1
}

/** Parses the answer of `json_serialize_sql`. SQL_UNSUPPORTED when it is not one SELECT. */
export function analyse(json: string): Analysis {
  let tree: Node
  try {
    tree = JSON.parse(json) as Node
  } catch (cause) {
    // A literal that overflows is written as Infinity: what cannot be read whole cannot be checked.
    throw new Failure('SQL_REFUSED', 'the statement holds a literal that cannot be represented', { cause })
  }
  const statements = tree.statements as Node[]
  if (statements.length !== 1)
    throw new Failure('SQL_UNSUPPORTED', `one statement is run at a time, this text has ${statements.length}`)
  const analysis: Analysis = {
    tables: [],
    relations: [],
    qualified: [],
    volatile: [],
    show: undefined,
    session: [],
    parameters: false,
    namesQueries: false,
    conditions: undefined,
  }
  let terms = 0
  let selects = 0

  const visit = (
    value: unknown,
    scope: ReadonlySet<string>,
    around: readonly number[],
    depth: number,
    growth: number,
  ): void => {
    if (value === null || typeof value !== 'object') return
    if (depth > limits.depth)
      throw new Failure('SQL_REFUSED', `the statement is nested deeper than ${limits.depth} levels`)
    if (Array.isArray(value)) {
      if (
        value.length > limits.terms &&
        value.some((item) => (item as Node)?.class === 'COMPARISON' || (item as Node)?.class === 'CONJUNCTION')
      )
        throw new Failure('SQL_REFUSED', `more than ${limits.terms} conditions in one list; use IN (…)`)
      for (const item of value) visit(item, scope, around, depth + 1, growth)
      return
    }
    const node = value as Node
    const grown = growth * growthOf(node)
    if (grown > limits.growth)
      throw new Failure('SQL_REFUSED', 'too many calls inside of each other, or one -> behind the other', {
        hint: `Take what is deep in JSON by its path: json_extract(doc, '$.a.b.c').`,
      })
    if (++terms > 200_000) throw new Failure('SQL_REFUSED', 'the statement is too large')
    let inner = scope
    const map = (node.cte_map as Node | undefined)?.map as { key: string; value: Node }[] | undefined
    if (map?.length) {
      const names = new Set(scope)
      for (const { key, value: cte } of map) {
        // In its own body the name still means the table outside.
        visit(cte, names, around, depth + 1, grown)
        names.add(cteName(key))
      }
      inner = names
    }
    const scopes = node.type === 'SELECT_NODE' ? [selects++, ...around] : around
    check(node, inner, scopes, analysis)
    // But the second part of a recursive body sees it: DuckDB looks for a table, or a file, where the first part names it.
    const sees = node.type === 'RECURSIVE_CTE_NODE' ? 'right' : node.type === 'CTE_NODE' ? 'child' : undefined
    const seen = () => {
      const name = cteName(String(node.cte_name))
      return new Set([...inner, name, ...(sees === 'right' ? [recurring(name)] : [])])
    }
    for (const [key, child] of Object.entries(node))
      if (key !== 'cte_map') visit(child, key === sees ? seen() : inner, scopes, depth + 1, grown)
  }
  visit(statements[0], new Set(), [], 0, 1)
  if (analysis.tables.length > limits.tables)
    throw new Failure('SQL_REFUSED', `more than ${limits.tables} tables in one statement`)
  if (analysis.relations.length === 1) analysis.conditions = plainConditions(tree)
  return analysis
}

/** As DuckDB compares names: only ASCII letters are the same in both cases. The Kelvin sign is no k. */
const lowered = (name: string) => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

/** Should DuckDB ever think otherwise than we about where a name is seen, it must not be the path of a file. */
function cteName(name: string): string {
  if (/[/\\]/.test(name)) throw refused(`the name "${name.slice(0, 100)}" of a WITH clause`)
  return lowered(name)
}

/** `recurring.name`: all rows so far of a recursive query with USING KEY. */
const recurring = (name: string) => `recurring\0${name}`

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
const offsetOf = (node: Node): number => {
  const location = node.query_location
  return typeof location === 'number' && location < missing / 2 ? location : -1
}

function check(node: Node, ctes: ReadonlySet<string>, scopes: readonly number[], analysis: Analysis): void {
  const keep = (name: string | undefined, table?: TableReference) => {
    if (name !== undefined && scopes[0] !== undefined)
      analysis.relations.push({ name: lowered(name), scope: scopes[0], table })
  }
  // Which rows a sample takes is left to chance.
  if (node.sample) analysis.volatile.push('sample')
  switch (node.type) {
    case 'BASE_TABLE': {
      const [catalog, namespace, name] = [text(node.catalog_name), text(node.schema_name), String(node.table_name)]
      const alias = text(node.alias)
      const isCte = !catalog && !namespace && ctes.has(lowered(name))
      const isRecurring =
        !catalog && namespace && lowered(namespace) === 'recurring' && ctes.has(recurring(lowered(name)))
      if (isCte || isRecurring) return keep(alias ?? name)
      const at = (node.at_clause as Node | undefined)?.unit
      const table: TableReference = {
        catalog,
        namespace,
        name,
        alias,
        offset: offsetOf(node),
        hasAt: at === 'VERSION' || at === 'TIMESTAMP' ? at : undefined,
      }
      analysis.tables.push(table)
      return keep(alias ?? name, table)
    }
    case 'TABLE_FUNCTION': {
      keep(text(node.alias))
      const name = String((node.function as Node).function_name).toLowerCase()
      if (!isTableFunction(name) || text((node.function as Node).schema)) throw refused(`the table function ${name}`)
      return
    }
    case 'SHOW_REF':
      if (node.show_type === 'SHOW_UNQUALIFIED' || !node.query)
        analysis.show = String(node.table_name ?? 'tables').replaceAll('"', '')
      return
    case 'SUBQUERY':
    case 'JOIN':
    case 'PIVOT':
    case 'EMPTY_FROM':
    case 'EXPRESSION_LIST':
    case 'COLUMN_DATA':
      if (node.class === undefined) keep(text(node.alias))
      return
  }
  if (Array.isArray(node.select_list)) {
    const items = (node.select_list as Node[]).filter((item) => !text(item.alias))
    analysis.namesQueries ||= items.some(holdsQuery)
    for (const item of items) unnamedItems.add(item)
  }
  const asksSession = (word: string, isCall: boolean) =>
    analysis.session.push({ word, offset: offsetOf(node), isCall, isItem: unnamedItems.has(node) })
  switch (node.class) {
    case 'FUNCTION':
    case 'WINDOW': {
      const name = String(node.function_name).toLowerCase()
      if (name === 'alias') analysis.namesQueries ||= holdsQuery(node)
      if (isTableFunctionCall(node)) return
      const schema = text(node.schema)
      // `column.list_filter(…)` is a function of the column; schemas of people have no functions.
      const isElsewhere = schema !== undefined && ownSchemas.has(lowered(schema))
      if ((!scalarFunctions.has(name) && !pgScalarFunctions.has(name)) || isElsewhere) {
        if (tableFunctions.has(name)) return
        throw refused(`the function ${schema ? `${schema}.` : ''}${name}`)
      }
      if (volatileFunctions.has(name)) analysis.volatile.push(name)
      if (sessionCalls.has(name) && !schema && ((node.children as Node[] | undefined) ?? []).length === 0)
        asksSession(name, true)
      return
    }
    case 'COLUMN_REF': {
      const names = node.column_names as string[]
      if (names.length === 1 && sessionWords.has(names[0]!.toLowerCase())) asksSession(names[0]!.toLowerCase(), false)
      // A bare `current_date` or `current_user` parses as a column.
      if (names.length === 1 && volatileFunctions.has(names[0]!.toLowerCase()))
        analysis.volatile.push(names[0]!.toLowerCase())
      if (names.length > 1) analysis.qualified.push({ names, offset: offsetOf(node), scopes })
      return
    }
    case 'STAR': {
      const relation = text(node.relation_name)
      if (relation) analysis.qualified.push({ names: [relation, '*'], offset: offsetOf(node), scopes })
      return
    }
    case 'PARAMETER':
      analysis.parameters = true
      return
  }
}

const sessionWords = new Set('current_user session_user current_role user current_catalog current_schema'.split(' '))
const sessionCalls = new Set(['current_schema', 'current_database', 'current_catalog'])
/** Columns of SELECTs that are not given a name. */
const unnamedItems = new WeakSet<Node>()

const holdsQuery = (value: unknown): boolean =>
  value !== null &&
  typeof value === 'object' &&
  ((value as Node).class === 'SUBQUERY' || Object.values(value).some(holdsQuery))

const isTableFunction = (name: string) => tableFunctions.has(name) || pgTableFunctions.has(name)

/** Whether it gives one value of one row. */
export const isScalarFunction = (name: string): boolean =>
  (scalarFunctions.has(name) || pgScalarFunctions.has(name)) && !isTableFunction(name) && !aggregateFunctions.has(name)

/** The function inside a TABLE_FUNCTION node was checked with its parent. */
const isTableFunctionCall = (node: Node): boolean => isTableFunction(String(node.function_name).toLowerCase())

const ownSchemas: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema', 'system', 'temp'])

const refused = (what: string) =>
  new Failure('SQL_REFUSED', `${what} may not be used here, or does not exist`, {
    ...(/ (?:nextval|currval|setval)$/.test(what) && { hint: withoutSequences }),
  })
const withoutSequences =
  'There are no sequences in dbt projects, views and COPY. A table with a column "id bigint generated by default as identity" numbers its rows; in a query row_number() over (…) does, beside the highest number so far.'
