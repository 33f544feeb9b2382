// What the editor knows of SQL: the words of DuckDB's dialect and the names of this lakehouse.

import { syntaxTree } from '@codemirror/language'
import { sql, SQLDialect, type SQLNamespace } from '@codemirror/lang-sql'
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete'
import type { Extension } from '@codemirror/state'
import type { Catalog } from '../../../src/contract/index.ts'

const dialect = SQLDialect.define({
  keywords:
    'all and anti any array as asc asof at between by case collate columns copy create cross cube current_date current_timestamp delete desc describe distinct drop else end except exclude exists explain false filter first following from full group grouping having ilike in inner insert intersect interval into is join last lateral left like limit natural not null nulls offset on or order outer over partition pivot positional preceding qualify range recursive replace right rollup row rows sample schema select semi set sets show similar summarize table then timestamp true truncate unbounded union unpivot update using values version view when where window with within',
  types:
    'bigint bit blob boolean date datetime decimal double float hugeint int integer json list map numeric real smallint struct text time timestamptz tinyint ubigint uinteger uuid varchar',
  doubleQuotedStrings: false,
  charSetCasts: false,
  operatorChars: '*+-%<>!=&|~^/:@',
  identifierQuotes: '"',
})

export function language(catalog: Catalog | undefined): Extension {
  const schema: SQLNamespace = Object.fromEntries(
    (catalog?.namespaces ?? []).map(({ name, tables }) => [
      name,
      Object.fromEntries(tables.map((table) => [table.name, table.columns.map((column) => column.name)])),
    ]),
  )
  const support = sql({ dialect, schema })
  return [support, ...(catalog ? [support.language.data.of({ autocomplete: namesOf(catalog) })] : [])]
}

/** Columns of the tables that the text names, plain table names, functions. */
const namesOf = (catalog: Catalog) => {
  const tables = catalog.namespaces.flatMap(({ tables }) => tables)
  const functions: Completion[] = catalog.functions.map((label) => ({
    label,
    type: 'function',
    detail: 'function',
    apply: `${label}(`,
    boost: -2,
  }))
  const plain: Completion[] = tables.map(({ namespace, name, kind }) => ({
    label: `${namespace}.${name}`,
    type: 'type',
    detail: kind,
    boost: 1,
  }))
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/[\p{L}\p{N}_]+/u)
    const before = context.state.sliceDoc(0, word?.from ?? context.pos)
    if ((!word && !context.explicit) || before.endsWith('.')) return null
    if (/String|Comment/.test(syntaxTree(context.state).resolveInner(context.pos, -1).name)) return null
    const text = context.state.doc.toString()
    const columns = new Map<string, Completion>()
    for (const table of tables)
      if (new RegExp(`\\b${table.name.replace(/[^\w]/g, '.')}\\b`, 'i').test(text))
        for (const { name, type } of table.columns)
          columns.set(name, { label: name, type: 'property', detail: type.toLowerCase(), boost: 3 })
    return {
      from: word?.from ?? context.pos,
      options: [...columns.values(), ...plain, ...functions],
      validFor: /^[\p{L}\p{N}_.]*$/u,
    }
  }
}
