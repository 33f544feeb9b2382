// The SQL of a view in the words of Trino, where they mean the same there. Engines read a view's text of their own dialect
// only, and Trino has no use for DuckDB's.
//
// It is made from DuckDB's syntax tree and from what is known of the tables: by a list of what means the same, key by key of
// each node, so what nobody thought of makes no text rather than a wrong one. Columns get the types that the view promises,
// and tables their full names: a text with a default catalog would be one for every engine, and each calls it otherwise.

import type { EngineColumn } from '../../engine/index.ts'
import type { Node } from './tree.ts'
import {
  aggregateCalls,
  aggregates,
  calledOf,
  constant,
  list,
  lowered,
  only,
  Otherwise,
  scalars,
  textOf,
  valueNames,
  whole,
  windowNames,
  type Arguments,
} from './trino-words.ts'
import {
  castable,
  mayBeZoned,
  mixesZones,
  typeName,
  typeOf,
  type Reading,
  type Scope,
  type TrinoView,
} from './trino-types.ts'

/** Undefined where some part of the text is not known to mean the same in Trino. */
export function trinoSql(view: TrinoView): string | undefined {
  if (/\b(rollup|cube|grouping)\b/i.test(view.sql)) return undefined
  try {
    const text = query((view.tree as Node)['node'], { view, ctes: new Set() })
    const names = view.columns.map(({ name }) => quote(name))
    const columns = view.columns.map(({ type }, index) => {
      const there = typeName(type)
      return there === undefined ? names[index] : `CAST(${names[index]} AS ${there}) AS ${names[index]}`
    })
    return `SELECT ${columns.join(', ')} FROM (${text}) AS "view" (${names.join(', ')})`
  } catch (error) {
    if (error instanceof Otherwise) return undefined
    throw error
  }
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`
function query(value: unknown, reading: Reading): string {
  const node = value as Node
  const known = new Set(reading.ctes)
  const withs = list((node['cte_map'] as Node | undefined)?.['map']).map(({ key, value: cte }) => {
    const { aliases, query: inner } = only(cte, 'aliases', 'query', 'materialized')
    const text = query((inner as Node)['node'], { ...reading, ctes: new Set(known) })
    known.add(lowered(String(key)))
    const names = list(aliases).length > 0 ? ` (${(aliases as string[]).map(quote).join(', ')})` : ''
    return `${quote(String(key))}${names} AS (${text})`
  })
  const inner = { ...reading, ctes: known }
  const text = node['type'] === 'SET_OPERATION_NODE' ? setOperation(node, inner) : select(node, inner)
  return withs.length > 0 ? `WITH ${withs.join(', ')} ${text}` : text
}

const setOperations: Readonly<Record<string, string>> = { UNION: 'UNION', EXCEPT: 'EXCEPT', INTERSECT: 'INTERSECT' }

function setOperation(value: Node, reading: Reading): string {
  const node = only(value, 'cte_map', 'modifiers', 'setop_type', 'left', 'right', 'setop_all')
  const word = setOperations[String(node['setop_type'])]
  if (!word) throw new Otherwise()
  const sides = [node['left'], node['right']].map((side) => `(${query(side, reading)})`)
  const scope = { ...reading, columns: undefined, aliases: new Map<string, Node>() }
  return `${sides.join(` ${word}${node['setop_all'] === false ? '' : ' ALL'} `)}${modifiers(node, scope).behind}`
}

const selectKeys =
  'cte_map modifiers select_list from_table where_clause group_expressions group_sets having aggregate_handling qualify'.split(
    ' ',
  )

function select(value: Node, reading: Reading): string {
  const node = only(value, ...selectKeys)
  if (node['type'] !== 'SELECT_NODE') throw new Otherwise()
  const columns = new Map<string, string | undefined>()
  const from = node['from_table'] as Node
  const source = from['type'] === 'EMPTY' ? '' : ` FROM ${relation(from, reading, columns)}`
  const of = from['type'] === 'BASE_TABLE' && !columns.has(unknown) ? [...columns.keys()] : undefined
  const items = list(node['select_list']).flatMap((item) => itemsOf(item, of, node['qualify'] !== undefined))
  const aliases = new Map(items.flatMap((item) => (item['alias'] ? [[lowered(String(item['alias'])), item]] : [])))
  const scope: Scope = { ...reading, columns: columns.has(unknown) ? undefined : columns, aliases }
  // With USING the columns of a star have another order there.
  if (items.some((item) => item['class'] === 'STAR') && joinsUsing(from)) throw new Otherwise()
  const texts = items.map((item, index) => {
    // A name in the list may mean an item before it, never itself or one behind.
    const before = new Map([...aliases].filter(([, one]) => items.indexOf(one) < index))
    return item['class'] === 'STAR' ? star(item) : expression(item, { ...scope, aliases: before })
  })
  const { distinct, behind } = modifiers(node, scope)
  const { qualify } = node
  const where = node['where_clause'] ? ` WHERE ${expression(node['where_clause'], scope)}` : ''
  const having = node['having'] ? ` HAVING ${expression(node['having'], scope)}` : ''
  const rest = `${source}${where}${groups(node, items, scope)}${having}`
  const aliasOf = (item: Node) => (item['alias'] ? ` AS ${quote(String(item['alias']))}` : '')
  if (!qualify)
    return `SELECT ${distinct}${items.map((item, index) => `${texts[index]}${aliasOf(item)}`).join(', ')}${rest}${behind}`
  // What rows are ordered by need not be among those that are chosen.
  if (behind !== '') throw new Otherwise()
  const numbered = texts.map((text, index) => `${text} AS "c${index}"`)
  const names = items.map((item, index) => `"c${index}"${nameOf(item)}`)
  const chosen = `SELECT ${[...numbered, `${expression(qualify, scope)} AS "chosen"`].join(', ')}${rest}`
  return `SELECT ${distinct}${names.join(', ')} FROM (${chosen}) AS "rows" WHERE "chosen"`
}

/** What an item of the list is called, where that is not a text of DuckDB's. */
function nameOf(item: Node): string {
  const name = item['alias'] || (item['class'] === 'COLUMN_REF' && (item['column_names'] as string[]).at(-1))
  return name ? ` AS ${quote(String(name))}` : ''
}

/** The columns that a star means, where it must be known which: `names` are those of the only table. */
function itemsOf(item: Node, names: readonly string[] | undefined, mustKnow: boolean): Node[] {
  if (item['class'] !== 'STAR') return [item]
  const { exclude_list: without, replace_list: others } = only(item, 'relation_name', 'exclude_list', 'replace_list')
  if (!without && !others && !mustKnow) return [item]
  if (!names) throw new Otherwise()
  const left = new Set(((without ?? []) as string[]).map(lowered))
  const replaced = new Map(list(others).map(({ key, value }) => [lowered(String(key)), value as Node]))
  return names
    .filter((name) => !left.has(name))
    .map((name) => {
      const value = replaced.get(name)
      return value ? { ...value, alias: name } : { class: 'COLUMN_REF', type: 'COLUMN_REF', column_names: [name] }
    })
}

const joinsUsing = (from: Node): boolean =>
  from['type'] === 'JOIN' &&
  (from['using_columns'] !== undefined || joinsUsing(from['left'] as Node) || joinsUsing(from['right'] as Node))

function star(item: Node): string {
  const { relation_name: name } = only(item, 'relation_name')
  return name ? `${quote(String(name))}.*` : '*'
}

function groups(node: Node, items: readonly Node[], scope: Scope): string {
  if (node['aggregate_handling'] === 'FORCE_AGGREGATES') {
    if (items.some((item) => item['class'] === 'STAR')) throw new Otherwise()
    const numbers = items.flatMap((item, index) => (holdsAggregate(item) ? [] : [index + 1]))
    return numbers.length > 0 ? ` GROUP BY ${numbers.join(', ')}` : ''
  }
  const by = list(node['group_expressions'])
  if (by.length === 0) return ''
  const [set, more] = node['group_sets'] as number[][]
  if (more || set?.length !== by.length) throw new Otherwise()
  return ` GROUP BY ${by.map((each) => expression(each, scope)).join(', ')}`
}

const holdsAggregate = (value: unknown): boolean =>
  value !== null &&
  typeof value === 'object' &&
  (((value as Node)['class'] === 'FUNCTION' && aggregates.has(String((value as Node)['function_name']))) ||
    Object.values(value).some(holdsAggregate))

function modifiers(node: Node, scope: Scope): { distinct: string; behind: string } {
  let [distinct, order, limit] = ['', '', '']
  for (const one of list(node['modifiers'])) {
    if (one['type'] === 'DISTINCT_MODIFIER') {
      only(one)
      distinct = 'DISTINCT '
    } else if (one['type'] === 'ORDER_MODIFIER')
      // Both take the names that the list gives before those of columns.
      order = ` ORDER BY ${orders(only(one, 'orders')['orders'], { ...scope, aliases: new Map() })}`
    else if (one['type'] === 'LIMIT_MODIFIER') {
      const { limit: most, offset } = only(one, 'limit', 'offset')
      limit = `${offset ? ` OFFSET ${whole(offset)}` : ''}${most ? ` LIMIT ${whole(most)}` : ''}`
    } else throw new Otherwise()
  }
  return { distinct, behind: `${order}${limit}` }
}

function orders(value: unknown, scope: Scope): string {
  const directions: Readonly<Record<string, string>> = { ORDER_DEFAULT: 'ASC', ASCENDING: 'ASC', DESCENDING: 'DESC' }
  const texts = list(value).map((one) => {
    const { type, null_order: nulls, expression: by } = only(one, 'null_order', 'expression')
    const direction = directions[String(type)]
    if (!direction) throw new Otherwise()
    return `${expression(by, scope)} ${direction} NULLS ${nulls === 'NULLS FIRST' ? 'FIRST' : 'LAST'}`
  })
  return texts.join(', ')
}

/** Among the columns: there are others, whose names are not known. */
const unknown = '*'

/** What stands behind FROM; its columns are added. */
function relation(value: unknown, reading: Reading, columns: Map<string, string | undefined>): string {
  const node = value as Node
  const add = (all: readonly EngineColumn[] | undefined) => {
    if (!all) columns.set(unknown, undefined)
    // A name of two tables is one that the text has to qualify.
    for (const { name, type } of all ?? []) columns.set(lowered(name), columns.has(lowered(name)) ? undefined : type)
  }
  const named = (text: string, names: readonly string[] = []) => {
    const alias = node['alias'] ? ` AS ${quote(String(node['alias']))}` : ''
    return `${text}${alias}${names.length > 0 ? ` (${names.map(quote).join(', ')})` : ''}`
  }
  switch (node['type']) {
    case 'BASE_TABLE': {
      const text = (key: string) => (node[key] ? String(node[key]) : undefined)
      const { table_name: name } = only(node, 'catalog_name', 'schema_name', 'table_name')
      const written = { catalog: text('catalog_name'), namespace: text('schema_name'), name: String(name) }
      if (!written.catalog && !written.namespace && reading.ctes.has(lowered(written.name))) {
        add(undefined)
        return named(quote(written.name))
      }
      const found = reading.view.table(written)
      if (!found) throw new Otherwise()
      add(found.columns)
      // Without an alias of its own it is known by its name alone, as in DuckDB.
      return node['alias'] ? named(found.name) : `${found.name} AS ${quote(written.name)}`
    }
    case 'SUBQUERY': {
      const { subquery, column_name_alias: names } = only(node, 'subquery', 'column_name_alias')
      add(undefined)
      return named(`(${query((subquery as Node)['node'], reading)})`, (names as string[] | undefined) ?? [])
    }
    case 'EXPRESSION_LIST': {
      const { values } = only(node, 'values', 'expected_names', 'expected_types')
      add(undefined)
      const scope = { ...reading, columns: undefined, aliases: new Map<string, Node>() }
      const rows = (values as unknown[][]).map((row) => `(${row.map((one) => expression(one, scope)).join(', ')})`)
      return `(VALUES ${rows.join(', ')})`
    }
    case 'JOIN':
      return join(node, reading, columns)
    default:
      throw new Otherwise()
  }
}

function join(value: Node, reading: Reading, columns: Map<string, string | undefined>): string {
  const node = only(value, 'left', 'right', 'condition', 'join_type', 'ref_type', 'using_columns')
  const sides = [node['left'], node['right']].map((side) => relation(side, reading, columns))
  if (node['ref_type'] === 'CROSS') return sides.join(' CROSS JOIN ')
  const words: Readonly<Record<string, string>> = { INNER: 'INNER', LEFT: 'LEFT', RIGHT: 'RIGHT', FULL: 'FULL' }
  const word = words[String(node['join_type'])]
  if (!word || node['ref_type'] !== 'REGULAR') throw new Otherwise()
  const using = node['using_columns'] as string[] | undefined
  const scope = { ...reading, columns, aliases: new Map<string, Node>() }
  const on = using ? `USING (${using.map(quote).join(', ')})` : `ON ${expression(node['condition'], scope)}`
  return `${sides[0]} ${word} JOIN ${(node['right'] as Node)['type'] === 'JOIN' ? `(${sides[1]})` : sides[1]} ${on}`
}

function expression(value: unknown, scope: Scope): string {
  const node = value as Node
  const inner = (one: unknown) => expression(one, scope)
  switch (node['class']) {
    case 'COLUMN_REF':
      return column(node, scope)
    case 'CONSTANT':
      return constant(node)
    case 'CAST':
      return cast(node, scope)
    case 'FUNCTION':
      return call(node, scope)
    case 'WINDOW':
      return overWindow(node, scope)
    case 'OPERATOR':
      return operator(node, scope)
    case 'COMPARISON': {
      const { left, right } = only(node, 'left', 'right')
      const word = comparisons[String(node['type'])]
      if (!word || mixesZones([left, right], scope)) throw new Otherwise()
      return `(${inner(left)} ${word} ${inner(right)})`
    }
    case 'BETWEEN': {
      const { input, lower, upper } = only(node, 'input', 'lower', 'upper')
      if (mixesZones([input, lower, upper], scope)) throw new Otherwise()
      return `(${inner(input)} BETWEEN ${inner(lower)} AND ${inner(upper)})`
    }
    case 'CONJUNCTION': {
      const word = node['type'] === 'CONJUNCTION_AND' ? ' AND ' : ' OR '
      return `(${list(only(node, 'children')['children']).map(inner).join(word)})`
    }
    case 'CASE': {
      const { case_checks: checks, else_expr: otherwise } = only(node, 'case_checks', 'else_expr')
      const whens = list(checks).map((one) => `WHEN ${inner(one['when_expr'])} THEN ${inner(one['then_expr'])}`)
      return `CASE ${whens.join(' ')} ELSE ${inner(otherwise)} END`
    }
    case 'SUBQUERY':
      return subquery(node, scope)
    default:
      throw new Otherwise()
  }
}

const comparisons: Readonly<Record<string, string>> = {
  COMPARE_EQUAL: '=',
  COMPARE_NOTEQUAL: '<>',
  COMPARE_LESSTHAN: '<',
  COMPARE_GREATERTHAN: '>',
  COMPARE_LESSTHANOREQUALTO: '<=',
  COMPARE_GREATERTHANOREQUALTO: '>=',
  COMPARE_DISTINCT_FROM: 'IS DISTINCT FROM',
  COMPARE_NOT_DISTINCT_FROM: 'IS NOT DISTINCT FROM',
}

/** A column, or what an item of the list is, where DuckDB takes the name for that: it asks the tables first. */
function column(value: Node, scope: Scope): string {
  const names = only(value, 'column_names')['column_names'] as string[]
  // Parts of a struct, and words like current_date, which are columns here.
  if (names.length > 2) throw new Otherwise()
  const [name] = names
  if (names.length === 1 && /^(current_|local|user$|session_)/i.test(name!)) throw new Otherwise()
  const item = names.length === 1 ? scope.aliases.get(lowered(name!)) : undefined
  if (!item || isColumn(item, name!)) return names.map(quote).join('.')
  if (!scope.columns) throw new Otherwise()
  if (scope.columns.has(lowered(name!))) return quote(name!)
  return expression(item, { ...scope, aliases: new Map() })
}

const isColumn = (item: Node, name: string): boolean =>
  item['class'] === 'COLUMN_REF' && lowered((item['column_names'] as string[]).at(-1)!) === lowered(name)

/** What a cast gives depends on what it is given: only such pairs as both engines do alike. */
function cast(node: Node, scope: Scope): string {
  const { child, cast_type: to, try_cast: isTry } = only(node, 'child', 'cast_type', 'try_cast')
  const { id, type_info: more } = to as { id: string; type_info?: { width?: number; scale?: number } }
  const text = textOf(child)
  if (id === 'BOOLEAN' && (text === 't' || text === 'f')) return text === 't' ? 'true' : 'false'
  const target = id === 'DECIMAL' ? `DECIMAL(${more?.width},${more?.scale})` : id
  const from = text === undefined ? typeOf(child, scope) : 'TEXT'
  const there = typeName(target)
  if (isTry || !there || from === undefined || !castable[id]?.test(from)) throw new Otherwise()
  return `CAST(${expression(child, scope)} AS ${there})`
}

function operator(node: Node, scope: Scope): string {
  const children = list(only(node, 'children')['children'])
  if (mixesZones(children, scope)) throw new Otherwise()
  const [first, ...rest] = children.map((one) => expression(one, scope))
  switch (node['type']) {
    case 'OPERATOR_NOT':
      return `(NOT ${first})`
    case 'OPERATOR_IS_NULL':
      return `(${first} IS NULL)`
    case 'OPERATOR_IS_NOT_NULL':
      return `(${first} IS NOT NULL)`
    case 'OPERATOR_COALESCE':
      return rest.length === 0 ? first! : `coalesce(${[first, ...rest].join(', ')})`
    case 'COMPARE_IN':
      return `(${first} IN (${rest.join(', ')}))`
    case 'COMPARE_NOT_IN':
      return `(${first} NOT IN (${rest.join(', ')}))`
    default:
      throw new Otherwise()
  }
}

function subquery(value: Node, scope: Scope): string {
  const node = only(value, 'subquery_type', 'subquery', 'child', 'comparison_type')
  const text = query((node['subquery'] as Node)['node'], scope)
  switch (node['subquery_type']) {
    case 'SCALAR':
      return `(${text})`
    case 'EXISTS':
      return `EXISTS (${text})`
    case 'ANY': {
      const word = comparisons[String(node['comparison_type'])]
      if (!word || word.startsWith('IS')) throw new Otherwise()
      return `(${expression(node['child'], scope)} ${word === '=' ? 'IN' : `${word} ANY`} (${text}))`
    }
    default:
      throw new Otherwise()
  }
}

function call(value: Node, scope: Scope): string {
  const node = only(value, 'function_name', 'schema', 'children', 'order_bys', 'is_operator', 'distinct', 'filter')
  only(node['order_bys'] ?? {})
  if (node['schema'] !== undefined && node['schema'] !== 'main') throw new Otherwise()
  const name = calledOf(node)
  const isAggregate = Object.hasOwn(aggregateCalls, name)
  const write = isAggregate ? aggregateCalls[name]! : Object.hasOwn(scalars, name) ? scalars[name]! : undefined
  if (!write || (!isAggregate && (node['distinct'] || node['filter']))) throw new Otherwise()
  const text = write(argumentsOf(node, scope))
  if (text === undefined) throw new Otherwise()
  const distinct = node['distinct'] ? text.replace('(', '(DISTINCT ') : text
  return node['filter'] ? `${distinct} FILTER (WHERE ${expression(node['filter'], scope)})` : distinct
}

/** Texts are made when they are asked for: an interval's argument has none. */
function argumentsOf(node: Node, scope: Scope): Arguments {
  const all = list(node['children'])
  return {
    all,
    typeOf: (one) => typeOf(one, scope),
    mayBeZoned: (one) => mayBeZoned(one, scope),
    get texts() {
      return all.map((one) => expression(one, scope))
    },
  }
}

const windowKeys =
  'function_name schema children partitions orders start end start_expr end_expr offset_expr default_expr filter_expr'.split(
    ' ',
  )

function overWindow(value: Node, scope: Scope): string {
  const node = only(value, ...windowKeys)
  const name = calledOf(node)
  const inner = (one: unknown) => expression(one, scope)
  const given = argumentsOf(node, scope)
  const more = [node['offset_expr'], node['default_expr']].filter((one) => one !== undefined).map(inner)
  const isKnown = windowNames.has(name) || valueNames.has(name)
  const text = isKnown ? `${name}(${[...given.texts, ...more].join(', ')})` : aggregateCalls[name]?.(given)
  if (text === undefined || (node['default_expr'] !== undefined && node['offset_expr'] === undefined))
    throw new Otherwise()
  const filter = node['filter_expr'] ? ` FILTER (WHERE ${inner(node['filter_expr'])})` : ''
  const partition = list(node['partitions']).map(inner)
  const order = list(node['orders']).length > 0 ? `ORDER BY ${orders(node['orders'], scope)}` : ''
  const by = partition.length > 0 ? `PARTITION BY ${partition.join(', ')}` : ''
  // Of functions that look at a place in the order a frame is not asked for, and Trino refuses one.
  const isFramed = !windowNames.has(name) && name !== 'lag' && name !== 'lead'
  return `${text}${filter} OVER (${[by, order, isFramed ? frame(node, order !== '') : ''].filter(Boolean).join(' ')})`
}

function frame(node: Node, isOrdered: boolean): string {
  const ends = [
    [node['start'], node['start_expr']],
    [node['end'], node['end_expr']],
  ] as const
  const kinds = ends.map(([kind]) => /_(ROWS|RANGE)$/.exec(String(kind))?.[1]).filter((kind) => kind !== undefined)
  const kind = kinds.includes('ROWS') ? 'ROWS' : 'RANGE'
  // Without an order all rows of the partition are peers, as the default frame has it in both.
  if (kind === 'RANGE' && ends.some(([, value]) => value !== undefined)) throw new Otherwise()
  if (kind === 'ROWS' && !isOrdered) throw new Otherwise()
  const texts = ends.map(([end, value]) => {
    const word = String(end).replace(/_(ROWS|RANGE)$/, '')
    if (word === 'EXPR_PRECEDING') return `${whole(value)} PRECEDING`
    if (word === 'EXPR_FOLLOWING') return `${whole(value)} FOLLOWING`
    if (!['UNBOUNDED_PRECEDING', 'UNBOUNDED_FOLLOWING', 'CURRENT_ROW'].includes(word)) throw new Otherwise()
    return word.replaceAll('_', ' ')
  })
  return `${kind} BETWEEN ${texts.join(' AND ')}`
}
