// PostgreSQL's spelling of a statement into the engine's: edits of the text, token by token, so that a place in an error
// still leads back to what the client wrote.
//
// Each rule of `dialect/` looks at one token and what is around it. What belongs to the session (the user, the database, settings)
// is written as literals. Queries of the system catalog are edited further: OID aliases (`'raw.sales'::regclass`), functions
// that look something up there, and operators whose meaning differs.

import { splice, tokens, type Edit, type Spliced } from '../../lake/index.ts'
import {
  bitwiseXor,
  countOfNulls,
  codedCall,
  countOfRows,
  datedCall,
  digestCall,
  formatCall,
  objectOfLists,
  otherArguments,
  pathCall,
  renamedCall,
  timeField,
  truncated,
  variadicCall,
} from './dialect/calls.ts'
import {
  bitLiteral,
  byteLiteral,
  castBehind,
  castInCall,
  daysDivided,
  columnType,
  openTypes,
  precise,
  timestampLiteral,
  typedNumber,
  valueTypes,
} from './dialect/casts.ts'
import { columnOrder } from './dialect/catalog-order.ts'
import { catalogWordAt } from './dialect/catalog.ts'
import {
  jsonAggregate,
  timesOfJson,
  jsonChange,
  jsonCompared,
  jsonExists,
  jsonHolds,
  jsonJoined,
  jsonMinus,
  jsonObjects,
  jsonPath,
  jsonTaken,
} from './dialect/json.ts'
import {
  bareLists,
  boundList,
  castAgain,
  elementsColumn,
  comparedWithList,
  listsJoined,
  likeEach,
  listLiteral,
  numberedRows,
  rowCompared,
  rowFunctions,
  seriesColumn,
  seriesOfRows,
} from './dialect/lists.ts'
import { relationsOnce } from './dialect/oids.ts'
import { distinctOrders } from './dialect/distinct-order.ts'
import { jsonPathCall, jsonPathOperator } from './dialect/json-path-calls.ts'
import { recordColumns } from './dialect/json-rows.ts'
import { bareLabel } from './dialect/labels.ts'
import { keptName, smallName, valuesNames } from './dialect/names.ts'
import { patternEdits } from './dialect/engine-patterns.ts'
import { onlyTable, sampled, valuesAsTables } from './dialect/relations.ts'
import { collated, escapedLike, matched, matchRows } from './dialect/patterns.ts'
import { locking, sessionName, sessionTable } from './dialect/session.ts'
import { EditedSql, type SessionNames } from './dialect/sql.ts'
import { intervalFields, typedLiteral, zoneOffset } from './dialect/time-literals.ts'

const catalogTextMax = 50_000
const catalogWord =
  /^"?(pg_|information_schema\b|reg(class|type|proc|namespace|role)\b|to_reg(class|type|namespace|role|proc)\b|has_(table|schema|sequence|column|any_column)_privilege\b)/i

/** The text for the lake. `values`: bound parameters, put in first, as some of them are names of what is looked up. */
export function translate(sql: string, session: SessionNames, values: readonly Edit[] = []): Spliced {
  const given = splice(sql, values)
  const lists = splice(given.text, bareLists(given.text, session))
  const bound = { text: lists.text, origin: (index: number) => given.origin(lists.origin(index)) }
  const sorted = splice(bound.text, distinctOrders(bound.text, session))
  const patterned = splice(sorted.text, patternEdits(sorted.text))
  const { text, origin } = splice(patterned.text, editsOf(new EditedSql(patterned.text, session)))
  return { text, origin: (index) => bound.origin(sorted.origin(patterned.origin(origin(index)))) }
}

/** Whether a text asks for the system catalog. */
export const isCatalogQuery = (sql: string): boolean =>
  [...tokens(sql)].some(({ kind, text }) => kind !== 'string' && catalogWord.test(text))

