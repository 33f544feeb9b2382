// `var()`, `env_var()` and `target`: what every text of a project may ask for, YAML included.

import { isRecord } from '../../base/record.ts'
import { Failure } from '../../base/failure.ts'
import {
  bind,
  compileTemplate,
  Dict,
  fromJs,
  HostObject,
  str,
  toJs,
  type Callable,
  type Globals,
} from '../../jinja/index.ts'
import { didYouMean } from '../../base/suggest.ts'
import { PyDate } from './python/dates.ts'
import type { Config, DbtPackage, ProjectOptions } from './types.ts'

/** The values of `var` for a node of one package, strongest first. */
export type VarScopes = readonly Config[]

/** `--vars`, then the project's own for the package, the project's own, the package's own. */
export function varScopes(
  options: ProjectOptions,
  root: DbtPackage | undefined,
  own: DbtPackage | undefined,
): VarScopes {
  const scoped = (vars: Config, name: string): Config[] => {
    const mine = vars[name]
    return isRecord(mine) ? [mine, vars] : [vars]
  }
  return [
    options.vars,
    ...(root && own ? scoped(root.vars, own.name) : []),
    ...(own && own !== root ? scoped(own.vars, own.name) : []),
  ]
}

/** A variable's text may be a template itself: `{{ source('shop', 'orders') }}` is what packages let one replace. */
const isTemplate = (value: unknown): value is string => typeof value === 'string' && /\{[{%]/.test(value)

/** Names of all variables of a project whose text is a template. */
export function templatedVars(options: ProjectOptions, packages: Iterable<DbtPackage>): Set<string> {
  const found = new Set<string>()
  const visit = (vars: Config) => {
    for (const [name, value] of Object.entries(vars))
      if (isTemplate(value)) found.add(name)
      else if (isRecord(value)) visit(value)
  }
  for (const vars of [options.vars, ...Array.from(packages, (one) => one.vars)]) visit(vars)
  return found
}

/** Variables in variables; more is a circle. */
const depthMax = 50

class Var extends HostObject {
  override readonly typeName = 'Var'
  readonly #scopes: VarScopes
  readonly #globals: Globals
  readonly #mayMiss: boolean
  #depth = 0
  /** `globals`: the names that a variable's own template may use. */
  constructor(scopes: VarScopes, globals: Globals, mayMiss = false) {
    super()
    this.#scopes = scopes
    this.#globals = globals
    this.#mayMiss = mayMiss
  }
  override get callable(): boolean {
    return true
  }
  #find(name: string): unknown {
    return this.#scopes.find((scope) => Object.hasOwn(scope, name))?.[name]
  }
  #has(name: string): boolean {
    return this.#scopes.some((scope) => Object.hasOwn(scope, name))
  }
  override call(args: unknown[], kwargs: Record<string, unknown>): unknown {
    const [key, fallback] = bind('var', ['var_name', 'default?'], args, kwargs)
    const name = str(key)
    if (this.#has(name)) return this.#rendered(name, this.#find(name))
    if (fallback !== undefined) return fallback
    if (this.#mayMiss) return null
    const known = this.#scopes.flatMap((scope) => Object.keys(scope))
    throw new Failure('TEMPLATE_FAILED', `Required var '${name}' not found in config${didYouMean(name, known)}`, {
      hint: 'Give it under "vars" in dbt_project.yml or vars.yml, with --vars, or as a default: var("name", "value").',
    })
  }
  #rendered(name: string, value: unknown): unknown {
    if (!isTemplate(value)) return fromJs(value)
    if (this.#depth >= depthMax)
      throw new Failure('TEMPLATE_FAILED', `var "${name}" is made of variables that are made of it`)
    this.#depth++
    try {
      return compileTemplate(value).render(this.#globals, { lenient: this.#mayMiss })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      // The place is that of whoever asks for it: within the value there is none that anybody could find.
      const isTold = error.message.startsWith('var "')
      throw error.with({ message: isTold ? error.message : `var "${name}": ${error.message}`, place: undefined })
    } finally {
      this.#depth--
    }
  }
  override attr(name: string): unknown {
    return name === 'has_var' ? ((([key]) => this.#has(str(key))) satisfies Callable) : undefined
  }
}

/** A variable that only profiles and packages may read, so that secrets reach no SQL and no log. */
const secretPrefix = 'DBT_ENV_SECRET'

export function envVar(
  env: ProjectOptions['env'],
  { mayReadSecrets = false, onAsked }: { mayReadSecrets?: boolean; onAsked?: (name: string) => void } = {},
): Callable {
  return (args, kwargs) => {
    const [key, fallback] = bind('env_var', ['var', 'default?'], args, kwargs)
    const name = str(key)
    if (name.startsWith(secretPrefix) && !mayReadSecrets) {
      throw new Failure('TEMPLATE_FAILED', `the environment variable ${name} is secret and may not be read here`, {
        hint: 'Names with the prefix DBT_ENV_SECRET are for credentials only. Use another name for what may appear in SQL.',
      })
    }
    onAsked?.(name)
    const value = env[name]
    if (value !== undefined) return value
    if (fallback !== undefined) return fallback
    throw new Failure('TEMPLATE_FAILED', `the environment variable ${name} is not set and has no default`, {
      hint: `Set it, or give a default: env_var('${name}', 'value').`,
    })
  }
}

/** With dbt-duckdb's keys; what a profile says of connections, which may be secret, is not among them. */
export function targetDict({ target }: ProjectOptions): Dict {
  return Dict.of({
    name: target.name,
    target_name: target.name,
    profile_name: target.profile,
    type: 'duckdb',
    database: target.database,
    schema: target.schema,
    threads: target.threads,
    path: target.path ?? ':memory:',
    external_root: target.externalRoot ?? '.',
    config_options: null,
    extensions: null,
    settings: new Dict(),
    use_credential_provider: null,
    attach: null,
    filesystems: null,
    remote: null,
    plugins: null,
    disable_transactions: false,
  })
}

/** The names that profiles.yml and packages.yml may use: there is no target yet, and secrets may be read. */
export function profileGlobals(env: ProjectOptions['env'], vars: Config): Globals {
  const globals = new Map<string, unknown>([['env_var', envVar(env, { mayReadSecrets: true })]])
  return globals.set('var', new Var([vars], globals))
}

/** `mayMiss`: while parsing, a variable without a value is none; that it is missing is said when SQL is made of it. */
export const varFunction = (scopes: VarScopes, globals: Globals, mayMiss: boolean): HostObject =>
  new Var(scopes, globals, mayMiss)
export const plainArguments = (kwargs: Record<string, unknown>): Config =>
  Object.fromEntries(Object.entries(kwargs).map(([key, value]) => [key, plain(value)]))

/** A time as JSON has it. */
const plain = (value: unknown): unknown => (value instanceof PyDate ? str(value).replace(' ', 'T') : toJs(value))
