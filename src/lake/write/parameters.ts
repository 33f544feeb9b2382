// Which types the parameters of a change have: clients that bind values in binary ask before they send any. DuckDB tells them
// of a SELECT, so what was written goes into one that reads the same tables and casts values to the columns that they are for.

import type { TableName } from '../../catalog/index.ts'
import type { Schema } from '../../iceberg/index.ts'
import { compose, Composed, qualified } from '../sql/compose.ts'
import { Reader, type Piece } from '../sql/reader.ts'
import { isDefault, valueRows, type Assignment, type RowChange } from '../sql/row-change.ts'
import { quoteName, quoteTable, tokens } from '../sql/tokens.ts'
import { sqlType } from '../types.ts'
import type { WrittenField } from './computed-defaults.ts'
import { sourceAlias } from './perform-context.ts'
import { excluded } from './conflict.ts'
import { returningOf } from './returning.ts'

/** Undefined where no part of the statement has a parameter. */
export function parametersText(statement: RowChange, target: TableName, schema: Schema): string | undefined {
  const [table, name] = [quoteTable(target), quoteName(statement.alias ?? target.name)]
  const told = returningOf(statement, target)
  const parts = [...partsOf(statement, table, name, schema), ...(told ? [told.text] : [])]
  const asked = parts.filter(({ sql }) => sql.includes('$'))
  const before = statement.with ? compose`${statement.with} ` : ''
  if (asked.length === 0) return undefined
  return Composed.join(
    asked.map((part, index) => compose`SELECT 1 FROM (${before}${part}) AS ${`part${index}`}`),
    ' UNION ALL ',
  ).sql
}

function partsOf(statement: RowChange, table: string, name: string, schema: Schema): Composed[] {
  const from = `${table} AS ${name}`
  const casts = (set: readonly Assignment[], meant: (piece: Piece) => Piece | Composed = (piece) => piece) =>
    Composed.join(
      set.map((one) => cast(meant(one.value), one, schema)),
      ', ',
    )
  switch (statement.kind) {
    case 'insert': {
      const { source, conflict } = statement
      const columns = statement.columns ?? schema.fields.map((field) => field.name)
      const rows = 'rows' in source ? source.rows : writtenRows(source.select)
      const given = rows
        ? rows.map((row) => {
            const set = row.map((value, at): Assignment => ({ column: columns[at] ?? '', value }))
            return compose`SELECT ${casts(set.filter(({ value }) => value.sql.includes('$') || row.length === 1))}`
          })
        : [selected((source as { select: Piece }).select, columns, schema)]
      if (conflict?.does.kind !== 'update') return given
      const inBoth = new Set(schema.fields.map((field) => field.name.toLowerCase()))
      const meant = (piece: Piece) => qualified(piece, inBoth, name)
      const { set, where } = conflict.does
      return [
        ...given,
        compose`SELECT ${casts(set, meant)} FROM ${from}, ${table} AS ${excluded} WHERE ${where ? meant(where) : 'true'}`,
      ]
    }
    case 'update': {
      const beside = statement.from ? compose`, ${statement.from}` : ''
      return [compose`SELECT ${casts(statement.set)} FROM ${from}${beside} WHERE ${statement.where ?? 'true'}`]
    }
    case 'delete': {
      const beside = statement.using ? compose`, ${statement.using}` : ''
      return [compose`SELECT 1 FROM ${from}${beside} WHERE ${statement.where ?? 'true'}`]
    }
    case 'merge': {
      const { source, on, clauses } = statement
      const values = clauses.flatMap(({ and, action }) => {
        const set =
          action.kind === 'update' && typeof action.set !== 'string'
            ? action.set
            : action.kind === 'insert'
              ? action.values.map((value, at): Assignment => ({
                  column: action.columns?.[at] ?? schema.fields[at]?.name ?? '',
                  value,
                }))
              : []
        return [...(and ? [compose`(${and})`] : []), ...set.map((one) => cast(one.value, one, schema))]
      })
      const condition = Array.isArray(on) ? 'true' : compose`(${on})`
      return [
        compose`SELECT ${Composed.join([...values, '1'], ', ')} FROM ${from} JOIN ${source.from} AS ${sourceAlias(source)} ON ${condition}`,
      ]
    }
  }
}

