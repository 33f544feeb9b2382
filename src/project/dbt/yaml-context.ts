// The names that YAML may use: `var`, `env_var`, `target`, and what dbt offers everywhere (`dbt_version`, `modules`, …).

import type { Globals } from '../../jinja/index.ts'
import { dbtVersion } from './context.ts'
import { plainFunctions } from './context-functions.ts'
import { flagsOf, invocationArguments } from './context-objects.ts'
import { PyDate, utc } from './python/dates.ts'
import { pythonModules } from './python/modules.ts'
import type { ProjectOptions } from './types.ts'
import { envVar, targetDict, varFunction, type VarScopes } from './vars.ts'

/** The functions among those of templates that need neither a project nor a database. */
const everywhere =
  'log print tojson fromjson toyaml fromyaml set set_strict zip zip_strict local_md5 diff_of_two_dicts'.split(' ')

export function yamlGlobals(options: ProjectOptions, scopes: VarScopes): Globals {
  const known = new Map<string, unknown>([
    ['env_var', envVar(options.env)],
    ['project_name', null],
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
