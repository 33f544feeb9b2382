// What templates of dbt find under a name and ask further: `config`, `exceptions`, `context`, `flags`.

import { Failure } from '../../base/failure.ts'
import {
  bind,
  builtins as jinjaBuiltins,
  Dict,
  fromJs,
  HostObject,
  str,
  toJs,
  type Callable,
  type Globals,
  type Kwargs,
} from '../../jinja/index.ts'
import { saidTwice } from './config.ts'
import type { Session } from './session.ts'
import type { Config, ProjectOptions } from './types.ts'
import { plainArguments } from './vars.ts'

/** `context['name']`, `context.get('name')`, `'name' in context`. */
export class ContextObject extends HostObject {
  override readonly typeName = 'dict'
  readonly #globals: Globals
  readonly #written: Map<string, unknown>
  constructor(globals: Globals, written: Map<string, unknown>) {
    super()
    this.#globals = globals
    this.#written = written
  }
  override attr(name: string): unknown {
    switch (name) {
      case 'get':
        return (([key, fallback = null]) => this.item(key) ?? fallback) satisfies Callable
      case 'update':
        return (([values], kwargs) => {
          const entries = values instanceof Dict ? [...values.entries()] : []
          for (const [key, value] of [...entries, ...Object.entries(kwargs)]) this.#written.set(str(key), value)
          return null
        }) satisfies Callable
      case 'setdefault':
        return (([key, value = null]) => {
          const found = this.item(key)
          if (found === undefined) this.#written.set(str(key), value)
          return found ?? value
        }) satisfies Callable
      case 'pop':
        return (([key, fallback = null]) => {
          const found = this.item(key)
          this.#written.set(str(key), undefined)
          return found ?? fallback
        }) satisfies Callable
      default:
        return this.item(name)
    }
  }
  override item(key: unknown): unknown {
    if (typeof key !== 'string') return undefined
    return this.#written.has(key) ? this.#written.get(key) : (this.#globals.get(key) ?? jinjaBuiltins.get(key))
  }
  override contains(key: unknown): boolean {
    return this.item(key) !== undefined
  }
}

