// Objects of dbt's own that some packages reach into: `builtins.ref.config`, `result.node.to_dict()`.

import { Dict, fromJs, HostObject, type Callable, type Kwargs } from '../../jinja/index.ts'
import type { DbtPackage, DbtProject } from './types.ts'

/** An object of dbt's: attributes, and all of them as a dict by `to_dict()`. */
export class PlainObject extends HostObject {
  override readonly typeName: string
  readonly #values: Dict
  constructor(typeName: string, values: Dict) {
    super()
    this.typeName = typeName
    this.#values = values
  }
  override attr(name: string): unknown {
    if (name === 'to_dict') return (() => this.#values.copy()) satisfies Callable
    return this.#values.get(name)
  }
  override item(key: unknown): unknown {
    return this.#values.get(key)
  }
}

/** `ref`: called as ever; `ref.config` is what dbt knows of the project that runs. */
export class RefFunction extends HostObject {
  override readonly typeName = 'RuntimeRefResolver'
  readonly #call: Callable
  readonly #project: DbtProject
  readonly #onConfig: () => void
  /** `onConfig`: told when somebody asks for all that is known of the run. */
  constructor(call: Callable, project: DbtProject, onConfig: () => void) {
    super()
    this.#call = call
    this.#project = project
    this.#onConfig = onConfig
  }
  override get callable(): boolean {
    return true
  }
  override call(args: unknown[], kwargs: Kwargs): unknown {
    return this.#call(args, kwargs)
  }
  override attr(name: string): unknown {
    switch (name) {
      case 'config':
        this.#onConfig()
        return runtimeConfig(this.#project)
      case 'current_project':
        return this.#project.name
      default:
        return undefined
    }
  }
}

const packageObject = (from: DbtPackage): PlainObject =>
  new PlainObject(
    'Project',
    fromJs({
      project_name: from.name,
      version: from.version,
      vars: null,
      model_paths: from.paths.model,
      seed_paths: from.paths.seed,
      macro_paths: from.paths.macro,
      snapshot_paths: from.paths.snapshot,
      test_paths: from.paths.test,
      target_path: from.targetFolder,
    }) as Dict,
  )

function runtimeConfig(project: DbtProject): PlainObject {
  const { options, packages, name } = project
  const root = packages.get(name)!
  const values = fromJs({
    project_name: name,
    project_root: project.dir,
    version: root.version,
    target_name: options.target.name,
    profile_name: options.target.profile,
    threads: options.target.threads,
    cli_vars: options.vars,
  }) as Dict
  values.set(
    'args',
    new PlainObject('Namespace', fromJs({ ...options.flags.others, which: options.flags.command }) as Dict),
  )
  values.set('vars', new PlainObject('VarProvider', fromJs({ ...root.vars, ...options.vars }) as Dict))
  values.set('dependencies', new Dict(Array.from(packages, ([key, from]) => [key, packageObject(from)] as const)))
  return new PlainObject('RuntimeConfig', values)
}
