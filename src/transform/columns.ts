// Lineage of columns: which columns of which tables a SELECT's columns are made of, and which decide its rows.
//
// It is read from DuckDB's own syntax tree, names bound to the columns of the tables that the statement names. Two
// promises hold (`columns.test.ts`, on generated queries): a column that is in no list may be dropped and the result stays
// as it is; values of a column that decides no rows change only the columns made of it.

import { createHash } from 'node:crypto'
import type { Outline } from '../lake/index.ts'
import {
  atLeast,
  columnKey,
  everything,
  joined,
  named,
  noUses,
  renamed,
  same,
  Scope,
  union,
  type Col,
  type Cols,
  type How,
  type Relation,
  type Uses,
} from './columns-scope.ts'

type Node = { [key: string]: unknown }

/** A column of a table of the lake; `table` as `dev_analytics.raw.sales`. */
export type ColumnOf = { table: string; column: string }
export type RowUse = 'filter' | 'join' | 'group' | 'order'

export type ColumnLineage = {
  /** Each column of the result, and what it is made of. */
  columns: { name: string; from: (ColumnOf & { how: How })[] }[]
  /** What decides which rows there are, in which order, and what stands together. */
  rows: (ColumnOf & { use: RowUse })[]
  /** Named, though nothing of the result comes from them: without them the statement would not bind. */
  named: ColumnOf[]
  /** Changes when an expression on the way to one of the columns is written otherwise, or one that decides the rows. */
  written: { columns: string[]; rows: string }
  /** False: some columns could not be told apart, and are said to be made of all that they could be. */
  exact: boolean
}

/** The lineage of a SELECT that binds. */
export async function columnLineage(outline: Outline): Promise<ColumnLineage> {
  const { node } = (await outline.tree()) as { node: Node }
  const reader = new TreeReader(outline)
  const { cols, rows } = reader.query(node, undefined, new Map())
  const { columns: found, rest } = cols
  const isCertain =
    !rest &&
    found.length === outline.columns.length &&
    outline.columns.every(({ name }, at) => found[at]!.name === undefined || same(found[at]!.name!, name))
  const all = everything(cols)
  const made = outline.columns.map(({ name }, at) => ({
    name,
    uses: isCertain ? found[at]!.uses : ((rest && named(cols, name)) ?? all),
  }))
  const told = new Set([...rows.keys(), ...made.flatMap(({ uses }) => [...uses.keys()])])
  const { known } = reader
  const asColumn = <Use>([key, use]: [string, Use]) => (known.has(key) ? [{ column: known.get(key)!, use }] : [])
  return {
    columns: made.map(({ name, uses }) => ({
      name,
      from: [...uses].flatMap(asColumn).map(({ column, use }) => ({ ...column, how: use })),
    })),
    written: { columns: made.map(({ uses }) => textsIn(uses.keys())), rows: textsIn(rows.keys()) },
    rows: [...rows].flatMap(asColumn).map(({ column, use }) => ({ ...column, use })),
    named: Array.from(reader.mentioned).flatMap((key) => (told.has(key) || !known.has(key) ? [] : [known.get(key)!])),
    exact: isCertain && reader.exact,
  }
}

/** An expression goes along with the columns that it reads, as a key that is no column's: its text as a hash. */
const textMark = '\u0001'
const withoutPlaces = (key: string, value: unknown): unknown =>
  key === 'query_location' || key === 'alias' ? undefined : value
const textKey = (value: unknown): string =>
  `${textMark}${createHash('sha1').update(JSON.stringify(value, withoutPlaces)).digest('base64')}`
const textOf = (value: unknown): Uses => (isNothing(value) ? noUses : new Map([[textKey(value), 'identity']]))
const isNothing = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.every(isNothing))
const textsIn = (keys: Iterable<string>): string =>
  [...keys]
    .filter((key) => key.startsWith(textMark))
    .sort()
    .join('')

type Rows = ReadonlyMap<string, RowUse>
type Found = { cols: Cols; rows: Rows }
/** Queries of WITH clauses by name. */
type Ctes = ReadonlyMap<string, () => Found>

const asRows = (uses: Uses, use: RowUse): Rows => new Map(Array.from(uses.keys(), (key) => [key, use] as const))
/** Of two uses the first counts. */
const allRows = (all: readonly Rows[]): Rows => new Map(all.toReversed().flatMap((rows) => [...rows]))

/** A recursive query is read again until it says nothing new; columns only ever grow. */
const recursionsMax = 50

