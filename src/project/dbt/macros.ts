// Who finds which macro: a node sees its package's macros, then the project's, then dbt's own by bare name, and
// every package's as `package.macro`. `adapter.dispatch` searches packages in order, and in each one the adapter's
// spelling before the default.

import { assert } from '../../base/assert.ts'
import { Failure } from '../../base/failure.ts'
import { didYouMean } from '../../base/suggest.ts'
import {
  compileMacros,
  findMacros,
  HostObject,
  type Callable,
  type MacroBlock,
  type Rendering,
  type Template,
} from '../../jinja/index.ts'
import { builtinFound } from './builtin-found.ts'
import { builtinMacros } from './builtin-macros.ts'
import { ParseCache } from './parse-cache.ts'
import type { Session } from './session.ts'
import type { DbtMacro, DbtProject } from './types.ts'

export const builtinPackage = 'dbt'
const builtinFile = 'dbt'
const prefixes = ['duckdb', 'default']

let parsedBuiltins: DbtMacro[] | undefined

/** dbt's own macros, parsed once. */
export function builtins(cache?: ParseCache): DbtMacro[] {
  if (!parsedBuiltins) {
    const found = builtinFound ?? macrosIn(builtinMacros, builtinFile, cache)
    assert(found.failures.length === 0, `the macros of dbt are templates: ${found.failures[0]?.message}`)
    parsedBuiltins = ofPackage(builtinPackage, found.macros)
  }
  return parsedBuiltins
}

/** What `builtin-found.ts` has in the built program. */
export const findBuiltins = () => findMacros(builtinMacros, builtinFile)

/** The macros of one file. */
export function macrosOf(
  packageName: string,
  text: string,
  file: string,
  cache?: ParseCache,
): { macros: DbtMacro[]; failures: Failure[] } {
  const { macros, failures } = macrosIn(text, file, cache)
  return { macros: ofPackage(packageName, macros), failures }
}

const macrosIn = (text: string, file: string, cache = new ParseCache()): ReturnType<typeof findMacros> =>
  cache.of('macros', [file], text, () => findMacros(text, file))

const ofPackage = (name: string, blocks: readonly MacroBlock[]): DbtMacro[] =>
  blocks.map((block) => ({
    ...block,
    package: name,
    uniqueId: `macro.${name}.${block.macroName}`,
    description: '',
  }))

/** The languages of models that a materialization is for. */
export function languagesOf({ header }: DbtMacro): string[] {
  const [, listed] = /\bsupported_languages\s*=\s*\[([^\]]*)\]/.exec(header) ?? []
  return listed === undefined ? ['sql'] : Array.from(listed.matchAll(/['"]([^'"]*)['"]/g), ([, name]) => name!)
}

/** The macros of a project by package and name. */
export class MacroTable {
  readonly #packages = new Map<string, Map<string, DbtMacro>>()
  readonly #project: Pick<DbtProject, 'name' | 'packages'>
  readonly #missing = new Map<string, string>()

  constructor(project: Pick<DbtProject, 'name' | 'packages' | 'macros'>) {
    this.#project = project
    for (const macro of [...builtins(), ...project.macros]) {
      const names = this.#packages.get(macro.package) ?? new Map<string, DbtMacro>()
      // A later one of the same package is an error that parsing has reported already.
      if (!names.has(macro.macroName)) names.set(macro.macroName, macro)
      this.#packages.set(macro.package, names)
    }
  }

  in(packageName: string, name: string): DbtMacro | undefined {
    return this.#packages.get(packageName)?.get(name)
  }

