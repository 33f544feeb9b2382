// What somebody sees of a table, written as the SELECT that it amounts to: for people who check rights, not for running.

import { showName, type Loaded } from '../../catalog/index.ts'
import type { Decision, Subject } from '../../govern/index.ts'
import { schemaOfLoaded } from '../relations/information.ts'
import { fieldsOf, maskOf } from './guard.ts'
import { withAsker } from './policy-sql.ts'
import { quoteName } from '../sql/tokens.ts'

/** @throws SQL_INVALID for a row filter or mask that is no expression */
export function sampleSql({ columns, filters, masks }: Decision, loaded: Loaded, asker: Subject): string {
  const shown = fieldsOf(loaded, schemaOfLoaded(loaded)).filter(
    ({ names }) => columns === 'all' || names.some((name) => columns.has(name)),
  )
  const outputs = shown.map(({ field: { name }, pastNames }) => {
    const mask = maskOf(masks, pastNames)
    return mask === undefined ? quoteName(name) : `${withAsker(mask, asker)} AS ${quoteName(name)}`
  })
  const where = filters.map((text) => `(${withAsker(text, asker)})`).join('\n  AND ')
  return `SELECT ${outputs.join(', ')}\nFROM ${showName(loaded.name)}${where === '' ? '' : `\nWHERE ${where}`}`
}
