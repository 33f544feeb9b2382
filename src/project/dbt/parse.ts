// A folder → a dbt project: every file read once, every node with its config, its names and what it reads.
//
// Order: project files of the project and its packages, macros, docs, YAML properties, then nodes. A node's config
// needs its YAML, its schema needs its config and a macro, its tests need it; so the steps cannot be swapped. Mistakes
// do not stop the reading: what is independent is reported together.

import { createHash } from 'node:crypto'
import { Failure, Failures, type Place } from '../../base/failure.ts'
import {
  compileTemplate,
  Dict,
  findBlocks,
  findCalls,
  fromJs,
  str,
  type Callable,
  type FoundCall,
} from '../../jinja/index.ts'
import { didYouMean } from '../../base/suggest.ts'
import {
  mergeConfig,
  modelDefaults,
  resolveConfig,
  seedDefaults,
  sourceDefaults,
  tagsOf,
  testDefaults,
  treeConfigs,
} from './config.ts'
import { openContext, type Context } from './context.ts'
import { looksLikeCall, readGenericTest, testHash, type GenericTest } from './data-tests.ts'
import type { ProjectFiles } from './files.ts'
import { builtinPackage, builtins, macrosOf, MacroTable } from './macros.ts'
import { nodeDict } from './node-dict.ts'
import { quotingOf, readProjectFile } from './project-file.ts'
import { readProperties, type Patch, type Properties, type SourceEntry, type TestEntry } from './properties.ts'
import { quoteAll, Relation } from './relation.ts'
import { findSource, nodesByName, pickRef } from './references.ts'
import type { Session } from './session.ts'
import type {
  Config,
  ConfigTree,
  DbtMacro,
  DbtNode,
  DbtPackage,
  DbtProject,
  NodeKind,
  ProjectOptions,
  RefCall,
  SourceCall,
} from './types.ts'
import { varScopes, yamlGlobals } from './vars.ts'
import { gathering, renderText } from './yaml-file.ts'

/** The project, as far as it could be read, and everything that is wrong with it. */
export async function readDbtProject(
  files: ProjectFiles,
  dir: string,
  options: ProjectOptions,
): Promise<{ project: DbtProject; failures: Failure[] }> {
  const reader = new ProjectReader(files, dir, options)
  await reader.read()
  return { project: reader.project, failures: reader.failures.sort(byPlace) }
}

const byPlace = (a: Failure, b: Failure): number =>
  (a.place?.file ?? '').localeCompare(b.place?.file ?? '') ||
  (a.place?.line ?? 0) - (b.place?.line ?? 0) ||
  (a.place?.column ?? 0) - (b.place?.column ?? 0)

const treeOf: Record<NodeKind, ConfigTree> = {
  model: 'models',
  seed: 'seeds',
  snapshot: 'snapshots',
  test: 'data_tests',
  analysis: 'models',
}
const defaultsOf: Record<NodeKind, Config> = {
  model: modelDefaults,
  seed: seedDefaults,
  snapshot: { ...modelDefaults, materialized: 'snapshot' },
  test: testDefaults,
  analysis: modelDefaults,
}

const emptyEntry = {
  fqn: [],
  description: '',
  label: undefined,
  config: {},
  tags: [],
  meta: {},
  group: undefined,
  refs: [],
  sources: [],
  metrics: [],
  dependsOn: [],
  type: '',
  maturity: undefined,
  url: undefined,
  owner: {},
}
const plainNode = {
  group: undefined,
  access: 'protected' as const,
  constraints: [],
  contract: false,
  hooks: { pre: [], post: [] },
}

/** dbt takes the white space off both ends of a file; `at` is where the rest begins. */
type SqlFile = { package: DbtPackage; root: string; file: string; text: string; at: { line: number; column: number } }
/** What a file's text says when it is parsed: its calls and its own config. */
type Parsed = { refs: RefCall[]; sources: SourceCall[]; config: Config }

class ProjectReader {
  readonly failures: Failure[] = []
  readonly project: DbtProject
  readonly #files: ProjectFiles
  readonly #properties: { from: DbtPackage; found: Properties }[] = []
  /** Patches by package, section and name. */
  readonly #patches = new Map<string, Patch>()
  readonly #usedPatches = new Set<Patch>()
  #macros!: MacroTable
  readonly #nameContexts = new Map<string, Context>()

  constructor(files: ProjectFiles, dir: string, options: ProjectOptions) {
    this.#files = files
    this.project = {
      dir,
      name: '',
      target: options.target,
      packages: new Map(),
      nodes: new Map(),
      sources: new Map(),
      disabled: new Map(),
      macros: [],
      docs: new Map(),
      unitTests: new Map(),
      operations: new Map(),
      groups: new Map(),
      exposures: new Map(),
      metrics: new Map(),
      semanticModels: new Map(),
      savedQueries: new Map(),
      selectors: new Map(),
      warnings: [],
      options,
    }
  }

