// What the steps of reading a project share: what is read so far, what is wrong, and how templates are rendered
// before there is a database.

import { hash } from 'node:crypto'
import { Failure, type Place } from '../../base/failure.ts'
import { Dict, Float, fromJs, type Globals } from '../../jinja/index.ts'
import { configOf } from './config.ts'
import { openContext, type Context, type Watched } from './context.ts'
import type { Deprecation } from './deprecations.ts'
import type { MacroTable } from './macros.ts'
import type { ParseCache } from './parse-cache.ts'
import type { ProjectSearch } from './project-search.ts'
import type { Patch, Properties } from './properties.ts'
import type { QuietMacros } from './quiet-macros.ts'
import { Relation } from './relation.ts'
import type { Session } from './session.ts'
import type { Config, DbtNode, DbtPackage, DbtProject, NodeKind, Warning } from './types.ts'
import { varScopes, type VarScopes } from './vars.ts'
import { yamlGlobals } from './yaml-context.ts'

export class Reading {
  readonly files: ProjectSearch
  readonly project: DbtProject
  readonly cache: ParseCache
  readonly failures: Failure[] = []
  /** Set when the macros are read: which there are, and which of them need not be called. */
  macros!: MacroTable
  quiet!: QuietMacros
  readonly properties: { from: DbtPackage; found: Properties }[] = []
  readonly #patches = new Map<string, Patch>()
  readonly #versioned: { from: DbtPackage; patch: Patch }[] = []
  readonly #usedPatches = new Set<Patch>()
  readonly #globals = new Map<DbtPackage, Globals>()
  readonly #scopes = new Map<DbtPackage, VarScopes>()
  #surroundings: string | undefined

  constructor(files: ProjectSearch, project: DbtProject, cache: ParseCache) {
    this.files = files
    this.project = project
    this.cache = cache
  }

  get packages(): DbtPackage[] {
    return [...this.project.packages.values()]
  }

  get root(): DbtPackage {
    return this.project.packages.get(this.project.name)!
  }

  wrong(message: string, place: Place | undefined, hint?: string): undefined {
    const context = { ...(place && { place }), ...(hint !== undefined && { hint }) }
    this.failures.push(new Failure('PROJECT_INVALID', message, context))
    return undefined
  }

  warn(message: string, place: Place, event?: Warning['event']): void {
    this.project.warnings.push({ message, place, ...(event && { event }) })
  }

  deprecated({ message, event }: Deprecation, place: Place): void {
    this.warn(message, place, event)
  }

  /** Where `var` looks, for a text of this package. */
  scopes(from: DbtPackage): VarScopes {
    const known = this.#scopes.get(from)
    if (known) return known
    const scopes = varScopes(this.project.options, this.root, from)
    this.#scopes.set(from, scopes)
    return scopes
  }

  /**
   * What a text that is rendered sees besides itself, as a hash: macros, variables, configs of folders, target. Neither the
   * environment is a part of it nor what belongs to one run: `Watched` says whether those were asked for.
   */
  get surroundings(): string {
    return (this.#surroundings ??= this.#surroundingsNow())
  }

  #surroundingsNow(): string {
    const { macros, name, options } = this.project
    const written = macros.map(({ uniqueId, text }) => [uniqueId, text])
    return hash(
      'sha256',
      JSON.stringify([name, options.vars, options.target, this.packages, written], exactly),
      'base64url',
    )
  }

  /** The names that YAML of this package may use. */
  globals(from: DbtPackage): Globals {
    const known = this.#globals.get(from)
    if (known) return known
    const globals = yamlGlobals(this.project.options, this.scopes(from), this.project.name)
    this.#globals.set(from, globals)
    return globals
  }

  context(
    from: DbtPackage,
    session: Session,
    model: Dict | null,
    node: Pick<DbtNode, 'database' | 'schema' | 'alias' | 'name'> | undefined,
    { lenient = true, watched }: { lenient?: boolean; watched?: Watched } = {},
  ): Context {
    const { target } = this.project
    return openContext({
      project: this.project,
      macros: this.macros,
      packageName: from.name,
      scopes: this.scopes(from),
      session,
      model: () => model,
      this: new Relation({
        database: node?.database || target.database,
        schema: node?.schema || target.schema,
        identifier: node?.alias || node?.name || ((model?.get('alias') as string | undefined) ?? null),
      }),
      quoting: this.root.quoting,
      lenient,
      watched,
    })
  }

  /** `model` of a file in the folder `root` that has no node yet: what is known before its `config` is. */
  plainModel(
    from: DbtPackage,
    kind: NodeKind | 'operation',
    name: string,
    { file, root }: { file: string; root: string },
  ): Dict {
    const { target } = this.project
    const path = root === '' ? file : file.slice(root.length + 1)
    const folders = path.split('/').slice(0, -1)
    const stem = path.slice(path.lastIndexOf('/') + 1).replace(/\.\w+$/, '')
    const fqn = [
      from.name,
      ...(kind === 'analysis' ? ['analysis'] : []),
      ...folders,
      ...(kind === 'snapshot' ? [stem] : []),
      name,
    ]
    return fromJs({
      name,
      unique_id: `${kind}.${from.name}.${name}`,
      package_name: from.name,
      resource_type: kind,
      path: kind === 'analysis' ? `analysis/${path}` : path,
      original_file_path: fileInPackage(from, file),
      database: target.database,
      schema: target.schema,
      fqn,
      config: kind === 'operation' ? {} : configOf(kind, fqn, [], { from, root: this.root }).config,
      alias: name,
      tags: [],
      columns: {},
    }) as Dict
  }