function cast(
  value: Piece | Composed,
  { column, inside, item }: Pick<Assignment, 'column' | 'inside' | 'item'>,
  { fields }: Schema,
): Composed | string {
  const field = inside ? undefined : fields.find((one) => one.name.toLowerCase() === column.toLowerCase())
  if (isDefault(value)) return 'NULL'
  if (item && field?.type.kind === 'list')
    return compose`CAST((${value}) AS ${sqlType(field.type.element)}), CAST((${item}) AS BIGINT)`
  if (!field) return compose`(${value})`
  const { type } = field
  const typed = type.kind === 'list' && 'start' in value ? ofLists(value, sqlType(type), sqlType(type.element)) : value
  return compose`CAST((${typed}) AS ${toldType(field)})`
}

/** `tags || $1`, `array_append(tags, $1)`: of parameters there DuckDB says nothing. */
function ofLists({ sql, start }: Piece, list: string, item: string): Composed {
  const all = [...tokens(sql)]
  const text = (at: number) => all[at]?.text.toLowerCase() ?? ''
  const typeAt = (at: number): string | undefined => {
    if (text(at - 1) === '||' || text(at + 2) === '||') return list
    const isLast = text(at + 2) === ')'
    const call = text(at - 1) === '(' ? text(at - 2) : isLast && text(at - 1) === ',' ? text(at - 4) : ''
    if (call === 'array_cat') return list
    const ofItem = text(at - 1) === '(' ? call === 'array_prepend' : /^array_(append|remove)$/.test(call)
    return ofItem ? item : undefined
  }
  const parts: (Composed | string)[] = []
  let from = 0
  all.forEach((token, at) => {
    const wanted = token.text === '$' && text(at + 2) !== '::' ? typeAt(at) : undefined
    if (wanted === undefined) return
    const end = all[at + 1]!.end
    parts.push(
      compose`${{ sql: sql.slice(from, token.start), start: start + from }}`,
      `CAST(${sql.slice(token.start, end)} AS ${wanted})`,
    )
    from = end
  })
  return Composed.join([...parts, compose`${{ sql: sql.slice(from), start: start + from }}`], '')
}

/** Clients write JSON otherwise than text, and look whether a number is too large, where they are told to. */
const toldType = ({ type, declared = '' }: WrittenField): string =>
  declared.startsWith('JSON') ? 'JSON' : declared === 'SMALLINT' || declared === 'INTERVAL' ? declared : sqlType(type)

/** A SELECT whose columns that are a parameter alone are cast to those of the table. */
function selected(select: Piece, columns: readonly string[], schema: Schema): Composed {
  const reader = new Reader(select.sql)
  if (!reader.take('select')) return compose`SELECT * FROM (${select}) AS given`
  const items: (Composed | string)[] = []
  do {
    const { sql, start } = reader.until('a column', [','], ['from'], ['where'], ['union'], ['order'], ['limit'])
    const item = { sql, start: select.start + start }
    items.push(/^\$\d+$/.test(sql) ? cast(item, { column: columns[items.length] ?? '' }, schema) : compose`${item}`)
  } while (reader.takeSymbol(','))
  const rest = reader.isAtEnd() ? '' : { sql: select.sql.slice(reader.at()), start: select.start + reader.at() }
  return compose`SELECT ${Composed.join(items, ', ')} ${rest}`
}

/** The rows of VALUES; undefined for another SELECT. */
export function writtenRows({ sql, start }: Piece): Piece[][] | undefined {
  const reader = new Reader(sql)
  const rows = valueRows(reader)
  if (!reader.isAtEnd()) return undefined
  return rows?.map((row) => row.map((value) => ({ ...value, start: start + value.start })))
}
