// Which macros call which, by what their texts say.

import { Failure } from '../../base/failure.ts'
import type { Traces } from '../../jinja/index.ts'
import { builtins, MacroTable } from './macros.ts'
import type { Reading } from './reading.ts'
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

function dispatchedBy(literal: Literal, { package: from }: DbtMacro, table: MacroTable): DbtMacro | undefined {
  const asked = dispatchIn(literal)
  try {
    return asked && table.dispatch(from, asked.name, asked.namespace)
  } catch (error) {
    // Nothing there for this database: `checkDispatches` has said it, or it is said when the macro is called.
    if (error instanceof Failure) return undefined
    throw error
  }
}

type Literal = Traces['calls'][number]['literal']

/** `adapter.dispatch('name', 'namespace')`, where both stand there. */
function dispatchIn(literal: Literal): { name: string; namespace: string | null } | undefined {
  if (!literal) return undefined
  const name = literal.args[0] ?? literal.kwargs['macro_name']
  const namespace = literal.args[1] ?? literal.kwargs['macro_namespace'] ?? null
  return { name: String(name), namespace: namespace === null ? null : String(namespace) }
}

/**
 * A macro that dispatches to nothing is refused, as by dbt, be it called or not. What dbt itself may have is left to the call; so is
 * what is there for other databases where the profile is of one: there dbt would find it.
 */
export function checkDispatches({ project, macros: table, failures }: Reading): void {
  const isOfOther = project.target.type !== 'duckdb'
  for (const macro of project.macros)
    for (const { name: callee, literal } of macro.traces.calls) {
      const asked = callee === 'adapter.dispatch' ? dispatchIn(literal) : undefined
      if (!asked || asked.namespace === 'dbt') continue
      try {
        table.dispatch(macro.package, asked.name, asked.namespace)
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        const isSomewhere = project.macros.some(({ macroName }) => macroName.endsWith(`__${asked.name}`))
        if (isSomewhere ? isOfOther : asked.namespace === null) continue
        const { file = '', line = 1, column = 1 } = macro.origin
        failures.push(error.with({ place: { file, line, column } }))
      }
    }
}