  async read(): Promise<void> {
    await this.#readPackages()
    const root = this.#root
    if (!root) return
    const packages = [...this.project.packages.values()]
    for (const one of packages) await this.#readMacros(one)
    this.#macros = new MacroTable(this.project)
    for (const one of packages) await this.#readDocs(one)
    for (const one of packages) await this.#readProperties(one)
    for (const one of packages) await this.#readNodes(one)
    this.#readSources()
    this.#readGenericTests()
    for (const one of packages) await this.#readSingularTests(one)
    this.#describe()
    this.#resolve()
    this.#addPlainNames()
    for (const patch of this.#patches.values()) {
      if (this.#usedPatches.has(patch) || patch.section === 'macros' || this.#isDisabled(patch.name)) continue
      this.project.warnings.push({
        message: `no ${patch.section.replace(/s$/, '')} "${patch.name}" exists for these properties`,
        place: patch.place,
      })
    }
  }

  get #root(): DbtPackage | undefined {
    return this.project.packages.get(this.project.name)
  }

  #isDisabled(name: string): boolean {
    return [...this.project.disabled.keys()].some((id) => id.split('.').includes(name))
  }

  // --- packages

  async #readPackages(): Promise<void> {
    const text = await this.#files.read('dbt_project.yml')
    if (text === undefined) {
      this.failures.push(new Failure('PROJECT_NOT_FOUND', `there is no dbt_project.yml in ${this.project.dir}`))
      return
    }
    const root = this.#readPackage('', text)
    if (!root) return
    this.project.name = root.name
    this.project.packages.set(root.name, root)
    const folder = root.packagesFolder
    const installed = await this.#files.list(folder)
    const isPackage = (file: string) =>
      file.endsWith('/dbt_project.yml') && !file.slice(folder.length + 1, -'/dbt_project.yml'.length).includes('/')
    for (const file of installed.filter(isPackage)) {
      const found = this.#readPackage(file.replace(/\/dbt_project\.yml$/, ''), (await this.#files.read(file)) ?? '')
      if (found && !this.project.packages.has(found.name)) this.project.packages.set(found.name, found)
    }
  }

  #readPackage(folder: string, text: string): DbtPackage | undefined {
    const file = folder === '' ? 'dbt_project.yml' : `${folder}/dbt_project.yml`
    const globals = yamlGlobals(this.project.options, varScopes(this.project.options, undefined, undefined))
    return gathering(this.failures, () =>
      readProjectFile(file, text, folder, globals, this.failures, (message, place) =>
        this.project.warnings.push({ message, place }),
      ),
    )
  }

  #scopes(from: DbtPackage) {
    return varScopes(this.project.options, this.#root, from)
  }

  /** Files of a package below its folders of one kind: `[folder, file]`. */
  async #filesOf(
    from: DbtPackage,
    folders: readonly string[],
    extension: RegExp,
  ): Promise<{ root: string; file: string }[]> {
    const found: { root: string; file: string }[] = []
    for (const folder of folders) {
      const root = from.folder === '' ? folder : `${from.folder}/${folder}`
      for (const file of await this.#files.list(root)) {
        if (extension.test(file) && !found.some((each) => each.file === file)) found.push({ root, file })
      }
    }
    return found
  }

  async #text(file: string): Promise<string> {
    return (await this.#files.read(file)) ?? ''
  }

  async #sql(from: DbtPackage, root: string, file: string): Promise<SqlFile> {
    const whole = await this.#text(file)
    const before = /^\s*/.exec(whole)![0]
    const lines = before.split(/\r\n|\r|\n/)
    return {
      package: from,
      root,
      file,
      text: whole.trim(),
      at: { line: lines.length, column: lines.at(-1)!.length + 1 },
    }
  }

  // --- macros and docs

  async #readMacros(from: DbtPackage): Promise<void> {
    const folders = [...from.paths.macro, ...from.paths.test.map((folder) => `${folder}/generic`)]
    const seen = new Map<string, DbtMacro>()
    for (const { file } of await this.#filesOf(from, folders, /\.sql$/)) {
      const { macros, failures } = macrosOf(from.name, await this.#text(file), file)
      this.failures.push(...failures)
      for (const macro of macros) {
        const other = seen.get(macro.macroName)
        if (other) {
          const { file: elsewhere, line } = other.origin
          this.failures.push(
            new Failure(
              'PROJECT_INVALID',
              `the macro "${macro.macroName}" is already defined in ${elsewhere ?? ''}:${line ?? 1}`,
              { place: placeOf(macro) },
            ),
          )
        } else seen.set(macro.macroName, macro)
        this.project.macros.push(macro)
      }
    }
  }

  async #readDocs(from: DbtPackage): Promise<void> {
    for (const { file } of await this.#filesOf(from, from.paths.docs, /\.md$/)) {
      const text = await this.#text(file)
      gathering(this.failures, () => {
        for (const block of findBlocks(text, file, ['docs'])) {
          const place = { file, line: block.origin.line ?? 1, column: block.origin.column ?? 1 }
          this.project.docs.set(`${from.name}.${block.name}`, {
            name: block.name,
            package: from.name,
            text: block.body.trim(),
            place,
          })
        }
      })
    }
  }

  // --- YAML

  async #readProperties(from: DbtPackage): Promise<void> {
    const { model, seed, snapshot, analysis, macro, test } = from.paths
    const globals = yamlGlobals(this.project.options, this.#scopes(from))
    for (const { file } of await this.#filesOf(
      from,
      [...model, ...seed, ...snapshot, ...analysis, ...macro, ...test],
      /\.ya?ml$/,
    )) {
      const found = readProperties(file, await this.#text(file), globals)
      this.failures.push(...found.failures)
      this.project.warnings.push(...found.warnings)
      this.#properties.push({ from, found })
      for (const patch of found.patches) {
        const key = `${from.name}.${patch.section}.${patch.name}`
        const other = this.#patches.get(key)
        if (other) {
          this.failures.push(
            new Failure(
              'PROJECT_INVALID',
              `"${patch.name}" is already described in ${other.file}:${other.place.line ?? 1}`,
              { place: patch.place },
            ),
          )
        } else this.#patches.set(key, patch)
      }
      for (const { name, value, place } of found.exposures) {
        const uniqueId = `exposure.${from.name}.${name}`
        this.project.exposures.set(uniqueId, { ...emptyEntry, uniqueId, name, package: from.name, file, value, place })
      }
    }
  }

  // --- nodes

  async #readNodes(from: DbtPackage): Promise<void> {
    const models = await this.#filesOf(from, from.paths.model, /\.(sql|py)$/)
    for (const sql of await Promise.all(models.map(({ root, file }) => this.#sql(from, root, file)))) {
      const { file, at } = sql
      if (file.endsWith('.py')) {
        this.failures.push(
          new Failure('SQL_UNSUPPORTED', `${file} is a Python model; models are SQL here`, { place: { file, ...at } }),
        )
      } else this.#addModel(sql)
    }
    for (const { root, file } of await this.#filesOf(from, from.paths.seed, /\.csv$/)) {
      this.#addNode('seed', { package: from, root, file, text: '', at: { line: 1, column: 1 } }, 'seeds', {
        refs: [],
        sources: [],
        config: {},
      })
    }
    for (const { root, file } of await this.#filesOf(from, from.paths.analysis, /\.sql$/)) {
      const sql = await this.#sql(from, root, file)
      const parsed = this.#parseSql(sql)
      if (parsed) this.#addNode('analysis', sql, 'analyses', parsed)
    }
  }

  #addModel(sql: SqlFile): void {
    const parsed = this.#parseSql(sql)
    this.#addNode('model', sql, 'models', parsed ?? { refs: [], sources: [], config: {} })
  }

  #addNode(kind: NodeKind, sql: SqlFile, section: Patch['section'], parsed: Parsed): DbtNode | undefined {
    const from = sql.package
    const path = sql.file.slice(sql.root.length + 1)
    const stem = path.replace(/^.*\//, '').replace(/\.\w+$/, '')
    const { patch, version } = this.#patchOf(from, section, stem)
    if (patch) this.#usedPatches.add(patch)
    const name = version === undefined ? stem : patch!.name
    const folders = path.split('/').slice(0, -1)
    const fqn = [
      from.name,
      ...(kind === 'analysis' ? ['analysis'] : []),
      ...folders,
      name,
      ...(version === undefined ? [] : [`v${version.v}`]),
    ]
    const uniqueId = `${kind}.${from.name}.${name}${version === undefined ? '' : `.v${version.v}`}`
    const place = { file: sql.file, ...sql.at }
    const config = this.#configOf(kind, from, fqn, [patch?.config ?? {}, version?.config ?? {}, parsed.config])
    const node: DbtNode = {
      uniqueId,
      kind,
      name,
      package: from.name,
      fqn,
      file: sql.file,
      path,
      rawSql: sql.text,
      config,
      tags: tagsOf(config),
      description: patch?.description ?? '',
      columns: patch?.columns ?? [],
      database: '',
      schema: '',
      alias: '',
      version: version?.v,
      latestVersion:
        patch && patch.versions.length > 0
          ? (patch.latestVersion ?? latestOf(patch.versions.map(({ v }) => v)))
          : undefined,
      refs: parsed.refs,
      sources: parsed.sources,
      dependsOn: [],
      test: undefined,
      ...plainNode,
      place,
      patch: patch?.place,
    }
    return this.#keep(node) ? node : undefined
  }

  #patchOf(from: DbtPackage, section: Patch['section'], stem: string) {
    const patch = this.#patches.get(`${from.name}.${section}.${stem}`)
    if (patch && patch.versions.length === 0) return { patch, version: undefined }
    for (const each of this.#patches.values()) {
      if (each.section !== section || each.versions.length === 0) continue
      const version = each.versions.find(
        ({ v, definedIn }) =>
          (definedIn ?? `${each.name}_v${v}`) === stem ||
          (definedIn === undefined && each.name === stem && each.versions.length === 1),
      )
      if (version) return { patch: each, version }
    }
    return { patch, version: undefined }
  }

  #configOf(kind: NodeKind, from: DbtPackage, fqn: readonly string[], own: Config[]): Config {
    const root = this.#root!
    const tree = treeOf[kind]
    const layers = [...treeConfigs(from.configs[tree], fqn), ...own]
    if (from !== root) layers.push(...treeConfigs(root.configs[tree], fqn))
    return resolveConfig(defaultsOf[kind], layers)
  }

  /** Names the node's relation and keeps it, or remembers that it is disabled. */
  #keep(node: DbtNode): boolean {
    if (node.config['enabled'] === false) {
      this.project.disabled.set(node.uniqueId, node.file)
      return false
    }
    const other = this.project.nodes.get(node.uniqueId)
    if (other) {
      this.failures.push(
        new Failure('PROJECT_INVALID', `the ${node.kind} "${node.name}" is already defined in ${other.file}`, {
          place: node.place,
        }),
      )
      return false
    }
    gathering(this.failures, () => this.#nameRelation(node))
    this.project.nodes.set(node.uniqueId, node)
    return true
  }

  #nameRelation(node: DbtNode): void {
    const { target } = this.project
    const custom = (key: string): unknown => {
      const value = node.config[key]
      return value === undefined || value === null ? null : value
    }
    node.database = target.database
    node.schema = target.schema
    node.alias = node.name
    const call = (macroName: string, value: unknown) => this.#callNameMacro(node, macroName, value)
    node.database = call('generate_database_name', custom('database'))
    node.schema = call('generate_schema_name', custom('schema'))
    node.alias = call('generate_alias_name', custom('alias'))
  }

  #callNameMacro(node: DbtNode, macroName: string, value: unknown): string {
    const from = this.project.packages.get(node.package)!
    let context = this.#nameContexts.get(from.name)
    if (!context) {
      context = this.#context(
        from,
        parseSession({ refs: [], sources: [], config: {} }, () => node.place),
        new Dict(),
        node,
      )
      this.#nameContexts.set(from.name, context)
    }
    const macro = this.#macros.find(this.project.name, macroName)
    const result = (context.macros.bind(macro!) as Callable)([fromJs(value), nodeDict(node)], {})
    return str(result).trim()
  }

  #context(from: DbtPackage, session: Session, model: Dict | null, node: DbtNode | undefined): Context {
    const { target } = this.project
    return openContext({
      project: this.project,
      macros: this.#macros,
      packageName: from.name,
      scopes: this.#scopes(from),
      session,
      model,
      this: new Relation({
        database: node?.database || target.database,
        schema: node?.schema || target.schema,
        identifier: node?.alias || node?.name || null,
      }),
      quoting: this.#root!.quoting,
      lenient: true,
    })
  }

  // --- what a file's SQL says

  #parseSql({ package: from, file, text, at }: SqlFile): Parsed | undefined {
    return gathering(this.failures, () => {
      const analysis = findCalls(text, ['ref', 'source', 'config', 'var'], { file, ...at })
      const overridden = ['ref', 'source', 'config', 'var'].some((name) => this.#macros.find(from.name, name))
      if (!analysis.isStatic || overridden) return this.#parseByRendering(from, file, text, at)
      const parsed: Parsed = { refs: [], sources: [], config: {} }
      const failures: Failure[] = []
      for (const call of analysis.calls) gathering(failures, () => this.#readCall(from, call, parsed))
      if (failures.length > 0) throw new Failures(failures)
      return parsed
    })
  }

  #readCall(from: DbtPackage, call: FoundCall, parsed: Parsed): void {
    const { args, kwargs } = call.literal!
    const wrong = (message: string) => new Failure('TEMPLATE_FAILED', message, { place: call.place })
    const isText = args.every((each) => typeof each === 'string')
    switch (call.name) {
      case 'config':
        if (args.length > 0) throw wrong('config() takes names with values: config(materialized="table")')
        parsed.config = mergeConfig(parsed.config, kwargs)
        return
      case 'ref': {
        if (args.length < 1 || args.length > 2 || !isText)
          throw wrong('ref() takes the name of a model, or a package and a name')
        const version = kwargs['version'] ?? kwargs['v']
        const [name, packageName] = (args as string[]).toReversed()
        parsed.refs.push({
          name: name!,
          package: packageName,
          version: version === undefined || version === null ? undefined : str(version),
          place: call.place,
        })
        return
      }
      case 'source':
        if (args.length !== 2 || !isText) throw wrong('source() takes the name of a source and of a table')
        parsed.sources.push({ source: args[0] as string, table: args[1] as string, place: call.place })
        return
      case 'var': {
        const [name] = args
        if (
          args.length < 2 &&
          !('default' in kwargs) &&
          !this.#scopes(from).some((scope) => Object.hasOwn(scope, str(name ?? '')))
        ) {
          const known = this.#scopes(from).flatMap((scope) => Object.keys(scope))
          throw new Failure(
            'TEMPLATE_FAILED',
            `var "${str(name)}" has no value and no default${didYouMean(str(name), known)}`,
            {
              place: call.place,
              hint: 'Give it under "vars" in dbt_project.yml, with --vars, or as a default: var("name", "value").',
            },
          )
        }
      }
    }
  }

  #parseByRendering(from: DbtPackage, file: string, text: string, at: SqlFile['at']): Parsed {
    const parsed: Parsed = { refs: [], sources: [], config: {} }
    const place = { file, ...at }
    const places = callPlaces(text, { file, ...at })
    const session = parseSession(parsed, (name) => places.get(name) ?? place)
    const stem = file.replace(/^.*\//, '').replace(/\.\w+$/, '')
    const model = fromJs({
      name: stem,
      unique_id: `model.${from.name}.${stem}`,
      package_name: from.name,
      resource_type: 'model',
      path: file,
      original_file_path: file,
      config: {},
      alias: stem,
      tags: [],
      columns: {},
    }) as Dict
    const context = this.#context(from, session, model, undefined)
    compileTemplate(text, { file, ...at }).render(context.globals, { lenient: true })
    return parsed
  }

  // --- sources

  #readSources(): void {
    const root = this.#root!
    for (const { from, found } of this.#properties) {
      for (const entry of found.sources) {
        gathering(this.failures, () => this.#addSource(from, root, entry))
      }
    }
  }

  #addSource(from: DbtPackage, root: DbtPackage, entry: SourceEntry): void {
    const folders = relativeFolders(from, entry.file)
    const fqn = [from.name, ...folders, entry.source, entry.name]
    const layers = [...treeConfigs(from.configs.sources, fqn), ...entry.config]
    if (from !== root) layers.push(...treeConfigs(root.configs.sources, fqn))
    const config = resolveConfig(sourceDefaults, layers)
    const uniqueId = `source.${from.name}.${entry.source}.${entry.name}`
    if (config['enabled'] === false) {
      this.project.disabled.set(uniqueId, entry.file)
      return
    }
    const other = this.project.sources.get(uniqueId)
    if (other) {
      throw new Failure(
        'PROJECT_INVALID',
        `the source "${entry.source}.${entry.name}" is already defined in ${other.file}:${other.place.line ?? 1}`,
        { place: entry.place },
      )
    }
    this.project.sources.set(uniqueId, {
      uniqueId,
      package: from.name,
      source: entry.source,
      name: entry.name,
      fqn,
      database: entry.database ?? this.project.target.database,
      schema: entry.schema,
      identifier: entry.identifier,
      description: entry.description,
      sourceDescription: entry.sourceDescription,
      loader: entry.loader,
      config,
      tags: tagsOf(config),
      columns: entry.columns,
      quoting: quotingOf(entry.quoting, quoteAll),
      freshness: undefined,
      loadedAtField: undefined,
      loadedAtQuery: undefined,
      file: entry.file,
      place: entry.place,
    })
  }

  // --- tests

  #readGenericTests(): void {
    for (const { from, found } of this.#properties) {
      for (const patch of found.patches) {
        if (!['models', 'seeds', 'snapshots'].includes(patch.section)) continue
        const versions = patch.versions.length > 0 ? patch.versions : [undefined]
        for (const version of versions) {
          const tests = version?.tests ?? patch.tests
          const expression = version ? `ref('${patch.name}', version='${version.v}')` : `ref('${patch.name}')`
          const shown = version ? `${patch.name}_v${version.v}` : patch.name
          for (const entry of tests)
            this.#addGenericTest(from, patch.file, entry, { expression, shown, isSource: false })
        }
      }
      for (const source of found.sources) {
        const expression = `source('${source.source}', '${source.name}')`
        for (const entry of source.tests) {
          this.#addGenericTest(from, source.file, entry, {
            expression,
            shown: `${source.source}_${source.name}`,
            isSource: true,
          })
        }
      }
    }
  }

  #addGenericTest(
    from: DbtPackage,
    file: string,
    entry: TestEntry,
    target: Parameters<typeof readGenericTest>[1],
  ): void {
    gathering(this.failures, () => {
      const { column, place } = entry
      const columnName = column && (column.quote ? `"${column.name}"` : column.name)
      const test = readGenericTest(entry.definition, target, columnName, place)
      const globals = yamlGlobals(this.project.options, this.#scopes(from))
      for (const [key, value] of Object.entries(test.config)) {
        if (typeof value === 'string' && /\{[{%]/.test(value))
          test.config[key] = renderText(value, place, globals, this.failures)
      }
      const macro = this.#macros.test(from.name, test.namespace, test.name)
      if (!macro) throw this.#noSuchTest(from, test, place)
      const fqn = [from.name, ...relativeFolders(from, file), test.fullName]
      const config = this.#configOf('test', from, fqn, [test.config])
      const parsed: Parsed = { refs: [], sources: [], config: {} }
      const node: DbtNode = {
        uniqueId: `test.${from.name}.${test.fullName}.${testHash(test)}`,
        kind: 'test',
        name: test.fullName,
        package: from.name,
        fqn,
        file,
        path: `${test.shortName}.sql`,
        rawSql: `{{ ${macro.package === builtinPackage || !test.namespace ? '' : `${test.namespace}.`}test_${test.name}(**_dbt_generic_test_kwargs) }}`,
        config,
        tags: [...new Set([...tagsOf(config), ...(column?.tags ?? [])])].sort(),
        description: test.description,
        columns: [],
        database: '',
        schema: '',
        alias: '',
        version: undefined,
        latestVersion: undefined,
        refs: parsed.refs,
        sources: parsed.sources,
        dependsOn: [],
        ...plainNode,
        place,
        patch: place,
        test: {
          kind: 'generic',
          name: test.name,
          namespace: test.namespace,
          kwargs: test.kwargs,
          columnName,
          attachedTo: undefined,
        },
      }
      // A test on what is not there or switched off is switched off with it; one on a disabled node says nothing.
      this.#parseGenericTest(from, node, macro, parsed, place)
      node.config = mergeConfig(node.config, parsed.config)
      if (this.project.nodes.has(node.uniqueId)) {
        this.failures.push(
          new Failure('PROJECT_INVALID', `the test "${test.fullName}" stands here twice; give one of them a "name"`, {
            place,
          }),
        )
        return
      }
      this.#keep(node)
    })
  }

  #noSuchTest(from: DbtPackage, test: GenericTest, place: Place): Failure {
    const shown = test.namespace === undefined ? test.name : `${test.namespace}.${test.name}`
    const known = [...builtins(), ...this.project.macros]
      .filter(({ kind }) => kind === 'test' || kind === 'data_test')
      .map(
        ({ package: owner, macroName }) =>
          (owner === from.name || owner === builtinPackage ? '' : `${owner}.`) + macroName.replace(/^test_/, ''),
      )
    const hint =
      test.namespace && !this.project.packages.has(test.namespace)
        ? { hint: `The package "${test.namespace}" is not installed: its folder is expected in dbt_packages/.` }
        : {}
    return new Failure('PROJECT_INVALID', `there is no test "${shown}"${didYouMean(shown, known)}`, { place, ...hint })
  }

  #parseGenericTest(from: DbtPackage, node: DbtNode, macro: DbtMacro, parsed: Parsed, place: Place): void {
    const session = parseSession(parsed, () => place)
    if (node.test?.kind !== 'generic') return
    if (macro.package === builtinPackage) {
      // dbt's own tests read what their arguments name and nothing else.
      for (const value of Object.values(node.test.kwargs)) {
        if (typeof value !== 'string') continue
        const text = looksLikeCall.test(value) ? `{{ ${value} }}` : value
        if (!text.includes('{{')) continue
        for (const call of findCalls(text, ['ref', 'source'], {}).calls) {
          if (call.literal) this.#readCall(from, { ...call, place }, parsed)
        }
      }
      return
    }
    const context = this.#context(from, session, nodeDict(node), node)
    const kwargs = renderKwargs(node.test.kwargs, context, true)
    try {
      context.macros.bind(macro)([], kwargs)
    } catch (error) {
      throw atTest(error, place)
    }
  }

  async #readSingularTests(from: DbtPackage): Promise<void> {
    for (const { root, file } of await this.#filesOf(from, from.paths.test, /\.sql$/)) {
      if (file.startsWith(`${root}/generic/`)) continue
      const sql = await this.#sql(from, root, file)
      const parsed = this.#parseSql(sql)
      if (!parsed) continue
      const node = this.#addNode('test', sql, 'data_tests', parsed)
      if (node) node.test = { kind: 'singular' }
    }
  }

  // --- the finish

  /** Fills `{{ doc('name') }}` in descriptions. */
  #describe(): void {
    const describe = (text: string, from: string, place: Place): string => {
      if (!text.includes('{{')) return text
      const doc: Callable = (args) => {
        const [name, packageName] = args.map(str).toReversed()
        const found =
          [packageName, from, this.project.name]
            .filter((each) => each !== undefined)
            .map((each) => this.project.docs.get(`${each}.${name ?? ''}`))
            .find(Boolean) ?? [...this.project.docs.values()].find((each) => each.name === name)
        if (found) return found.text
        throw new Failure(
          'PROJECT_INVALID',
          `there is no docs block "${name ?? ''}"${didYouMean(
            name ?? '',
            [...this.project.docs.values()].map((each) => each.name),
          )}`,
        )
      }
      const globals = yamlGlobals(this.project.options, this.#scopes(this.project.packages.get(from)!)) as Map<
        string,
        unknown
      >
      return str(renderText(text, place, new Map([...globals, ['doc', doc]]), this.failures))
    }
    for (const node of [...this.project.nodes.values(), ...this.project.sources.values()]) {
      node.description = describe(
        node.description,
        node.package,
        ('patch' in node ? node.patch : undefined) ?? node.place,
      )
      node.columns = node.columns.map((column) =>
        column.description.includes('{{')
          ? { ...column, description: describe(column.description, node.package, column.place) }
          : column,
      )
    }
  }

  /** Turns the refs and sources of every node into unique ids. */
  #resolve(): void {
    const byName = nodesByName(this.project)
    // Nodes are deleted on the way; a Map allows that.
    for (const node of this.project.nodes.values()) {
      const found = new Set<string>()
      let isDisabled = false
      const missing: Failure[] = []
      for (const ref of node.refs) {
        const to = pickRef(byName.get(ref.name) ?? [], ref, node.package, this.project.name)
        if (to) found.add(to.uniqueId)
        else if (
          [...this.project.disabled.keys()].some((id) => !id.startsWith('source.') && id.split('.')[2] === ref.name)
        ) {
          isDisabled = true
          missing.push(refFailure(node, ref, 'is switched off (enabled: false)'))
        } else missing.push(refFailure(node, ref, `is not there${didYouMean(ref.name, byName.keys())}`))
      }
      for (const call of node.sources) {
        const to = findSource(this.project, call, node.package)?.uniqueId
        if (to) found.add(to)
        else {
          isDisabled ||= [...this.project.disabled.keys()].some(
            (id) => id.startsWith('source.') && id.endsWith(`.${call.source}.${call.table}`),
          )
          missing.push(this.#sourceFailure(node, call))
        }
      }
      node.dependsOn = [...found]
      if (missing.length > 0 && node.kind === 'test' && isDisabled) {
        this.project.nodes.delete(node.uniqueId)
        this.project.disabled.set(node.uniqueId, node.file)
      } else if (
        missing.length > 0 &&
        node.kind === 'test' &&
        node.test?.kind === 'generic' &&
        node.refs.length > 0 &&
        !byName.has(node.refs[0]!.name)
      ) {
        // Properties of a model that is not there: a warning, as for its other properties.
        this.project.nodes.delete(node.uniqueId)
      } else this.failures.push(...missing)
      if (node.test?.kind === 'generic') node.test.attachedTo = node.dependsOn[0]
    }
  }

  #sourceFailure(node: DbtNode, { source, table, place }: SourceCall): Failure {
    const known = [...this.project.sources.values()]
    const tables = known.filter((each) => each.source === source).map(({ name }) => name)
    const suggestion =
      tables.length > 0 ? didYouMean(table, tables) : didYouMean(source, new Set(known.map((each) => each.source)))
    return new Failure(
      'MODEL_INVALID',
      `${node.kind} "${node.name}" reads source('${source}', '${table}'), which is not there${suggestion}`,
      { place },
    )
  }

  /**
   * A model that reads another by its plain name (`from staging.orders`) is built after it. dbt does not know such
   * reads, so they only add to the order where they cannot make a circle.
   */
  #addPlainNames(): void {
    const byRelation = new Map<string, DbtNode>()
    for (const node of this.project.nodes.values()) {
      if (
        (node.kind === 'model' || node.kind === 'seed' || node.kind === 'snapshot') &&
        node.config['materialized'] !== 'ephemeral'
      ) {
        byRelation.set(`${node.schema}.${node.alias}`.toLowerCase(), node)
      }
    }
    for (const node of this.project.nodes.values()) {
      if (node.kind !== 'model' && node.test?.kind !== 'singular') continue
      for (const name of plainNames(node.rawSql)) {
        const [schema, table] = name.split('.').slice(-2)
        const to = byRelation.get(`${schema ?? ''}.${table ?? ''}`.toLowerCase())
        if (to && to !== node && !node.dependsOn.includes(to.uniqueId) && !this.#reaches(to.uniqueId, node.uniqueId)) {
          node.dependsOn.push(to.uniqueId)
        }
      }
    }
  }

  #reaches(from: string, to: string, seen = new Set<string>()): boolean {
    if (from === to) return true
    if (seen.has(from)) return false
    seen.add(from)
    return (this.project.nodes.get(from)?.dependsOn ?? []).some((each) => this.#reaches(each, to, seen))
  }
}

