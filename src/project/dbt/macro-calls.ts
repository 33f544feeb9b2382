// Which macros call which, by what their texts say.

import { Failure } from '../../base/failure.ts'
import type { Traces } from '../../jinja/index.ts'
import { builtins, MacroTable } from './macros.ts'
import type { DbtMacro, DbtProject } from './types.ts'

/**
 * Whether one of the macros, or what they call, calls this one. Calls by a name that is only known when it is rendered are
 * not seen, and branches that are not taken are: a guess to prepare by, nothing to decide by.
 */
export function mayCall(project: DbtProject, macros: Iterable<string>, wanted: string): boolean {
  const table = new MacroTable(project)
  const byId = new Map([...builtins(), ...project.macros].map((macro) => [macro.uniqueId, macro]))
  const seen = new Set(macros)
  for (const id of seen) {
    if (id === wanted) return true
    const macro = byId.get(id)
    for (const called of macro ? macrosCalledBy(macro, table) : []) seen.add(called)
  }
  return false
}

/** Macros that its text calls; `adapter.dispatch` calls what it finds. */
export function macrosCalledBy(macro: DbtMacro, table: MacroTable): string[] {
  const found = new Set<string>()
  for (const { name, literal } of macro.traces.calls) {
    const to = name === 'adapter.dispatch' ? dispatchedBy(literal, macro, table) : macroNamed(name, macro, table)
    if (to && to !== macro) found.add(to.uniqueId)
  }
  return [...found]
}

function macroNamed(name: string, { package: from }: DbtMacro, table: MacroTable): DbtMacro | undefined {
  const [first, second] = name.split('.')
  return second === undefined ? table.find(from, name) : table.in(first!, second)
}

function dispatchedBy(
  literal: Traces['calls'][number]['literal'],
  { package: from }: DbtMacro,
  table: MacroTable,
): DbtMacro | undefined {
  if (!literal) return undefined
  const name = literal.args[0] ?? literal.kwargs['macro_name']
  const namespace = literal.args[1] ?? literal.kwargs['macro_namespace'] ?? null
  try {
    return table.dispatch(from, String(name), namespace === null ? null : String(namespace))
  } catch (error) {
    // Nothing there for this database: it is said when the macro is called.
    if (error instanceof Failure) return undefined
    throw error
  }
}
