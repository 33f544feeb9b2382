// The names a template of a project sees, while it is parsed and while it is compiled.
//
// One context serves both. What differs is the session: parsing collects `ref`, `source` and `config` and lets every
// question to the database go unanswered (`execute` is false); compiling resolves them and asks.

import { Failure } from '../../base/failure.ts'
import { Dict, Rendering, renderingOf, str, type Callable, type Globals, type Kwargs } from '../../jinja/index.ts'
import { PyDate, utc } from './python/dates.ts'
import { pythonModules } from './python/modules.ts'
import { BoundMacros, type MacroTable } from './macros.ts'
import { graphDict } from './node-dict.ts'
import { Adapter, Namespaced } from './adapter.ts'
import { ColumnApi } from './column.ts'
import { plainFunctions } from './context-functions.ts'
import {
  ConfigObject,
  ContextObject,
  Exceptions,
  flagsOf,
  invocationArguments,
  metadataVariables,
  Validation,
} from './context-objects.ts'
import { RefFunction } from './runtime-config.ts'
import { RelationApi, type Quoting, type Relation } from './relation.ts'
import type { Session } from './session.ts'
import type { DbtProject, ProjectOptions } from './types.ts'
import { envVar, targetDict, varFunction, type VarScopes } from './vars.ts'

export const dbtVersion = '1.12.6'

/** What a rendering asked for that is not of the texts, variables and names of its project. */
export type Watched = {
  /** Names of variables of the environment. */
  env: string[]
  /** Whether it asked for something of this run alone, as its time, or told the log something: another run has to render it again. */
  isOfRun: boolean
}

export type ContextInput = {
  project: DbtProject
  macros: MacroTable
  packageName: string
  scopes: VarScopes
  session: Session
  /** Asked at most once, by a template that looks at it. */
  model: () => Dict | null
  this: Relation | null
  quoting: Quoting
  lenient: boolean
  /** Further names: what a materialization, a hook or a unit test sees besides. They go before those of the same name. */
  names?: Readonly<Record<string, unknown>> | undefined
  /** Instead of the project's, so that repeated renderings do not repeat themselves in the log. */
  onLog?: ProjectOptions['onLog']
  /** Before a template sees `graph` for the first time. */
  onGraph?: () => void
  watched?: Watched | undefined
}

/** What is another thing in each run, or with each command line. */
const ofRun: ReadonlySet<string> = new Set([
  'flags',
  'invocation_args_dict',
  'invocation_id',
  'run_started_at',
  'dbt_metadata_envs',
  'selected_resources',
])

export type Context = { globals: Globals; rendering: Rendering; macros: BoundMacros }

export function openContext(input: ContextInput): Context {
  const own = new Map<string, unknown>()
  let macros: BoundMacros | undefined // bound below: they need the rendering, which asks for globals while it is made
  const isGiven = (name: string) => input.names !== undefined && Object.hasOwn(input.names, name)
  // What templates have put there themselves, by `context.update(…)`.
  const written = new Map<string, unknown>()
  const globals: Globals = {
    get(name) {
      if (written.has(name)) return written.get(name)
      return isGiven(name) ? own.get(name) : (macros?.find(name) ?? own.get(name))
    },
    ...(input.session.random && { random: input.session.random }),
  }
  const rendering = renderingOf(globals, { lenient: input.lenient })
  macros = new BoundMacros(input.macros, rendering, input.packageName, input.session.called)
  fill(own, input, globals, macros, written)
  return { globals, rendering, macros }
}

