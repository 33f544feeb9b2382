// The names a template of a project sees, while it is parsed and while it is compiled.
//
// One context serves both. What differs is the session: parsing collects `ref`, `source` and `config` and lets every
// question to the database go unanswered (`execute` is false); compiling resolves them and asks.

import { createHash } from 'node:crypto'
import { stringify } from 'yaml'
import { z } from 'zod'
import { Failure } from '../../base/failure.ts'
import {
  bind,
  builtins as jinjaBuiltins,
  compileTemplate,
  Dict,
  fromJs,
  fromJson,
  HostObject,
  iterate,
  listOf,
  PyError,
  PySet,
  Rendering,
  renderingOf,
  str,
  toJs,
  toJson,
  Tuple,
  truth,
  type Callable,
  type Globals,
  type Kwargs,
} from '../../jinja/index.ts'
import { parseYaml } from '../yaml.ts'
import { PyDate, utc } from './python/dates.ts'
import { pythonModules } from './python/modules.ts'
import { BoundMacros, type MacroTable } from './macros.ts'
import { graphDict } from './node-dict.ts'
import { Adapter, Namespaced } from './adapter.ts'
import { ColumnApi, RelationApi, ResultTable, storedResult, type Quoting, type Relation } from './relation.ts'
import type { Session } from './session.ts'
import type { Config, DbtProject, ProjectOptions } from './types.ts'
import { envVar, plainArguments, targetDict, varFunction, type VarScopes } from './vars.ts'

export const dbtVersion = '1.12.0'

export type ContextInput = {
  project: DbtProject
  macros: MacroTable
  packageName: string
  scopes: VarScopes
  session: Session
  model: Dict | null
  this: Relation | null
  quoting: Quoting
  lenient: boolean
  /** Further names: what a materialization, a hook or a unit test sees besides. They go before those of the same name. */
  names?: Readonly<Record<string, unknown>> | undefined
  /** Instead of the project's, so that repeated renderings do not repeat themselves in the log. */
  onLog?: ProjectOptions['onLog']
}

export type Context = { globals: Globals; rendering: Rendering; macros: BoundMacros }

export function openContext(input: ContextInput): Context {
  const own = new Map<string, unknown>()
  let macros: BoundMacros | undefined // bound below: they need the rendering, which asks for globals while it is made
  const globals: Globals = { get: (name) => macros?.find(name) ?? own.get(name) }
  const rendering = renderingOf(globals, { lenient: input.lenient })
  macros = new BoundMacros(input.macros, rendering, input.packageName)
  fill(own, input, globals, macros)
  return { globals, rendering, macros }
}

