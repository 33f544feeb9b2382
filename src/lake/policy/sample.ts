// What somebody sees of a table, written as the SELECT that it amounts to: for people who check rights, not for running.

import type { Loaded } from '../../catalog/index.ts'
import type { Decision, Subject } from '../../govern/index.ts'
import { schemaOfLoaded } from '../relations/information.ts'
import { fieldsOf, maskOf } from './guard.ts'
import { withAsker } from './policy-sql.ts'
import { dottedNames, quoteName } from '../sql/tokens.ts'
import { sqlType } from '../types.ts'

/** @throws SQL_INVALID for a row filter or mask that is no expression */
export function sampleSql({ columns, filters, masks }: Decision, loaded: Loaded, asker: Subject): string {
  const shown = fieldsOf(loaded, schemaOfLoaded(loaded)).filter(
    ({ names }) => columns === 'all' || names.some((name) => columns.has(name)),
  )
  const outputs = shown.map(({ field: { name, type }, pastNames }) => {
    const mask = maskOf(masks, pastNames)
    if (mask === undefined) return quoteName(name)
    return `TRY_CAST(${written(mask, asker)} AS ${sqlType(type)}) AS ${quoteName(name)}`
  })
  const { catalog, namespace, name } = loaded.name
  const where = filters.map((text) => `(${written(text, asker)})`).join('\n  AND ')
  return `SELECT ${outputs.join(', ')}\nFROM ${dottedNames(catalog, namespace, name)}${where === '' ? '' : `\nWHERE ${where}`}`
}

/** What stands behind it is no part of a comment that it ends in. */
const written = (text: string, asker: Subject): string =>
  text.includes('--') ? `${withAsker(text, asker)}\n` : withAsker(text, asker)