// --- helpers

const placeOf = ({ origin }: DbtMacro): Place => ({
  ...(origin.file !== undefined && { file: origin.file }),
  line: origin.line ?? 1,
  column: origin.column ?? 1,
})

/** Newest version: numbers by value, else by text. */
const latestOf = (versions: string[]): string =>
  versions.toSorted((a, b) => Number(a) - Number(b) || a.localeCompare(b)).at(-1)!

function relativeFolders(from: DbtPackage, file: string): string[] {
  const inside = from.folder === '' ? file : file.slice(from.folder.length + 1)
  return inside.split('/').slice(1, -1)
}

/** The session of parsing: collects, answers nothing. */
export function parseSession(parsed: Parsed, placeOfCall: (name: string) => Place): Session {
  const placeholder = (identifier: string) => new Relation({ database: null, schema: null, identifier })
  return {
    execute: false,
    ref(name, packageName, version) {
      if (!parsed.refs.some((each) => each.name === name && each.package === packageName && each.version === version)) {
        parsed.refs.push({ name, package: packageName, version, place: placeOfCall(`ref ${name}`) })
      }
      return placeholder(name)
    },
    source(source, table) {
      if (!parsed.sources.some((each) => each.source === source && each.table === table)) {
        parsed.sources.push({ source, table, place: placeOfCall(`source ${source}.${table}`) })
      }
      return placeholder(table)
    },
    configure(values) {
      parsed.config = mergeConfig(parsed.config, values)
    },
    config: () => undefined,
    ask: () => ({ kind: 'query', answer: { columns: [], rows: [] } }),
  }
}

