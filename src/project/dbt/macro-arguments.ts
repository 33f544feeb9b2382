// What YAML says about the arguments of a macro, against the macro itself.

import type { Patch } from './properties.ts'
import type { Reading } from './reading.ts'
import type { DbtMacro } from './types.ts'

const event = { name: 'InvalidMacroAnnotation', code: 'I076' }

/** Warns of other names, another number and unknown types. */
export function checkArguments(reading: Reading, { macroName, parameters }: DbtMacro, patch: Patch): void {
  const told = patch.arguments
  if (told.length === 0) return
  const warn = (message: string) => reading.warn(message, patch.place, event)
  told.slice(0, parameters.length).forEach(({ name }, index) => {
    if (name !== parameters[index])
      warn(`Argument ${String(name)} in yaml for macro ${macroName} does not match the jinja definition.`)
  })
  if (told.length !== parameters.length)
    warn(`The number of arguments in the yaml for macro ${macroName} does not match the jinja definition.`)
  for (const { name, type } of told)
    if (typeof type === 'string' && type.trim() !== '' && !isType(type))
      warn(`Argument ${String(name)} in the yaml for macro ${macroName} has an invalid type.`)
}

/** How many types stand in brackets behind each. */
const types: Readonly<Record<string, number>> = {
  str: 0,
  string: 0,
  bool: 0,
  int: 0,
  integer: 0,
  float: 0,
  any: 0,
  list: 1,
  dict: 2,
  optional: 1,
  relation: 0,
  column: 0,
}

/** `list[dict[str, int]]`. */
const isType = (text: string): boolean => afterType(text.replace(/[ \t]/g, '')) === ''

/** What stands behind the type at the beginning; undefined where none is. */
function afterType(text: string): string | undefined {
  const name = /^[a-z]+/.exec(text)?.[0] ?? ''
  if (!Object.hasOwn(types, name)) return undefined
  const count = types[name]!
  let rest: string | undefined = text.slice(name.length)
  for (let index = 0; index < count; index++) {
    if (!rest?.startsWith(index === 0 ? '[' : ',')) return undefined
    rest = afterType(rest.slice(1))
  }
  if (count === 0) return rest
  return rest?.startsWith(']') ? rest.slice(1) : undefined
}