  /** What is said of a macro that a package has not; found out once, since templates may ask whether it is there. */
  missing(packageName: string, name: string): string {
    const known = this.#missing.get(`${packageName}.${name}`)
    if (known !== undefined) return known
    const meant = didYouMean(name, this.#packages.get(packageName)?.keys() ?? [], 0)
    const said = `the package "${packageName}" has no macro '${name}'${meant}`
    this.#missing.set(`${packageName}.${name}`, said)
    return said
  }

  hasPackage(name: string): boolean {
    return this.#packages.has(name)
  }

  /** By bare name, for a node of `packageName`. */
  find(packageName: string, name: string): DbtMacro | undefined {
    return this.in(packageName, name) ?? this.in(this.#project.name, name) ?? this.in(builtinPackage, name)
  }

  /** By bare name, where nothing is a package's own: the project before its packages, those before dbt. */
  findAnywhere(name: string): DbtMacro | undefined {
    const { name: root, packages } = this.#project
    const found = [root, ...packages.keys()].flatMap((each) => this.in(each, name) ?? [])[0]
    return found ?? this.in(builtinPackage, name)
  }

  /** By bare name, in any package where a package has none of its own: the project before the others, the last of these first. */
  named(packageName: string, name: string): DbtMacro | undefined {
    const { name: root, packages } = this.#project
    const order = [packageName, root, ...[...packages.keys()].reverse(), builtinPackage]
    return order.flatMap((each) => this.in(each, name) ?? [])[0]
  }

  /** What `adapter.dispatch(name, namespace)` means in a node of `packageName`. */
  dispatch(packageName: string, name: string, namespace: string | null): DbtMacro {
    if (name.includes('.')) {
      const [first, ...rest] = name.split('.')
      throw new Failure(
        'TEMPLATE_FAILED',
        `adapter.dispatch: "${name}" is no macro name; did you mean adapter.dispatch('${rest.join('.')}', '${first}')?`,
      )
    }
    const attempts: string[] = []
    for (const searched of this.#searchOrder(namespace)) {
      for (const prefix of prefixes) {
        const candidate = `${prefix}__${name}`
        attempts.push(searched === undefined ? candidate : `${searched}.${candidate}`)
        const macro = searched === undefined ? this.find(packageName, candidate) : this.in(searched, candidate)
        if (macro) return macro
      }
    }
    // dbt also sees what the macros of a test call, in whichever package those are.
    for (const prefix of namespace === null ? prefixes : [])
      for (const other of this.#project.packages.keys()) {
        const macro = this.in(other, `${prefix}__${name}`)
        if (macro) return macro
      }
    throw new Failure(
      'TEMPLATE_FAILED',
      `In dispatch: No macro named '${name}' found within namespace: '${namespace ?? 'None'}'; searched for ${attempts.join(', ')}`,
    )
  }

  /** Who has put a macro in the place of dbt's, by its name or by one that its dispatch finds: the project before packages. */
  replaced(name: string): DbtMacro | undefined {
    const { name: root, packages } = this.#project
    for (const from of [root, ...packages.keys()])
      for (const each of [name, ...prefixes.map((prefix) => `${prefix}__${name}`)]) {
        const found = this.in(from, each)
        if (found && (each === name || from === root)) return found
      }
    return undefined
  }

  /** What dispatching one of dbt's own names finds; undefined where it is no dispatcher's. */
  dispatches(packageName: string, name: string): DbtMacro | undefined {
    for (const searched of this.#searchOrder(builtinPackage))
      for (const prefix of prefixes) {
        const candidate = `${prefix}__${name}`
        const macro = searched === undefined ? this.find(packageName, candidate) : this.in(searched, candidate)
        if (macro) return macro
      }
    return undefined
  }

  #searchOrder(namespace: string | null): (string | undefined)[] {
    if (namespace === null) return [undefined]
    const configured = this.#project.packages
      .get(this.#project.name)
      ?.dispatch.find((each) => each.namespace === namespace)
    if (configured) return configured.order
    return this.#project.packages.has(namespace) || this.hasPackage(namespace)
      ? [this.#project.name, namespace]
      : [undefined]
  }

  /** The generic test `name` for a node of `packageName`. */
  test(packageName: string, namespace: string | undefined, name: string): DbtMacro | undefined {
    const macroName = `test_${name}`
    return namespace === undefined ? this.find(packageName, macroName) : this.in(namespace, macroName)
  }
}

/** `dbt_utils` in a template: its macros as attributes. */
export class PackageNamespace extends HostObject {
  override readonly typeName = 'dict'
  readonly #bound: BoundMacros
  readonly #package: string
  constructor(bound: BoundMacros, packageName: string) {
    super()
    this.#bound = bound
    this.#package = packageName
  }
  override attr(name: string): unknown {
    const macro = this.#bound.in(this.#package, name)
    if (macro) return macro
    // It is a dict: packages ask `context[project_name].get('macro')` for what may not be there.
    if (name === 'get') return (([key, fallback = null]) => this.item(key) ?? fallback) satisfies Callable
    return this.#bound.missing(this.#package, name)
  }
  override item(key: unknown): unknown {
    return typeof key === 'string' ? this.#bound.in(this.#package, key) : undefined
  }
  override contains(key: unknown): boolean {
    return this.item(key) !== undefined
  }
}

const templates = new WeakMap<DbtMacro, Template>()

function templateOf(macro: DbtMacro): Template {
  const known = templates.get(macro)
  if (known) return known
  const template = compileMacros(macro.text, macro.origin)
  templates.set(macro, template)
  return template
}

const anew =
  (macro: Callable): Callable =>
  (args, kwargs) =>
    macro(args, kwargs)

/** The macros of a project, callable in one rendering; each is compiled when it is first wanted. */
export class BoundMacros {
  readonly table: MacroTable
  readonly #rendering: Rendering
  readonly #package: string
  readonly #callables = new Map<DbtMacro, Callable>()
  readonly #namespaces = new Map<string, PackageNamespace>()

  readonly #called: Session['called']
  #depth = 0

  constructor(table: MacroTable, rendering: Rendering, packageName: string, called: Session['called']) {
    this.table = table
    this.#rendering = rendering
    this.#package = packageName
    this.#called = called
  }

  /** As in dbt each look into a package answers another one, so two answers are not equal. */
  in(packageName: string, name: string): Callable | undefined {
    const macro = this.table.in(packageName, name)
    return macro && anew(this.bind(macro))
  }

  /** What a template gets for a macro that a package has not. */
  missing(packageName: string, name: string): unknown {
    return this.#rendering.undefined(this.table.missing(packageName, name))
  }

  /** A macro, or the namespace of a package. */
  find(name: string): unknown {
    const macro = this.table.find(this.#package, name)
    if (macro) return this.bind(macro)
    if (!this.table.hasPackage(name)) return undefined
    const known = this.#namespaces.get(name)
    if (known) return known
    const namespace = new PackageNamespace(this, name)
    this.#namespaces.set(name, namespace)
    return namespace
  }

  /** A macro of the project, or of a package, that stands in for dbt's own of that name. */
  inPlaceOf(name: string): Callable | undefined {
    const macro = this.table.replaced(name)
    return macro && this.bind(macro)
  }

  dispatch(name: string, namespace: string | null): Callable {
    return anew(this.bind(this.table.dispatch(this.#package, name, namespace)))
  }

  bind(macro: DbtMacro): Callable {
    const known = this.#callables.get(macro)
    if (known) return known
    const run = templateOf(macro).macros(this.#rendering).get(macro.macroName)!
    const callable = this.#called ? this.#counted(macro, run) : run
    this.#callables.set(macro, callable)
    return callable
  }

  #counted(macro: DbtMacro, run: Callable): Callable {
    return (args, kwargs) => {
      if (this.#depth === 0) this.#called?.(macro)
      this.#depth++
      try {
        return run(args, kwargs)
      } finally {
        this.#depth--
      }
    }
  }
}
