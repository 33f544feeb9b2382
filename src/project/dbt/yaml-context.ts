// The names that YAML may use: `var`, `env_var`, `target`, and what dbt offers everywhere (`dbt_version`, `modules`, …).

import type { Failure } from '../../base/failure.ts'
import type { Globals } from '../../jinja/index.ts'
import { dbtVersion } from './context.ts'
import { plainFunctions } from './context-functions.ts'
import { flagsOf, invocationArguments } from './context-objects.ts'
import { PyDate, utc } from './python/dates.ts'
import { pythonModules } from './python/modules.ts'
import type { Config, ProjectOptions } from './types.ts'
import { envVar, targetDict, varFunction, type VarScopes } from './vars.ts'
import { renderText } from './yaml-file.ts'

/** The functions among those of templates that need neither a project nor a database. */
const everywhere =
  'log print tojson fromjson toyaml fromyaml set set_strict zip zip_strict local_md5 diff_of_two_dicts'.split(' ')

/** `projectName` is that of the project that runs, which dbt_project.yml itself cannot ask for. */
export function yamlGlobals(options: ProjectOptions, scopes: VarScopes, projectName?: string): Globals {
  const known = new Map<string, unknown>([
    ['env_var', envVar(options.env)],
    ['project_name', projectName],
  ])
  const globals: Globals = {
    get(name) {
      if (!known.has(name)) known.set(name, made(name))
      return known.get(name)
    },
  }
  let functions: ReturnType<typeof plainFunctions> | undefined
  const made = (name: string): unknown => {
    switch (name) {
      case 'var':
        return varFunction(scopes, globals, false)
      case 'target':
        return targetDict(options)
      case 'dbt_version':
        return dbtVersion
      case 'invocation_id':
        return options.invocationId
      case 'run_started_at':
        return PyDate.at(options.startedAt, utc)
      case 'modules':
        return pythonModules(() => options.startedAt)
      case 'flags':
        return flagsOf(options)
      case 'invocation_args_dict':
        return invocationArguments(options)
      default:
        return everywhere.includes(name) ? (functions ??= plainFunctions(globals, options.onLog))[name] : undefined
    }
  }
  return globals
}

/** A setting of dbt_project.yml that is needed before there is a project, such as `target-path`. @throws TEMPLATE_FAILED */
export function renderSetting(text: string, env: ProjectOptions['env'], vars: Config): string {
  const globals = new Map<string, unknown>([
    ['env_var', envVar(env)],
    ['modules', pythonModules(() => Date.now())],
  ])
  globals.set('var', varFunction([vars], globals, false))
  const failures: Failure[] = []
  const value = renderText(text, { file: 'dbt_project.yml' }, globals, failures)
  if (failures[0]) throw failures[0]
  return String(value)
}
