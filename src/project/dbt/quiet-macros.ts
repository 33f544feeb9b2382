// Which macros of generic tests can be left uncalled while a project is parsed: those that neither `ref` nor `source` nor
// `config` anything nor fail, nor call a macro that does. Most are so, and what is not called costs nothing.

import { Failure } from '../../base/failure.ts'
import { leavesNoTrace, type FoundCall, type Sure } from '../../jinja/index.ts'
import { builtinPackage, type MacroTable } from './macros.ts'
import type { DbtMacro } from './types.ts'
import type { VarScopes } from './vars.ts'

const traces: ReadonlySet<string> = new Set(['ref', 'source', 'config', 'metric'])
/** Functions that are given text and do what it says, those that fail while parsing, and those that others can tell. */
const loud = new Set(['render', 'config.set', 'env_var', 'context.update', 'context.setdefault', 'context.pop'])

export class QuietMacros {
  readonly #macros: MacroTable
  readonly #known = new Map<DbtMacro, boolean>()

  readonly #templatedVars: ReadonlySet<string>

  /** `templatedVars`: variables that may be a `ref` or a `source`. */
  constructor(macros: MacroTable, templatedVars: ReadonlySet<string>) {
    this.#macros = macros
    this.#templatedVars = templatedVars
  }

  /** Whether what such a text asks for is there, and what it is everywhere: no `ref` in a variable, no macro of the project's own. */
  knows(from: string, { vars, needed, macros }: Sure, scopes: VarScopes): boolean {
    const found = (name: string) =>
      name.startsWith('dbt.') ? this.#macros.dispatches(from, name.slice('dbt.'.length)) : this.#macros.find(from, name)
    return (
      !vars.some((name) => this.#templatedVars.has(name)) &&
      needed.every((name) => scopes.some((scope) => Object.hasOwn(scope, name))) &&
      macros.every((name) => found(name)?.package === builtinPackage)
    )
  }

  /** Of a call in a text of package `from`; the name is dotted as written. */
  isHarmless(from: string, name: string, literal: FoundCall['literal']): boolean {
    if (loud.has(name) || name.startsWith('exceptions.')) return false
    if (name === 'var') {
      const asked = literal?.args[0] ?? literal?.kwargs['var_name']
      return typeof asked === 'string' ? !this.#templatedVars.has(asked) : this.#templatedVars.size === 0
    }
    if (name === 'adapter.dispatch') return this.#isDispatchHarmless(from, literal)
    const [first, second] = name.split('.')
    const macro = second === undefined ? this.#macros.find(from, name) : this.#macros.in(first!, second)
    // What is no macro is a function of the context, a parameter or a value: it knows no `ref` of its own.
    return macro ? this.isQuiet(macro) : true
  }

  isQuiet(macro: DbtMacro): boolean {
    const known = this.#known.get(macro)
    if (known !== undefined) return known
    // Macros that call each other are quiet if nothing else they call is loud.
    this.#known.set(macro, true)
    const isQuiet = leavesNoTrace(macro.traces, traces, (name, literal) =>
      this.isHarmless(macro.package, name, literal),
    )
    this.#known.set(macro, isQuiet)
    return isQuiet
  }

  #isDispatchHarmless(from: string, literal: FoundCall['literal']): boolean {
    const name = literal?.args[0] ?? literal?.kwargs['macro_name']
    const namespace = literal?.args[1] ?? literal?.kwargs['macro_namespace'] ?? null
    if (typeof name !== 'string' || (namespace !== null && typeof namespace !== 'string')) return false
    try {
      return this.isQuiet(this.#macros.dispatch(from, name, namespace))
    } catch (error) {
      // Nothing there for this database: said when SQL is made.
      if (error instanceof Failure) return true
      throw error
    }
  }
}
