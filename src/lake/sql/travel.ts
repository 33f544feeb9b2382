// Time travel as Spark and Trino spell it, put into DuckDB's words before its parser sees the text:
//   FROM t FOR VERSION AS OF 3                  → FROM t AT (VERSION => 3)
//   FROM t FOR SYSTEM_TIME AS OF '2024-01-01'   → FROM t AT (TIMESTAMP => '2024-01-01')
// and what came and went between two snapshots, as Databricks and Trino spell it:
//   FROM table_changes('raw.t', 3, 5)           → FROM "raw"."t$changes" AT (VERSION => (3)::VARCHAR || '..' || (5)::VARCHAR)
//   FROM catalog.ns.t.snapshots                 → FROM catalog.ns."t$snapshots", which DuckDB takes for too many names else
//   FROM TABLE(system.table_changes(schema_name => 'raw', table_name => 't', start_snapshot_id => 3, end_snapshot_id => 5))

import { metadataTableName } from '../../iceberg/index.ts'
import { refNamed } from '../names.ts'
import { splice, type Edit, type Spliced } from './splice.ts'
import { closing, cutAtCommas, nameOf, quoteName, quoteText, tokens, type Token } from './tokens.ts'

const units: Record<string, 'VERSION' | 'TIMESTAMP'> = {
  version: 'VERSION',
  system_version: 'VERSION',
  timestamp: 'TIMESTAMP',
  system_time: 'TIMESTAMP',
}

/** Words that are no alias. */
const following = new Set(
  `where join on using group order limit having union intersect except inner left right full cross natural semi anti asof
  positional window qualify tablesample offset fetch for when set select lateral returning values pivot unpivot at`.split(
    /\s+/,
  ),
)