class TreeReader {
  /** Every column that was named, by its key. */
  readonly known = new Map<string, ColumnOf>()
  exact = true
  /** Keys of what is named in the text, and not only part of a `*`. */
  readonly mentioned = new Set<string>()
  readonly #tables: Outline['tables']

  constructor({ tables }: Outline) {
    this.#tables = tables
  }

  query(node: Node, outer: Scope | undefined, around: Ctes): Found {
    const ctes = this.#withCtes(node, outer, around)
    switch (node['type']) {
      case 'SELECT_NODE':
        return this.#select(node, outer, ctes)
      case 'SET_OPERATION_NODE':
        return this.#setOperation(node, outer, ctes)
      case 'RECURSIVE_CTE_NODE':
        return this.#recursive(node, outer, ctes)
      case 'CTE_NODE': {
        const found = this.query(node['query'] as Node, outer, ctes)
        const name = String(node['cte_name']).toLowerCase()
        return this.query(
          node['child'] as Node,
          outer,
          new Map([...ctes, [name, () => aliased(found, node['aliases'])]]),
        )
      }
      default:
        return this.#guess(node, outer, ctes)
    }
  }

  #withCtes(node: Node, outer: Scope | undefined, around: Ctes): Ctes {
    const map = (node['cte_map'] as Node | undefined)?.['map'] as { key: string; value: Node }[] | undefined
    if (!map?.length) return around
    const ctes = new Map(around)
    for (const { key, value } of map) {
      const before = new Map(ctes) // in its own body the name still means what is outside
      let found: Found | undefined
      const body = (value['query'] as Node)['node'] as Node
      const read = () => (found ??= aliased(this.query(body, outer, before), value['aliases']))
      ctes.set(key.toLowerCase(), read)
      read() // what nobody reads must bind all the same
    }
    return ctes
  }

  #select(node: Node, outer: Scope | undefined, ctes: Ctes): Found {
    const from = this.#from(node['from_table'] as Node | undefined, outer, ctes)
    const scope = new Scope(from.relations, from.star, outer)
    const uses = (value: unknown, how: How = 'derived', aliasFirst = true) =>
      this.#uses(value, { scope, ctes, aliasFirst, hidden: new Set() }, how)
    const items: Cols[] = []
    const aliases = new Map<string, Uses>()
    for (const item of list(node['select_list'])) {
      const found = this.#item(item, scope, ctes)
      items.push(found)
      for (const { name, uses: made } of found.columns)
        if (name !== undefined)
          aliases.set(name.toLowerCase(), union([made, aliases.get(name.toLowerCase()) ?? noUses]))
      scope.aliases = aliases
    }
    const cols = joined(items)
    // As DuckDB looks names up: WHERE and GROUP BY mean columns of the tables before those of the SELECT list.
    const byPlace = (value: Node, aliasFirst = true): Uses =>
      value['class'] === 'CONSTANT'
        ? (cols.columns[placeOf(value) - 1]?.uses ?? everything(cols))
        : uses(value, 'derived', aliasFirst)
    const groups = list(node['group_expressions'])
    const rows: Rows[] = [
      from.rows,
      asRows(union([uses(node['where_clause'], 'derived', false), textOf(node['where_clause'])]), 'filter'),
      ...groups.map((group) => asRows(byPlace(group, false), 'group')),
      ...(node['aggregate_handling'] === 'FORCE_AGGREGATES' ? [asRows(everything(cols), 'group')] : []),
      asRows(union([uses([node['having'], node['qualify']]), textOf([node['having'], node['qualify']])]), 'filter'),
      asRows(textOf(node['group_expressions']), 'group'),
      asRows(textOf(node['modifiers']), 'order'),
      this.#modifiers(node, cols, byPlace, uses),
    ]
    return { cols, rows: allRows(rows) }
  }

  /** DISTINCT, ORDER BY and LIMIT. */
  #modifiers(node: Node, cols: Cols, byPlace: (value: Node) => Uses, uses: (value: unknown) => Uses): Rows {
    return allRows(
      list(node['modifiers']).map((modifier): Rows => {
        switch (modifier['type']) {
          case 'DISTINCT_MODIFIER': {
            const targets = list(modifier['distinct_on_targets'])
            return asRows(
              targets.length > 0 ? union(targets.map((target) => byPlace(target))) : everything(cols),
              'group',
            )
          }
          case 'ORDER_MODIFIER':
            return asRows(union(list(modifier['orders']).map((order) => byPlace(order['expression'] as Node))), 'order')
          default:
            return asRows(uses(Object.values(modifier)), 'filter')
        }
      }),
    )
  }

  /** The columns that one entry of a SELECT list becomes. */
  #item(item: Node, scope: Scope, ctes: Ctes): Cols {
    const within: Within = { scope, ctes, aliasFirst: false, hidden: new Set() }
    const alias = text(item['alias'])
    if (item['class'] === 'STAR') return this.#star(item, scope, within)
    if (item['class'] === 'COLUMN_REF') {
      const names = item['column_names'] as string[]
      return { columns: [{ name: alias ?? names.at(-1), uses: this.#mention(scope.resolve(names)) }], rest: undefined }
    }
    const uses = union([this.#uses(item, within, 'derived'), textOf(item)])
    const isMany = holdsStar(item) || (item['function_name'] === 'unnest' && alias === undefined)
    return isMany ? this.#manyOf(uses) : { columns: [{ name: alias, uses }], rest: undefined }
  }

  #mention(uses: Uses): Uses {
    for (const key of uses.keys()) this.mentioned.add(key)
    return uses
  }

  #manyOf(uses: Uses): Cols {
    this.exact = false
    return { columns: [], rest: uses }
  }

  #star(item: Node, scope: Scope, within: Within): Cols {
    const relationName = text(item['relation_name'])
    const relation = relationName === undefined ? undefined : scope.relation(relationName)
    if (relationName !== undefined && !relation) return this.#manyOf(atLeast(scope.resolve([relationName]), 'derived'))
    const all: Cols = relation ?? scope.star
    if (item['columns'] === true && item['expr']) return this.#manyOf(everything(all))
    const excluded = [
      ...((item['exclude_list'] as string[] | undefined) ?? []),
      ...list(item['qualified_exclude_list']).map(({ column }) => String(column)),
    ]
    const replaced = list(item['replace_list']) as { key?: unknown; value?: unknown }[]
    const renames = list(item['rename_list']) as { key?: unknown; value?: unknown }[]
    const touched = [...excluded, ...[...replaced, ...renames].map(({ key }) => String((key as Node)['column'] ?? key))]
    for (const name of touched) this.#mention(named(all, name) ?? noUses)
    const columns = all.columns.flatMap((column): Col[] => {
      const { name } = column
      if (name === undefined) return [column]
      if (excluded.some((one) => same(one, name))) return []
      const other = replaced.find(({ key }) => same(String(key), name))
      if (other) return [{ name, uses: union([this.#uses(other.value, within, 'derived'), textOf(other.value)]) }]
      const rename = renames.find(({ key }) => same(String((key as Node)['column']), name))
      return [rename ? { ...column, name: String(rename.value) } : column]
    })
    return { columns, rest: all.rest }
  }

  #setOperation(node: Node, outer: Scope | undefined, ctes: Ctes): Found {
    const parts = (node['children'] ? list(node['children']) : [node['left'] as Node, node['right'] as Node]).map(
      (part) => this.query(part, outer, ctes),
    )
    const kind = String(node['setop_type'])
    const cols = parts
      .map((part) => part.cols)
      .reduce((one, other) => (kind === 'UNION_BY_NAME' ? byName(one, other) : byPosition(one, other)))
    const isBag = kind.startsWith('UNION') && node['setop_all'] !== false
    const byPlace = (value: Node): Uses =>
      value['class'] === 'CONSTANT'
        ? (cols.columns[placeOf(value) - 1]?.uses ?? everything(cols))
        : (value['class'] === 'COLUMN_REF' && named(cols, (value['column_names'] as string[]).at(-1)!)) ||
          everything(cols)
    return {
      cols,
      rows: allRows([
        ...parts.map(({ rows }) => rows),
        asRows(textOf([kind, isBag, node['modifiers']]), 'group'),
        ...(isBag ? [] : [asRows(everything(cols), 'group')]),
        this.#modifiers(node, cols, byPlace, () => everything(cols)),
      ]),
    }
  }

  #recursive(node: Node, outer: Scope | undefined, ctes: Ctes): Found {
    const name = String(node['cte_name']).toLowerCase()
    let found = aliased(this.query(node['left'] as Node, outer, ctes), node['aliases'])
    for (let round = 0; round < recursionsMax; round++) {
      const before = found
      const { cols, rows } = this.query(node['right'] as Node, outer, new Map([...ctes, [name, () => before]]))
      found = { cols: byPosition(before.cols, cols), rows: allRows([before.rows, rows]) }
      if (sizeOf(found) === sizeOf(before)) break
    }
    const isBag = node['union_all'] === true
    return isBag ? found : { ...found, rows: allRows([found.rows, asRows(everything(found.cols), 'group')]) }
  }

  #from(node: Node | undefined, outer: Scope | undefined, ctes: Ctes, beside: readonly Relation[] = []): From {
    if (!node) return nothing
    const lateral = new Scope(beside, { columns: [], rest: undefined }, outer)
    switch (node['type']) {
      case 'EMPTY':
      case 'EMPTY_FROM':
        return nothing
      case 'BASE_TABLE': {
        const [catalog, schema, name] = [
          text(node['catalog_name']),
          text(node['schema_name']),
          String(node['table_name']),
        ]
        const cte = !catalog && !schema ? ctes.get(name.toLowerCase()) : undefined
        const path = text(node['alias'])
          ? [text(node['alias'])!]
          : [catalog, schema, name].flatMap((part) => part ?? [])
        const { cols, rows } = cte ? cte() : { cols: this.#table(catalog, schema, name), rows: new Map() as Rows }
        return relationOf(renamed(cols, names(node)), path, rows)
      }
      case 'SUBQUERY': {
        const { cols, rows } = this.query((node['subquery'] as Node)['node'] as Node, lateral, ctes)
        return relationOf(renamed(cols, names(node)), path(node), rows)
      }
      case 'JOIN':
        return this.#join(node, outer, ctes, beside)
      case 'EXPRESSION_LIST': {
        const values = (node['values'] as Node[][]).map((row) =>
          row.map((value) =>
            this.#uses(value, { scope: lateral, ctes, aliasFirst: false, hidden: new Set() }, 'derived'),
          ),
        )
        const columns = (values[0] ?? []).map((_, at) => ({
          name: `col${at}`,
          uses: union(values.map((row) => row[at]!)),
        }))
        return relationOf(renamed({ columns, rest: undefined }, names(node)), path(node), new Map())
      }
      case 'TABLE_FUNCTION': {
        const call = node['function'] as Node
        const name = String(call['function_name']).toLowerCase()
        const uses = this.#uses(
          call['children'],
          { scope: lateral, ctes, aliasFirst: false, hidden: new Set() },
          'derived',
        )
        const isOne = ['unnest', 'range', 'generate_series'].includes(name)
        const cols: Cols = isOne ? { columns: [{ name, uses }], rest: undefined } : this.#manyOf(uses)
        const from = text(node['alias']) ? path(node) : [name]
        return relationOf(renamed(cols, names(node)), from, asRows(uses, 'filter'))
      }
      case 'PIVOT':
        return this.#pivot(node, outer, ctes, beside)
      default: {
        const found = this.#guess(node, lateral, ctes)
        return relationOf(found.cols, path(node), found.rows)
      }
    }
  }

  #table(catalog: string | undefined, schema: string | undefined, name: string): Cols {
    const found = this.#tables.find(
      ({ written }) =>
        same(written.name, name) &&
        same(written.namespace ?? '', schema ?? '') &&
        same(written.catalog ?? '', catalog ?? ''),
    )
    const { table, columns } = found ?? {}
    // System relations have no lineage.
    if (!columns || table === undefined) return { columns: [], rest: noUses }
    return {
      columns: columns.map(({ name: column }) => {
        const key = columnKey(table, column)
        if (!this.known.has(key)) this.known.set(key, { table, column })
        return { name: column, uses: new Map([[key, 'identity' as How]]) }
      }),
      rest: undefined,
    }
  }

  #join(node: Node, outer: Scope | undefined, ctes: Ctes, beside: readonly Relation[]): From {
    const left = this.#from(node['left'] as Node, outer, ctes, beside)
    const right = this.#from(node['right'] as Node, outer, ctes, [...beside, ...left.relations])
    const relations = [...left.relations, ...right.relations]
    const isNatural = node['ref_type'] === 'NATURAL'
    const using = isNatural
      ? left.star.columns.flatMap(({ name }) =>
          name !== undefined && right.star.columns.some((one) => one.name !== undefined && same(one.name, name))
            ? [name]
            : [],
        )
      : ((node['using_columns'] as string[] | undefined) ?? [])
    const scope = new Scope(relations, joined([left.star, right.star]), outer)
    const condition = this.#uses(node['condition'], { scope, ctes, aliasFirst: false, hidden: new Set() }, 'derived')
    const shared = using.flatMap((name) => [left.star, right.star].map((side) => named(side, name) ?? noUses))
    const how = textOf([node['join_type'], node['ref_type'], node['condition'], using])
    const rows = allRows([left.rows, right.rows, asRows(union([condition, ...shared, how]), 'join')])
    const isUsed = (name: string | undefined) => name !== undefined && using.some((one) => same(one, name))
    const merged: Cols = {
      columns: left.star.columns.map((column) =>
        isUsed(column.name)
          ? { ...column, uses: union([column.uses, named(right.star, column.name!) ?? noUses]) }
          : column,
      ),
      rest: left.star.rest,
    }
    const others: Cols = { columns: right.star.columns.filter(({ name }) => !isUsed(name)), rest: right.star.rest }
    const isOneSided = node['join_type'] === 'SEMI' || node['join_type'] === 'ANTI'
    if (isOneSided) return { relations: left.relations, star: left.star, rows }
    return { relations, star: joined([merged, others]), rows }
  }

  /** PIVOT gives the columns that it groups by, then an unknown number; UNPIVOT the others, a name and a value. */
  #pivot(node: Node, outer: Scope | undefined, ctes: Ctes, beside: readonly Relation[]): From {
    const source = this.#from(node['source'] as Node, outer, ctes, beside)
    const within: Within = {
      scope: new Scope(source.relations, source.star, outer),
      ctes,
      aliasFirst: false,
      hidden: new Set(),
    }
    const pivots = list(node['pivots'])
    const unpivoted = node['unpivot_names'] as string[] | undefined
    if (unpivoted?.length) {
      const taken = pivots.flatMap(({ entries }) =>
        list(entries).flatMap((entry) => list(entry['values']).map(({ value }) => String(value))),
      )
      const isTaken = (name: string | undefined) => name !== undefined && taken.some((one) => same(one, name))
      const values = atLeast(
        union(source.star.columns.filter(({ name }) => isTaken(name)).map(({ uses }) => uses)),
        'derived',
      )
      const kept = source.star.columns.filter(({ name }) => !isTaken(name))
      const keys = pivots.flatMap((pivot) => (pivot['unpivot_names'] as string[] | undefined) ?? [])
      const cols: Cols = {
        columns: [
          ...kept,
          ...keys.map((name) => ({ name, uses: noUses })),
          ...unpivoted.map((name) => ({ name, uses: values })),
        ],
        rest: source.star.rest,
      }
      // A null value is no row.
      return relationOf(renamed(cols, names(node)), path(node), allRows([source.rows, asRows(values, 'filter')]))
    }
    const by = this.#uses(
      pivots.map((pivot) => pivot['pivot_expressions']),
      within,
      'derived',
    )
    const made = union([by, this.#uses(node['aggregates'], within, 'aggregated')])
    const groups = node['groups'] as string[] | undefined
    const kept = source.star.columns.filter(({ name, uses }) =>
      groups
        ? name !== undefined && groups.some((one) => same(one, name))
        : ![...uses.keys()].some((key) => made.has(key)),
    )
    this.exact = false
    const cols: Cols = { columns: kept, rest: union([atLeast(made, 'aggregated'), source.star.rest ?? noUses]) }
    const rows = allRows([
      source.rows,
      asRows(by, 'group'),
      asRows(everything({ columns: kept, rest: undefined }), 'group'),
    ])
    return relationOf(renamed(cols, names(node)), path(node), rows)
  }

  /** What an expression, or a list of them, is made of. */
  #uses(value: unknown, within: Within, how: How): Uses {
    if (value === null || typeof value !== 'object') return noUses
    if (Array.isArray(value)) return union(value.map((one) => this.#uses(one, within, how)))
    const node = value as Node
    switch (node['class']) {
      case 'COLUMN_REF': {
        const parts = node['column_names'] as string[]
        if (within.hidden.has(parts[0]!.toLowerCase())) return noUses
        return atLeast(this.#mention(within.scope.resolve(parts, within.aliasFirst)), how)
      }
      case 'STAR': {
        const replaced = this.#uses([node['replace_list'], node['expr']], within, how)
        return union([atLeast(everything(within.scope.star), how), replaced])
      }
      case 'POSITIONAL_REFERENCE':
        return atLeast(everything(within.scope.star), how)
      case 'SUBQUERY': {
        const { cols, rows } = this.query((node['subquery'] as Node)['node'] as Node, within.scope, within.ctes)
        const inside = union([everything(cols), new Map(Array.from(rows.keys(), (key) => [key, 'derived' as How]))])
        return union([atLeast(inside, how), this.#uses(node['child'], within, how)])
      }
      case 'LAMBDA': {
        const left = node['lhs'] as Node
        const parameters = (left['class'] === 'COLUMN_REF' ? [left] : list(left['children'])).map((one) =>
          String((one['column_names'] as string[] | undefined)?.[0]).toLowerCase(),
        )
        return this.#uses(node['expr'], { ...within, hidden: new Set([...within.hidden, ...parameters]) }, how)
      }
      case 'FUNCTION':
        return this.#parts(
          node,
          within,
          aggregates.has(String(node['function_name']).toLowerCase()) ? 'aggregated' : how,
        )
      default:
        return this.#parts(node, within, how)
    }
  }

  #parts(node: Node, within: Within, how: How): Uses {
    return union(Object.values(node).map((one) => this.#uses(one, within, how)))
  }

  /** A kind of query that is not known here: everything that any table in it has. */
  #guess(node: Node, outer: Scope | undefined, ctes: Ctes): Found {
    const tables: Cols[] = []
    const visit = (value: unknown): void => {
      if (value === null || typeof value !== 'object') return
      const one = value as Node
      if (one['type'] === 'BASE_TABLE') tables.push(...this.#from(one, outer, ctes).relations)
      Object.values(one).forEach(visit)
    }
    visit(node)
    const uses = atLeast(union(tables.map(everything)), 'derived')
    return { cols: this.#manyOf(uses), rows: asRows(uses, 'filter') }
  }
}

/** `hidden`: parameters of lambdas. */
type Within = { scope: Scope; ctes: Ctes; aliasFirst: boolean; hidden: ReadonlySet<string> }
type From = { relations: readonly Relation[]; star: Cols; rows: Rows }

const nothing: From = { relations: [], star: { columns: [], rest: undefined }, rows: new Map() }

const relationOf = (cols: Cols, parts: readonly string[], rows: Rows): From => ({
  relations: [{ ...cols, path: parts.map((part) => part.toLowerCase()) }],
  star: cols,
  rows,
})

const list = (value: unknown): Node[] => (Array.isArray(value) ? (value as Node[]) : [])
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
const names = (node: Node): string[] => (node['column_name_alias'] as string[] | undefined) ?? []
const path = (node: Node): string[] => (text(node['alias']) ? [text(node['alias'])!] : [])
const placeOf = (constant: Node): number => Number((constant['value'] as Node | undefined)?.['value'] ?? 0)

const aliased = ({ cols, rows }: Found, aliases: unknown): Found => ({
  cols: renamed(cols, (aliases as string[] | undefined) ?? []),
  rows,
})

const sizeOf = ({ cols, rows }: Found): number =>
  rows.size + cols.columns.reduce((sum, { uses }) => sum + uses.size, cols.rest?.size ?? 0)

function byPosition(one: Cols, other: Cols): Cols {
  if (one.rest || other.rest) return { columns: [], rest: union([everything(one), everything(other)]) }
  return {
    columns: one.columns.map(({ name, uses }, at) => ({
      name,
      uses: union([uses, other.columns[at]?.uses ?? noUses]),
    })),
    rest: undefined,
  }
}

function byName(one: Cols, other: Cols): Cols {
  if (one.rest || other.rest) return { columns: [], rest: union([everything(one), everything(other)]) }
  const isIn = (name: string | undefined, { columns }: Cols) =>
    columns.some((column) => column.name !== undefined && name !== undefined && same(column.name, name))
  return {
    columns: [
      ...one.columns.map(({ name, uses }) => ({
        name,
        uses: union([uses, (name === undefined ? undefined : named(other, name)) ?? noUses]),
      })),
      ...other.columns.filter(({ name }) => !isIn(name, one)),
    ],
    rest: undefined,
  }
}

function holdsStar(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false
  const node = value as Node
  return node['class'] === 'STAR' || (node['class'] !== 'SUBQUERY' && Object.values(node).some(holdsStar))
}

/** Functions that make one value of many rows. What is missing here is only said to be derived. */
const aggregates = new Set(
  (
    'any_value arbitrary arg_max arg_min array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count count_if ' +
    'count_star covar_pop covar_samp entropy first group_concat histogram kurtosis last list listagg mad max max_by ' +
    'mean median min min_by mode product quantile quantile_cont quantile_disc regr_slope skewness stddev stddev_pop ' +
    'stddev_samp string_agg sum sum_no_overflow sumkahan fsum var_pop var_samp variance approx_count_distinct ' +
    'approx_quantile approx_top_k'
  ).split(' '),
)