/** Where `ref('a')` and `source('a', 'b')` stand in a file whose calls are found by rendering. */
function callPlaces(text: string, origin: { file: string; line: number; column: number }): Map<string, Place> {
  const places = new Map<string, Place>()
  for (const { name, literal, place } of findCalls(text, ['ref', 'source'], origin).calls) {
    if (!literal) continue
    const names = literal.args.map(String)
    const key = name === 'ref' ? `ref ${names.at(-1) ?? ''}` : `source ${names.join('.')}`
    if (!places.has(key)) places.set(key, place)
  }
  return places
}

function refFailure(node: DbtNode, { name, package: from, version, place }: RefCall, what: string): Failure {
  const args = [
    ...(from === undefined ? [] : [`'${from}'`]),
    `'${name}'`,
    ...(version === undefined ? [] : [`v=${version}`]),
  ]
  return new Failure('MODEL_INVALID', `${node.kind} "${node.name}" reads ref(${args.join(', ')}), which ${what}`, {
    place,
  })
}

/** Arguments of a generic test, each text rendered: to a value, but column names to text. */
export function renderKwargs(kwargs: Config, context: Context, lenient: boolean): Record<string, unknown> {
  const render = (value: unknown, path: string): unknown => {
    if (typeof value === 'string') {
      const text = looksLikeCall.test(value) ? `{{ ${value} }}` : value
      if (!/\{[{%#]/.test(text)) return text
      const template = compileTemplate(text)
      return path === 'column_name'
        ? template.render(context.globals, { lenient })
        : template.renderNative(context.globals, { lenient })
    }
    if (Array.isArray(value)) return value.map((each) => render(each, `${path}[]`))
    if (typeof value === 'object' && value !== null) {
      return new Dict(Object.entries(value).map(([key, each]) => [key, render(each, `${path}.${key}`)] as const))
    }
    return value
  }
  return Object.assign(
    Object.create(null) as Record<string, unknown>,
    Object.fromEntries(Object.entries(kwargs).map(([key, value]) => [key, render(value, key)])),
  )
}

/** An error inside a test's macro is shown where the test stands; the macro's own place stays in `calls`. */
export function atTest(error: unknown, place: Place): unknown {
  if (!(error instanceof Failure)) return error
  const { code, message, hint, context, cause } = error
  const inMacro = error.place ? ` (in ${error.place.file ?? 'a macro'}:${error.place.line ?? 1})` : ''
  return new Failure(code, `${message}${error.place?.file === 'dbt' ? '' : inMacro}`, {
    ...context,
    hint,
    cause,
    place,
  })
}

const noise = /\{#[^]*?#\}|--[^\n]*|\/\*[^]*?\*\/|'(?:''|[^'])*'|\{\{[^]*?\}\}|\{%[^]*?%\}/g
const tableName = /\b(?:from|join)\s+((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+)){1,2})(?!\s*\()/gi

/** Two- and three-part names after FROM and JOIN, outside of Jinja, comments and texts. */
export function plainNames(sql: string): string[] {
  const text = sql.replace(noise, ' ')
  return [...new Set(Array.from(text.matchAll(tableName), ([, name]) => name!.replaceAll('"', '')))]
}

export const checksum = (text: string): string => createHash('sha256').update(text.trim()).digest('hex')