function editsOf(sql: EditedSql): Edit[] {
  // No tool asks at such length, and what is looked for here is looked for again and again.
  const isCatalog = sql.text.length <= catalogTextMax && sql.words.some((word) => catalogWord.test(word))
  const definitionEnd = endOfDefinition(sql)
  const computed = behindUsing(sql, definitionEnd)
  // Their one column is called as their alias says, where nobody calls it by the name of the function.
  const series = new Set(rowFunctions)
  sql.words.forEach((word, at) => {
    if (sql.words[at + 1] !== '(') series.delete(word)
  })
  for (let at = 0; at < sql.tokens.length; at++) {
    const isDefinition = at < definitionEnd && !computed.has(at)
    if (sql.taken.has(at) || bareLabel(sql, at) || keptName(sql, at) || onlyTable(sql, at)) continue
    if (jsonPathOperator(sql, at)) continue
    sampled(sql, at)
    valuesNames(sql, at)
    castAgain(sql, at)
    jsonTaken(sql, at)
    jsonChange(sql, at)
    if (bitLiteral(sql, at) || typedLiteral(sql, at) || intervalFields(sql, at) || zoneOffset(sql, at)) continue
    if (collated(sql, at) || listLiteral(sql, at) || timestampLiteral(sql, at)) continue
    if (
      boundList(sql, at) ||
      jsonPath(sql, at) ||
      bitwiseXor(sql, at) ||
      jsonHolds(sql, at) ||
      (!isCatalog && (listsJoined(sql, at) || jsonJoined(sql, at) || jsonMinus(sql, at)))
    )
      continue
    if (sessionName(sql, at) || sessionTable(sql, at) || locking(sql, at)) continue
    if (recordColumns(sql, at) || matchRows(sql, at)) continue
    if (variadicCall(sql, at) || jsonObjects(sql, at) || objectOfLists(sql, at) || pathCall(sql, at)) continue
    renamedCall(sql, at)
    digestCall(sql, at)
    if (truncated(sql, at) || countOfRows(sql, at) || countOfNulls(sql, at)) continue
    if (datedCall(sql, at) || codedCall(sql, at) || timeField(sql, at) || jsonAggregate(sql, at)) continue
    if (!isCatalog && (formatCall(sql, at) || matched(sql, at) || jsonExists(sql, at))) continue
    if (!isCatalog && (otherArguments(sql, at) || precise(sql, at, isDefinition))) continue
    if (sql.words[at] === '(' && rowCompared(sql, at)) continue
    comparedWithList(sql, at)
    daysDivided(sql, at)
    if (/^i?like$/.test(sql.words[at]!)) {
      escapedLike(sql, at)
      likeEach(sql, at)
    }
    if (isDefinition && columnType(sql, at)) continue
    if (byteLiteral(sql, at)) continue
    if (isCatalog) catalogWordAt(sql, at)
    else if (sql.words[at] === 'as' && valueTypes[sql.words[at + 1] ?? ''] && sql.words[at + 2] === ')')
      sql.replace(at + 1, at + 1, valueTypes[sql.words[at + 1]!]!)
    else if (sql.words[at] === 'as' && openTypes.has(sql.words[at + 1] ?? '')) castInCall(sql, at)
    else if (openTypes.has(sql.words[at]!) && typedNumber(sql, at)) continue
    else if (seriesOfRows(sql, at)) continue
    else if (rowFunctions.has(sql.words[at]!) && sql.words[at + 1] === '(')
      seriesColumn(sql, at, series.has(sql.words[at]!))
    else if (elementsColumn(sql, at)) jsonPathCall(sql, at)
    else if (jsonPathCall(sql, at)) continue
    else if (sql.words[at] === '::' && !jsonCompared(sql, at)) castBehind(sql, at)
  }
  if (isCatalog) columnOrder(sql)
  if (isCatalog) relationsOnce(sql)
  for (let at = 0; at < sql.tokens.length; at++) timesOfJson(sql, at)
  // Around what became of a call.
  valuesAsTables(sql)
  for (let at = 0; at < sql.tokens.length; at++) numberedRows(sql, at)
  // Behind the others: what is put in place of a type goes before.
  const namesEnd = Math.max(definitionEnd, endOfName(sql))
  for (let at = 0; at < sql.tokens.length; at++) smallName(sql, at, at < namesEnd)
  return outermost(sql.edits)
}

/** Where the name of a view or schema ends that is made, or those of sequences. */
function endOfName({ words }: EditedSql): number {
  if (/^(create|alter|drop)$/.test(words[0] ?? '') && words[1] === 'sequence') return words.length
  if (words[0] !== 'create' || !words.slice(1, 5).some((word) => word === 'view' || word === 'schema')) return 0
  const as = words.indexOf('as')
  return as < 0 ? words.length : as
}

/** Where the types of columns end that a statement declares: at the SELECT of CREATE TABLE … AS. */
function endOfDefinition(sql: EditedSql): number {
  if (!/^(create|alter)$/.test(sql.words[0] ?? '') || !sql.words.slice(1, 5).includes('table')) return 0
  const as = sql.words.findIndex(
    (word, at) => word === 'as' && /^(select|with|from|values|table|\()$/.test(sql.words[at + 1] ?? ''),
  )
  // `GENERATED ALWAYS AS (…)` is a part of a column.
  return as < 0 || sql.words[as - 1] === 'always' ? sql.tokens.length : as
}

/** `ALTER COLUMN c TYPE int USING c::varchar(3)::int, …`: values among what is declared. */
function behindUsing({ words }: EditedSql, definitionEnd: number): ReadonlySet<number> {
  const found = new Set<number>()
  if (words[0] !== 'alter' || !words.includes('using')) return found
  let [depth, isInside] = [0, false]
  for (let at = 0; at < definitionEnd; at++) {
    if (words[at] === '(') depth++
    else if (words[at] === ')') depth--
    if (depth === 0) isInside = words[at] === 'using' || (isInside && words[at] !== ',')
    if (isInside) found.add(at)
  }
  return found
}

/** Without those that lie inside of one that replaces more. */
function outermost(edits: readonly Edit[]): Edit[] {
  const isInsert = ({ start, end }: Edit) => start === end
  const ordered = edits.toSorted(
    (a, b) => a.start - b.start || Number(isInsert(b)) - Number(isInsert(a)) || b.end - a.end,
  )
  let reach = -1
  return ordered.filter((one) => {
    if (one.start < reach && one.end <= reach) return false
    if (!isInsert(one)) reach = one.end
    return true
  })
}