  addPatch(from: DbtPackage, patch: Patch): void {
    const key = `${from.name}.${patch.section}.${patch.name}`
    const other = this.#patches.get(key)
    if (other) {
      // dbt lets the second be about the latest version alone, and which of the files is the second is chance.
      if (other.versions.length === 0 || patch.versions.length === 0) return this.wrongTwice(patch, other.place)
      const { file, line } = other.place
      return this.warn(
        `the model "${patch.name}" and its versions are already described in ${file}:${line ?? 1}; what stands here counts for nothing`,
        patch.place,
      )
    }
    this.#patches.set(key, patch)
    if (patch.versions.length > 0) this.#versioned.push({ from, patch })
  }

  /** A second description of the same. */
  wrongTwice({ name, place }: Patch, { file, line }: Place): void {
    this.wrong(`"${name}" is already described in ${file}:${line ?? 1}`, place)
  }

  /** What YAML says about the file `stem`, and which version of a model it is. */
  patchOf(from: DbtPackage, section: Patch['section'], stem: string) {
    const patch = this.#patches.get(`${from.name}.${section}.${stem}`)
    if (patch && patch.versions.length === 0) return { patch: this.#use(patch), version: undefined }
    for (const { from: owner, patch: each } of section === 'models' ? this.#versioned : []) {
      if (owner !== from) continue
      const latest = latestOf(each)
      const version =
        each.versions.find(({ v, definedIn }) => (definedIn ?? `${each.name}_v${v}`) === stem) ??
        (each.name === stem ? each.versions.find(({ v }) => v === latest) : undefined)
      if (version) return { patch: this.#use(each), version }
    }
    return { patch: undefined, version: undefined }
  }

  /** Whether its config switches it on. */
  isEnabled({ name, config, place }: { name: string; config: Config; place: Place }): boolean {
    const { enabled } = config
    if (typeof enabled === 'string') this.wrong(`"enabled" of "${name}": '${enabled}' is not of type 'boolean'`, place)
    return enabled !== false
  }

  #use(patch: Patch): Patch {
    this.#usedPatches.add(patch)
    return patch
  }

  /** Properties of one section, with the package that they stand in. */
  patchesOf(section: Patch['section']): { from: string; patch: Patch }[] {
    return [...this.#patches]
      .filter(([, patch]) => patch.section === section)
      .map(([key, patch]) => ({ from: key.slice(0, key.indexOf('.')), patch }))
  }

  /** Marks it as read, so that it is not reported as properties for nothing. */
  usePatch(patch: Patch): void {
    this.#use(patch)
  }

  get unusedPatches(): Patch[] {
    return [...this.#patches.values()].filter((patch) => !this.#usedPatches.has(patch))
  }
}

/** Numbers that JSON would take for one another, or for nothing. */
const exactly = (_key: string, value: unknown): unknown => {
  if (value instanceof Float) return { float: value.toString() }
  const isOdd = typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
  return typeof value === 'bigint' || isOdd ? { number: Object.is(value, -0) ? '-0' : String(value) } : value
}

/** Newest version: numbers by value, else by text. */
export function latestOf({ versions, latestVersion }: Patch): string | undefined {
  if (latestVersion !== undefined || versions.length === 0) return latestVersion
  return versions
    .map(({ v }) => v)
    .toSorted((a, b) => Number(a) - Number(b) || a.localeCompare(b))
    .at(-1)
}

/** dbt's own: for tests in YAML it counts from the first folder of the package, whatever its paths are. */
export const foldersOfTests = (from: DbtPackage, file: string): string[] =>
  fileInPackage(from, file).split('/').slice(1, -1)

/** The folders between a file and the folder of its package's paths that it was found in. */
export const relativeFolders = (from: DbtPackage, file: string): string[] =>
  fileInPath(from, file).split('/').slice(0, -1)

/** A file below the folder of its package's paths that it was found in: `staging/m.yml` of `src/models/staging/m.yml`. */
export function fileInPath(from: Pick<DbtPackage, 'folder' | 'paths'>, file: string): string {
  const inPackage = fileInPackage(from, file)
  const root = Object.values(from.paths)
    .flat()
    .find((each) => inPackage.startsWith(`${each}/`))
  return root === undefined ? inPackage.split('/').slice(1).join('/') : inPackage.slice(root.length + 1)
}

/** A file's name as its package sees it: dbt's `original_file_path`. */
export const fileInPackage = (from: Pick<DbtPackage, 'folder'>, file: string): string =>
  from.folder === '' ? file : file.slice(from.folder.length + 1)