function fill(own: Map<string, unknown>, input: ContextInput, globals: Globals, macros: BoundMacros): void {
  const { project, session, model } = input
  const { options } = project
  const onLog = input.onLog ?? options.onLog
  const results = new Map<string, unknown>()
  const functions: Record<string, Callable> = {
    ref: (args, kwargs) => session.ref(...refArguments(args, kwargs)),
    source: (args) => {
      if (args.length !== 2)
        throw new Failure('TEMPLATE_FAILED', `source() takes a source and a table, ${args.length} arguments were given`)
      return session.source(str(args[0]), str(args[1]))
    },
    env_var: envVar(options.env),
    log: (args, kwargs) => {
      const [message, info] = bind('log', ['msg', 'info?'], args, kwargs)
      onLog(info !== undefined && truth(info) ? 'info' : 'debug', str(message), undefined)
      return ''
    },
    print: ([message]) => (onLog('info', str(message), undefined), ''),
    tojson: (args, kwargs) => {
      const [value, fallback, sort] = bind('tojson', ['value', 'default?', 'sort_keys?'], args, kwargs)
      return orFallback(fallback, () => toJson(value, { sortKeys: sort !== undefined && truth(sort) }))
    },
    fromjson: ([text, fallback]) => orFallback(fallback, () => fromJson(str(text))),
    toyaml: ([value, fallback]) => orFallback(fallback, () => stringify(toJs(value))),
    fromyaml: ([text, fallback]) =>
      orFallback(fallback, () => fromJs(parseYaml('fromyaml', str(text), z.unknown(), { version: '1.1' }).value)),
    set: ([value, fallback]) => orFallback(fallback, () => new PySet(iterate(value))),
    set_strict: ([value]) => new PySet(iterate(value)),
    zip: (args, kwargs) => orFallback(kwargs['default'], () => zip(args)),
    zip_strict: (args) => zip(args),
    local_md5: ([text]) => createHash('md5').update(str(text)).digest('hex'),
    diff_of_two_dicts: ([first, second]) => differenceOf(first, second),
    render: ([text]) => compileTemplate(str(text)).render(globals),
    try_or_compiler_error: ([message, callee, ...rest], kwargs) => {
      try {
        return (callee as Callable)(rest, kwargs)
      } catch (error) {
        if (!(error instanceof PyError)) throw error
        throw new Failure('TEMPLATE_FAILED', str(message), { cause: error })
      }
    },
    store_result: (args, kwargs) => {
      const [name, , table] = bind('store_result', ['name', 'response', 'agate_table?'], args, kwargs)
      results.set(
        str(name),
        table instanceof ResultTable
          ? storedResult(table)
          : new Dict([
              ['table', null],
              ['data', []],
              ['response', 'OK'],
            ] as [string, unknown][]),
      )
      return ''
    },
    store_raw_result: (args, kwargs) => (
      results.set(
        str(kwargs['name'] ?? args[0]),
        new Dict([
          ['table', null],
          ['data', []],
        ] as [string, unknown][]),
      ),
      ''
    ),
    load_result: ([name]) => results.get(str(name)) ?? null,
    write: () => '',
    doc: () => '',
  }
  for (const [name, run] of Object.entries(functions)) own.set(name, run)
  const config = new ConfigObject(session)
  const values: Record<string, unknown> = {
    var: varFunction(input.scopes),
    config,
    execute: session.execute,
    target: targetDict(options),
    project_name: project.name,
    model,
    this: input.this,
    database: input.this?.path.database ?? options.target.database,
    schema: input.this?.path.schema ?? options.target.schema,
    adapter: new Adapter(input, macros),
    api: new Namespaced({ Relation: new RelationApi(input.quoting), Column: new ColumnApi() }),
    exceptions: new Exceptions(onLog),
    flags: flagsOf(options),
    dbt_version: dbtVersion,
    invocation_id: options.invocationId,
    run_started_at: PyDate.at(options.startedAt, utc),
    thread_id: 'main',
    invocation_args_dict: invocationArguments(options),
    dbt_metadata_envs: new Dict(),
    selected_resources: [],
    context: new ContextObject(globals),
    pre_hooks: [],
    post_hooks: [],
    validation: new Namespaced({}),
    builtins: new Dict([
      ['ref', functions['ref']],
      ['source', functions['source']],
      ['config', config],
    ] as [string, unknown][]),
  }
  for (const [name, value] of Object.entries({ ...values, ...input.names })) own.set(name, value)
  // Made when asked for: they cost more than most templates.
  const lazy = new Map<string, () => unknown>([
    ['modules', () => pythonModules(() => options.startedAt)],
    [
      'graph',
      () =>
        session.execute
          ? graphDict(project)
          : new Dict([
              ['nodes', new Dict()],
              ['sources', new Dict()],
              ['exposures', new Dict()],
              ['metrics', new Dict()],
              ['groups', new Dict()],
            ]),
    ],
  ])
  const get = own.get.bind(own)
  own.get = (name) => {
    const make = lazy.get(name)
    if (!make) return get(name)
    lazy.delete(name)
    own.set(name, make())
    return get(name)
  }
}

function refArguments(args: unknown[], kwargs: Kwargs): [string, string | undefined, string | undefined] {
  if (args.length === 0 || args.length > 2)
    throw new Failure('TEMPLATE_FAILED', `ref() takes one or two names, ${args.length} were given`)
  const version = kwargs['version'] ?? kwargs['v'] ?? null
  const texts = args.map((each) => {
    if (typeof each !== 'string')
      throw new Failure('TEMPLATE_FAILED', `ref() takes names, not ${str(each) || 'an undefined value'}`)
    return each
  })
  const [packageName, name] = texts.length === 2 ? texts : [undefined, texts[0]]
  return [name!, packageName, version === null ? undefined : str(version)]
}

function orFallback(fallback: unknown, work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    if (error instanceof PyError || error instanceof Failure) return fallback ?? null
    throw error
  }
}

function zip(lists: unknown[]): unknown[] {
  const all = lists.map(listOf)
  return Array.from(
    { length: Math.min(...all.map(({ length }) => length)) },
    (_, at) => new Tuple(all.map((list) => list[at])),
  )
}