const travels = /\bas\s+of\b|\btable_changes\b|\bat\s*\(\s*(?:version|timestamp)\b/i
const fourNames = /(?:\.\s*(?:\w+|"[^"]*"|`[^`]*`)\s*){3}/

/** The text in DuckDB's words; `origin` leads from its indices to those of `sql`. */
export function travelInDuckDb(sql: string): Spliced {
  if (!travels.test(sql) && !fourNames.test(sql)) return { text: sql, origin: (index) => index }
  const all = [...tokens(sql)]
  const word = (at: number) => (all[at]?.kind === 'word' ? all[at].text.toLowerCase() : '')
  /** DuckDB has the alias before the clause, the others behind it. */
  const aliasBehind = (last: number) => {
    const aliasAt = word(last + 1) === 'as' ? last + 2 : last + 1
    const token = all[aliasAt]
    const isAlias = token?.kind === 'quoted' || (token?.kind === 'word' && !following.has(word(aliasAt)))
    return { alias: isAlias ? `AS ${token.text} ` : '', end: isAlias ? token.end : all[last]!.end }
  }
  const edits: Edit[] = []
  for (let at = 0; at < all.length; at++) {
    const changes = word(at) === 'table_changes' ? changesAt(sql, all, at) : undefined
    if (changes) {
      const { alias, end } = aliasBehind(changes.last)
      edits.push({ start: all[changes.first]!.start, end, text: `${changes.table} ${alias}${changes.range}` })
      at = changes.last
      continue
    }
    if (word(at) === 'from' || word(at) === 'join') {
      const last = at + 7
      const [table, behind] = [all[last - 2], all[last]]
      const isFour = [2, 4, 6].every((dot) => all[at + dot]?.text === '.') && all[last + 1]?.text !== '.'
      if (isFour && table && behind) {
        const about = nameOf(behind)
        const { alias, end } = aliasBehind(last)
        const version = versionNamed(about)
        if (version !== undefined) edits.push({ start: table.end, end, text: ` ${alias}AT (VERSION => ${version})` })
        else if (metadataTableName(about) || about.toLowerCase() === 'changes')
          edits.push({ start: table.start, end: behind.end, text: quoteName(`${nameOf(table)}$${about}`) })
      }
    }
    if (word(at) === 'at' && all[at + 1]?.text === '(' && all[at + 3]?.text === '=>') {
      const close = closing(all, at + 1)
      const { alias, end } = aliasBehind(close)
      if (alias) {
        edits.push({ start: all[at]!.start, end: all[at]!.start, text: alias })
        edits.push({ start: all[close]!.end, end, text: '' })
      }
      at = close
      continue
    }
    const hasFor = word(at) === 'for'
    const unitAt = hasFor ? at + 1 : at
    const unit = Object.hasOwn(units, word(unitAt)) ? units[word(unitAt)] : undefined
    if (!unit || word(unitAt + 1) !== 'as' || word(unitAt + 2) !== 'of') continue
    const first = unitAt + 3
    const last = valueEnd(all, first)
    if (last < first) continue
    const { alias, end } = aliasBehind(last)
    edits.push({ start: all[at]!.start, end: all[first]!.start, text: `${alias}AT (${unit} => ` })
    edits.push({ start: all[last]!.end, end, text: ')' })
    at = last
  }
  return splice(sql, edits)
}

/** What AT (VERSION => …) takes of `branch_audit`, `tag_v1` or `snapshot_id_3`. */
function versionNamed(name: string): string | undefined {
  const named = refNamed(name)
  if (named && 'ref' in named) return quoteText(named.ref)
  return named && 'snapshotId' in named ? String(named.snapshotId) : undefined
}

/** The last token of a value: operands with signs between them. */
function valueEnd(all: readonly Token[], first: number): number {
  let last = operandEnd(all, first)
  while (last >= first && ['+', '-'].includes(all[last + 1]?.text ?? '')) {
    const next = operandEnd(all, last + 2)
    if (next < last + 2) break
    last = next
  }
  return last
}

const isUnit = (word: string): boolean => /^(?:second|minute|hour|day|week|month|year)s?$/.test(word)

/** `'x'`, `3`, `TIMESTAMP 'x'`, `INTERVAL 1 DAY`, `f(…)`, `(…)`, each with casts behind it. */
function operandEnd(all: readonly Token[], first: number): number {
  let last = first
  if (all[last]?.text === '-') last++
  const token = all[last]
  if (!token) return first - 1
  const isInterval = token.kind === 'word' && token.text.toLowerCase() === 'interval'
  if (isInterval && ['string', 'number'].includes(all[last + 1]?.kind ?? '')) {
    last++
    if (isUnit(all[last + 1]?.text.toLowerCase() ?? '')) last++
  } else if (token.kind === 'word' && all[last + 1]?.kind === 'string') last++
  else if (token.kind === 'word' && all[last + 1]?.text === '(') last = closing(all, last + 1)
  else if (token.text === '(') last = closing(all, last)
  while (all[last + 1]?.text === '::' && all[last + 2]?.kind === 'word') last += 2
  return last
}

/** `table_changes(…)` at this token, with TABLE around it or not; undefined where it is no call of that kind. */
function changesAt(sql: string, all: readonly Token[], at: number) {
  if (all[at + 1]?.text !== '(') return undefined
  const close = closing(all, at + 1)
  if (all[close]!.text !== ')') return undefined
  // Trino has it as TABLE(system.table_changes(…)), with its catalog before that or not.
  let first = at
  while (first > 1 && all[first - 1]!.text === '.') first -= 2
  const isWrapped =
    all[first - 1]?.text === '(' && all[first - 2]?.text.toLowerCase() === 'table' && all[close + 1]?.text === ')'
  const given = new Map<string, Token[]>()
  const parts = cutAtCommas(all.slice(at + 2, close))
  const isApart =
    isWrapped && parts.length > 1 && !/[.]/.test(parts[0]![0]?.text ?? '') && parts[1]![0]?.kind === 'string'
  const order = [...(isApart ? ['schema_name'] : []), 'table_name', 'start_snapshot_id', 'end_snapshot_id']
  for (const [index, part] of parts.entries()) {
    const isNamed = part[1]?.text === '=>'
    const name = isNamed ? part[0]!.text.toLowerCase() : (order[index] ?? '')
    given.set(name, isNamed ? part.slice(2) : part)
  }
  const textOf = (name: string) => {
    const [only, ...more] = given.get(name) ?? []
    return only?.kind === 'string' && more.length === 0 && only.text.startsWith("'")
      ? only.text.slice(1, -1).replaceAll("''", "'")
      : undefined
  }
  const [schema, table] = [textOf('schema_name'), textOf('table_name')]
  if (table === undefined) return undefined
  const names = schema === undefined ? namesIn(table) : [schema, table]
  const [from, to] = ['start_snapshot_id', 'end_snapshot_id'].map((name) => {
    const value = given.get(name)
    return value?.length ? `(${sql.slice(value[0]!.start, value.at(-1)!.end)})::VARCHAR` : `''`
  })
  return {
    first: isWrapped ? first - 2 : first,
    last: isWrapped ? close + 1 : close,
    table: names.map((name, index) => quoteName(index === names.length - 1 ? `${name}$changes` : name)).join('.'),
    range: `AT (VERSION => ${from} || '..' || ${to})`,
  }
}

/** The parts of `raw.t` or `"raw"."t"`. */
const namesIn = (text: string): string[] => [...tokens(text)].filter(({ text }) => text !== '.').map(nameOf)