function fill(
  own: Map<string, unknown>,
  input: ContextInput,
  globals: Globals,
  macros: BoundMacros,
  written: Map<string, unknown>,
): void {
  const { project, session, watched } = input
  const { options } = project
  const noteRun = () => {
    if (watched) watched.isOfRun = true
  }
  const log = input.onLog ?? options.onLog
  const onLog: typeof log = (...said) => (noteRun(), log(...said))
  const functions: Record<string, unknown> = {
    ref: new RefFunction((args, kwargs) => session.ref(...refArguments(args, kwargs)), project, noteRun),
    source: ((args) => {
      if (args.length !== 2)
        throw new Failure('TEMPLATE_FAILED', `source() takes a source and a table, ${args.length} arguments were given`)
      return session.source(str(args[0]), str(args[1]))
    }) satisfies Callable,
    function: ((args) => session.func(...namesIn('function', args))) satisfies Callable,
    metric: ((args) => session.metric(...namesIn('metric', args))) satisfies Callable,
    env_var: envVar(options.env, {
      onAsked: (name) => {
        watched?.env.push(name)
      },
    }),
    ...plainFunctions(globals, onLog),
    doc: (() => '') satisfies Callable,
  }
  for (const [name, run] of Object.entries(functions)) own.set(name, run)
  const config = new ConfigObject(session)
  const columnApi = new ColumnApi()
  const variables = varFunction(input.scopes, globals, !session.execute && input.lenient)
  const values: Record<string, unknown> = {
    var: variables,
    config,
    execute: session.execute,
    project_name: project.name,
    this: input.this,
    database: input.this?.path.database ?? options.target.database,
    schema: input.this?.path.schema ?? options.target.schema,
    api: new Namespaced({ Relation: new RelationApi(input.quoting), Column: columnApi }),
    column: columnApi,
    sql: null,
    sql_now: 'now()',
    exceptions: new Exceptions(onLog),
    dbt_version: dbtVersion,
    invocation_id: options.invocationId,
    run_started_at: PyDate.at(options.startedAt, utc),
    thread_id: 'Thread-1 (worker)',
    selected_resources: session.execute ? [...(options.selected ?? [])] : [],
    defer_relation: null,
    context: new ContextObject(globals, written),
    pre_hooks: [],
    post_hooks: [],
    validation: new Validation(),
  }
  for (const [name, value] of Object.entries(values)) own.set(name, value)
  // Made when asked for: they cost more than most templates.
  const lazy = new Map<string, () => unknown>([
    ['model', input.model],
    ['adapter', () => new Adapter(input, macros)],
    ['modules', () => pythonModules(() => (noteRun(), options.startedAt))],
    ['target', () => targetDict(options)],
    ['env', () => targetDict(options)],
    ['flags', () => flagsOf(options)],
    ['invocation_args_dict', () => invocationArguments(options)],
    ['dbt_metadata_envs', () => metadataVariables(options)],
    ['builtins', () => new Dict(Object.entries({ ...functions, config, var: variables }))],
    [
      'graph',
      () =>
        session.execute
          ? (input.onGraph?.(), graphDict(project))
          : new Dict([
              ['nodes', new Dict()],
              ['sources', new Dict()],
              ['exposures', new Dict()],
              ['metrics', new Dict()],
              ['groups', new Dict()],
            ]),
    ],
  ])
  for (const [name, value] of Object.entries(input.names ?? {})) {
    lazy.delete(name)
    own.set(name, value)
  }
  const get = own.get.bind(own)
  own.get = (name) => {
    if (ofRun.has(name)) noteRun()
    const make = lazy.get(name)
    if (!make) return get(name)
    lazy.delete(name)
    own.set(name, make())
    return get(name)
  }
}

function refArguments(args: unknown[], kwargs: Kwargs): [string, string | undefined, string | undefined, boolean] {
  const version = kwargs['version'] ?? kwargs['v'] ?? null
  return [...namesIn('ref', args), version === null ? undefined : str(version), typeof version === 'string']
}

/** `f('name')` or `f('package', 'name')`: the name, and the package. */
function namesIn(callee: string, args: unknown[]): [string, string | undefined] {
  const names = args.map((each) => {
    if (typeof each !== 'string')
      throw new Failure('TEMPLATE_FAILED', `${callee}() takes names, not ${str(each) || 'an undefined value'}`)
    return each
  })
  const [name, packageName] = names.toReversed()
  if (name === undefined || names.length > 2)
    throw new Failure('TEMPLATE_FAILED', `${callee}() takes one or two names, ${names.length} were given`)
  return [name, packageName]
}