/** Keys of the first whose lists have more than the second's, compared without case. */
function differenceOf(first: unknown, second: unknown): Dict {
  const result = new Dict()
  if (!(first instanceof Dict) || !(second instanceof Dict)) return result
  for (const [key, value] of first.entries()) {
    const others = new Set(listOf(second.get(key) ?? []).map((each) => str(each).toLowerCase()))
    const rest = listOf(value).filter((each) => !others.has(str(each).toLowerCase()))
    if (rest.length > 0) result.set(key, rest)
  }
  return result
}

const flagsOf = ({ flags }: ProjectOptions): Dict =>
  Dict.of({
    FULL_REFRESH: flags.fullRefresh,
    STORE_FAILURES: flags.storeFailures,
    WHICH: flags.command,
    EMPTY: flags.empty,
    NON_DESTRUCTIVE: false,
    INTROSPECT: true,
    DEBUG: false,
    LOG_FORMAT: 'default',
    USE_COLORS: false,
    VERSION_CHECK: true,
    WARN_ERROR: false,
  })

const invocationArguments = (options: ProjectOptions): Dict =>
  fromJs({
    which: options.flags.command,
    vars: options.vars,
    target: options.target.name,
    full_refresh: options.flags.fullRefresh,
    invocation_command: `dbt ${options.flags.command}`,
  }) as Dict

/** `context['name']`, `context.get('name')`. */
class ContextObject extends HostObject {
  override readonly typeName = 'dict'
  readonly #globals: Globals
  constructor(globals: Globals) {
    super()
    this.#globals = globals
  }
  override attr(name: string): unknown {
    if (name === 'get') return (([key, fallback = null]) => this.item(key) ?? fallback) satisfies Callable
    return this.item(name)
  }
  override item(key: unknown): unknown {
    return typeof key === 'string' ? (this.#globals.get(key) ?? jinjaBuiltins.get(key)) : undefined
  }
}

/** `config(…)`, `config.get(…)`, `config.require(…)`. */
class ConfigObject extends HostObject {
  override readonly typeName = 'config'
  readonly #session: Session
  constructor(session: Session) {
    super()
    this.#session = session
  }
  override get callable(): boolean {
    return true
  }
  override call(args: unknown[], kwargs: Kwargs): unknown {
    const [dict] = args
    if (args.length > 1 || (args.length === 1 && !(dict instanceof Dict))) {
      throw new Failure('TEMPLATE_FAILED', 'config() takes names with values: config(materialized="table")')
    }
    this.#session.configure({ ...(dict instanceof Dict ? (toJs(dict) as Config) : {}), ...plainArguments(kwargs) })
    return ''
  }
  override attr(name: string): unknown {
    const { execute } = this.#session
    switch (name) {
      case 'get':
        return ((args, kwargs) => {
          const [key, fallback = null] = bind('get', ['name', 'default?', 'validator?'], args, kwargs)
          if (!execute) return fallback ?? ''
          const value = this.#session.config(str(key))
          return value === undefined || value === null ? fallback : fromJs(value)
        }) satisfies Callable
      case 'meta_get':
        return (([key, fallback = null]) => {
          const meta = this.#session.config('meta') as Config | undefined
          return fromJs(meta?.[str(key)] ?? null) ?? fallback
        }) satisfies Callable
      case 'require':
        return (([key]) => {
          const value = execute ? this.#session.config(str(key)) : ''
          if (value === undefined || value === null)
            throw new Failure('TEMPLATE_FAILED', `the config "${str(key)}" is required and missing`)
          return fromJs(value)
        }) satisfies Callable
      case 'set':
        return (([key, value]) => (this.#session.configure({ [str(key)]: toJs(value) }), '')) satisfies Callable
      case 'persist_relation_docs':
      case 'persist_column_docs':
        return (() => true) satisfies Callable
      default:
        return undefined
    }
  }
}

/** `exceptions.raise_compiler_error(message)`, `exceptions.warn(message)`. */
class Exceptions extends HostObject {
  override readonly typeName = 'exceptions'
  readonly #onLog: ProjectOptions['onLog']
  constructor(onLog: ProjectOptions['onLog']) {
    super()
    this.#onLog = onLog
  }
  override attr(name: string): unknown {
    if (name === 'warn') return (([message]) => (this.#onLog('warn', str(message), undefined), '')) satisfies Callable
    if (name === 'CompilationException' || name === 'CompilationError') return undefined
    if (/^(raise_|missing_|relation_|column_|invalid_|doc_|ref_|source_|cache_)/.test(name)) {
      return (([message = name]) => {
        throw new Failure('TEMPLATE_FAILED', str(message).trim(), { hint: 'The project itself raised this error.' })
      }) satisfies Callable
    }
    return undefined
  }
}