/** `config(…)`, `config.get(…)`, `config.require(…)`. */
export class ConfigObject extends HostObject {
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
    if (args.length > 1 || (args.length === 1 && (!(dict instanceof Dict) || Object.keys(kwargs).length > 0))) {
      throw new Failure('TEMPLATE_FAILED', 'config() takes names with values: config(materialized="table")')
    }
    const config = { ...(dict instanceof Dict ? (toJs(dict) as Config) : {}), ...plainArguments(kwargs) }
    const twice = saidTwice(config)
    if (twice !== undefined) throw new Failure('TEMPLATE_FAILED', twice)
    this.#session.configure(config)
    return ''
  }

  override attr(name: string): unknown {
    switch (name) {
      case 'get':
      case 'meta_get':
        return ((args, kwargs) => {
          const [key, fallback = null, validator] = bind(name, ['name', 'default?', 'validator?'], args, kwargs)
          const value = this.#find(name, str(key))
          const found = value === undefined ? fallback : value
          if (fallback !== null) validate(validator, found)
          return found
        }) satisfies Callable
      case 'require':
      case 'meta_require':
        return ((args, kwargs) => {
          const [key, validator] = bind(name, ['name', 'validator?'], args, kwargs)
          const found = this.#find(name, str(key))
          if (found === undefined)
            throw new Failure('TEMPLATE_FAILED', `this node does not define a required config parameter '${str(key)}'`)
          validate(validator, found)
          return found
        }) satisfies Callable
      case 'set':
        return (([key, value]) => (this.#session.configure({ [str(key)]: toJs(value) }), '')) satisfies Callable
      case 'persist_relation_docs':
        return (() => this.#persists('relation')) satisfies Callable
      case 'persist_column_docs':
        return (() => this.#persists('columns')) satisfies Callable
      default:
        return undefined
    }
  }

  /** While a project is read nothing is configured yet: everything is empty text, whatever the default is. */
  #find(how: string, key: string): unknown {
    const { execute } = this.#session
    if (!execute) return ''
    const isMeta = how.startsWith('meta_')
    const values = isMeta ? (this.#session.config('meta') as Config | undefined) : undefined
    const value = isMeta ? values?.[key] : this.#session.config(key)
    return value === undefined ? undefined : fromJs(value)
  }

  #persists(what: 'relation' | 'columns'): boolean {
    const docs = this.#session.execute ? this.#session.config('persist_docs') : undefined
    return (docs as Config | undefined)?.[what] === true
  }
}

function validate(validator: unknown, value: unknown): void {
  if (typeof validator === 'function') (validator as Callable)([value], Object.create(null) as Kwargs)
}

/** `validation.any('a', 'b')`: a check that a value is one of these. */
export class Validation extends HostObject {
  override readonly typeName = 'validation'
  override attr(name: string): unknown {
    if (name !== 'any') return undefined
    return ((allowed) =>
      (([value]) => {
        // A type is no value of a template, so it has none of these names: then any value passes.
        const known = allowed.filter((each) => typeof each === 'string').map(str)
        if (known.length === allowed.length && !known.includes(str(value)))
          throw new Failure('TEMPLATE_FAILED', `Expected value "${str(value)}" to be one of ${known.join(',')}`)
        return null
      }) satisfies Callable) satisfies Callable
  }
}

/** How dbt words those of its exceptions that templates raise with other things than a message. */
const worded: Readonly<Record<string, (args: readonly unknown[]) => string>> = {
  missing_config: ([, name]) => `this node does not define a required config parameter '${str(name)}'`,
  missing_materialization: ([model, type]) =>
    `No materialization '${materializedOf(model)}' was found for adapter ${str(type)}! (searched types 'default' and '${str(type)}')`,
  missing_relation: ([relation]) => `Relation ${str(relation)} not found!`,
  relation_wrong_type: ([relation, expected]) =>
    `Trying to create ${str(expected)} ${str(relation)}, but it currently exists as another type. Either drop ${str(relation)} manually, or run dbt with \`--full-refresh\` and dbt will drop it for you.`,
  raise_contract_error: ([yaml, sql]) =>
    `This model has an enforced contract that failed.\nPlease ensure the name, data_type, and number of columns in your contract match the columns in your model's definition.\nContract: ${str(yaml)}\nModel: ${str(sql)}`,
  column_type_missing: ([names]) =>
    `Contracted models require data_type to be defined for each column. Please ensure that the column name and data_type are defined within the YAML configuration for the ${str(names)} column(s).`,
}

const materializedOf = (model: unknown): string => {
  const config = model instanceof Dict ? model.get('config') : undefined
  return config instanceof Dict ? str(config.get('materialized')) : ''
}

const raised = new Set(
  'raise_ambiguous_alias raise_ambiguous_catalog_match raise_cache_inconsistent raise_dataclass_not_dict raise_compiler_error raise_database_error raise_dep_not_found raise_dependency_error raise_duplicate_patch_name raise_duplicate_resource_name raise_invalid_property_yml_version raise_not_implemented raise_fail_fast_error'.split(
    ' ',
  ),
)

/** `exceptions.raise_compiler_error(message)`, `exceptions.warn(message)`. */
export class Exceptions extends HostObject {
  override readonly typeName = 'dict'
  readonly #onLog: ProjectOptions['onLog']
  constructor(onLog: ProjectOptions['onLog']) {
    super()
    this.#onLog = onLog
  }
  override attr(name: string): unknown {
    if (name === 'warn') return (([message]) => (this.#onLog('warn', str(message), undefined), '')) satisfies Callable
    if (name === 'warn_snapshot_timestamp_data_types') {
      return ((args, kwargs) => {
        const [time, updated] = bind(name, ['snapshot_time_data_type', 'updated_at_data_type'], args, kwargs)
        const message = `Data type of snapshot table timestamp columns (${str(time)}) doesn't match derived column 'updated_at' (${str(updated)}). Please update snapshot config 'updated_at'.`
        return (this.#onLog('warn', message, undefined), null)
      }) satisfies Callable
    }
    const wording = Object.hasOwn(worded, name) ? worded[name] : undefined
    if (!wording && !raised.has(name)) return undefined
    return ((args, kwargs) => {
      const message = wording ? wording([...args, ...Object.values(kwargs)]) : str(kwargs['msg'] ?? args[0] ?? name)
      throw new Failure('TEMPLATE_FAILED', message.trim(), { hint: 'The project itself raised this error.' })
    }) satisfies Callable
  }
  override item(key: unknown): unknown {
    return typeof key === 'string' ? this.attr(key) : undefined
  }
}

/** What `flags.*` says where the command line says nothing. */
const usualFlags: Config = {
  use_experimental_parser: false,
  static_parser: true,
  warn_error: null,
  warn_error_options: { error: [], warn: [], silence: [] },
  write_json: true,
  partial_parse: true,
  use_colors: true,
  profiles_dir: null,
  debug: false,
  log_format: 'default',
  version_check: true,
  fail_fast: false,
  send_anonymous_usage_stats: false,
  printer_width: 80,
  indirect_selection: 'eager',
  log_cache_events: false,
  quiet: false,
  no_print: null,
  print: true,
  cache_selected_only: false,
  introspect: true,
  target_path: null,
  log_path: null,
  maximum_seed_size_mib: 1,
  hints_enabled: true,
}

/** All flags by dbt's names in lower case. */
function allFlags({ flags, vars, target }: ProjectOptions): Config {
  return {
    ...usualFlags,
    ...flags.others,
    empty: flags.empty,
    full_refresh: flags.fullRefresh,
    store_failures: flags.storeFailures,
    which: flags.command,
    invocation_command: flags.typed ?? `dbt ${flags.command}`,
    vars,
    target: target.name,
  }
}

/** `flags.FULL_REFRESH`. */
export const flagsOf = (options: ProjectOptions): Dict => {
  const { vars: _vars, target: _target, ...flags } = allFlags(options)
  const upper = Object.entries(flags).map(([name, value]) => [name.toUpperCase(), fromJs(value)] as const)
  return new Dict([...upper, ['REQUIRE_SQL_HEADER_IN_TEST_CONFIGS', false]])
}

const leftOutWhenFalse = new Set([
  'debug',
  'full_refresh',
  'fail_fast',
  'warn_error',
  'log_cache_events',
  'store_failures',
  'use_experimental_parser',
])

/** `invocation_args_dict`: without what is empty, or false as usual. */
export const invocationArguments = (options: ProjectOptions): Dict => {
  const shown = Object.entries(allFlags(options)).filter(
    ([name, value]) => value !== null && !(value === false && leftOutWhenFalse.has(name)),
  )
  return fromJs(Object.fromEntries(shown)) as Dict
}

const metadataPrefix = 'DBT_ENV_CUSTOM_ENV_'

/** `dbt_metadata_envs`. */
export const metadataVariables = ({ env }: ProjectOptions): Dict =>
  new Dict(
    Object.entries(env).flatMap(([name, value]) =>
      name.startsWith(metadataPrefix) && value !== undefined
        ? [[name.slice(metadataPrefix.length), value] as const]
        : [],
    ),
  )
