// The files of a project that are nodes: models, seeds, snapshots, analyses and singular tests, each with its config.

import { isRecord } from '../../base/record.ts'
import { Failure, type Place } from '../../base/failure.ts'
import { findBlocks } from '../../jinja/index.ts'
import { readPythonModel } from './python-model.ts'
import { fileChecksum, seedBytesMax, seedChecksum } from './checksum.ts'
import { emptyParsed, parseSql, refOrSource, type Parsed, type SqlFile } from './calls.ts'
import { behaviourFlag, configOf, hooksOf, tagsOf } from './config.ts'
import { readForeignKeys } from './foreign-keys.ts'
import { argumentProblems, overloadsOf } from './functions.ts'
import type { Facts, Patch } from './properties.ts'
import { fileInPackage, latestOf, relativeFolders, type Reading } from './reading.ts'
import { versionedName } from './references.ts'
import { RelationNames } from './relation-names.ts'
import { quotingOf } from './project-file.ts'
import type { Config, DbtNode, DbtPackage, FunctionSpec, NodeKind } from './types.ts'
import { gathering } from './yaml-file.ts'

export type NodeInput = {
  kind: NodeKind
  name: string
  package: DbtPackage
  fqn: string[]
  file: string
  path: string
  rawSql: string
  parsed: Parsed
  /** What YAML says about it, lowest precedence first. */
  configs: readonly Config[]
  facts: Facts | undefined
  patch: Patch | undefined
  version: string | undefined
  place: Place
  checksum: DbtNode['checksum']
  spec?: FunctionSpec
}

/** Makes nodes and keeps them in the project. */
export class Nodes {
  readonly #reading: Reading
  readonly #names: RelationNames
  /** What nodes were made of, by unique id. */
  readonly #inputs = new Map<string, NodeInput>()

  constructor(reading: Reading) {
    this.#reading = reading
    this.#names = new RelationNames(reading)
  }

  /** Reads the model, seed, snapshot and analysis files of one package. */
  async read(from: DbtPackage): Promise<void> {
    const { files } = this.#reading
    for (const sql of await readSqlFiles(this.#reading, from, from.paths.model, /\.(sql|py)$/i)) this.#model(sql)
    for (const { root, file } of await files.find(from, from.paths.seed, /\.csv$/i)) {
      const sql = { package: from, root, file, text: '', at: { line: 1, column: 1 } }
      const text = files.size(file) > seedBytesMax ? undefined : ((await files.read(file)) ?? '')
      const checksum = seedChecksum(fileInPackage(from, file), text)
      this.#fromFile('seed', sql, 'seeds', emptyParsed(), checksum)
    }
    for (const sql of await readSqlFiles(this.#reading, from, from.paths.snapshot, /\.sql$/i)) this.#snapshots(sql)
    await this.#yamlSnapshots(from)
    for (const sql of await readSqlFiles(this.#reading, from, from.paths.analysis, /\.sql$/i))
      this.#fromFile('analysis', sql, 'analyses', this.#parse(sql, 'analysis'))
    await this.#functions(from)
  }

  async #functions(from: DbtPackage): Promise<void> {
    const all = await readSqlFiles(this.#reading, from, from.paths.function, /\.(sql|py|js)$/i)
    const files = new Map(all.map((sql) => [stemOf(sql.file), sql]))
    const owners = overloadsOf(this.#reading, from, new Set(files.keys()))
    for (const sql of all) {
      if (owners.has(stemOf(sql.file))) continue
      const { patch } = this.#reading.patchOf(from, 'functions', stemOf(sql.file))
      const parsed = this.#parse(sql, 'function')
      if (!parsed) continue
      const overloads = (patch?.overloads ?? []).flatMap((form) => {
        const body = owners.get(form.definedIn) === patch ? files.get(form.definedIn) : undefined
        if (!body) return []
        // What the body of an overload reads the function reads.
        const inBody = this.#parse(body, 'function')
        for (const key of ['refs', 'sources', 'functions'] as const)
          (parsed[key] as unknown[]).push(...(inBody?.[key] ?? []))
        return [{ ...form, rawSql: body.text, place: { file: body.file, ...body.at } }]
      })
      const form = { arguments: patch?.arguments ?? [], returns: patch?.returns, description: patch?.description }
      const spec = { ...form, overloads }
      for (const problem of [form, ...overloads].flatMap((each) => argumentProblems(stemOf(sql.file), each)))
        this.#reading.wrong(problem, patch?.place ?? sql.at)
      this.#fromFile('function', sql, 'functions', parsed, fileChecksum(sql.text), spec)
    }
  }

  /**
   * To be called when all nodes are read: properties of a name that their own package does not have, or has switched off,
   * are about the node of that name in another one.
   */
  describeStrays(): void {
    const { nodes } = this.#reading.project
    for (const [kind, section] of [
      ['model', 'models'],
      ['seed', 'seeds'],
      ['snapshot', 'snapshots'],
    ] as const)
      for (const { from, patch } of this.#reading.patchesOf(section)) {
        if (patch.versions.length > 0 || nodes.has(`${kind}.${from}.${patch.name}`)) continue
        const called = [...nodes.values()].filter(
          (node) => node.kind === kind && node.name === patch.name && node.version === undefined,
        )
        const meant = called.find((node) => !node.patch)
        const [described] = called
        if (!meant && described) {
          this.#reading.wrongTwice(patch, described.patch!)
          this.#reading.usePatch(patch)
        }
        const input = meant && this.#inputs.get(meant.uniqueId)
        if (!input) continue
        nodes.delete(meant.uniqueId)
        this.add({ ...input, configs: [patch.config], facts: patch, patch })
        this.#reading.usePatch(patch)
      }
  }

  /** Tests that are SQL files of their own. */
  async readSingularTests(from: DbtPackage): Promise<void> {
    for (const sql of await readSqlFiles(this.#reading, from, from.paths.test, /\.sql$/i)) {
      const path = sql.file.slice(sql.root.length + 1)
      if (path.startsWith('generic/') || path.startsWith('fixtures/')) continue
      const node = this.#fromFile('test', sql, 'data_tests', this.#parse(sql, 'test'))
      if (node) node.test = { kind: 'singular' }
    }
  }

  #parse(sql: SqlFile, kind: NodeKind): Parsed | undefined {
    return parseSql(this.#reading, sql, kind, stemOf(sql.file))
  }

  #model(sql: SqlFile): void {
    // A broken model stays known, so that those who read it are not reported as well.
    const parsed = isPython(sql.file)
      ? readPythonModel(sql.text, { file: sql.file, ...sql.at })
      : (this.#parse(sql, 'model') ?? emptyParsed())
    this.#fromFile('model', sql, 'models', parsed)
  }

  #fromFile(
    kind: NodeKind,
    sql: SqlFile,
    section: Patch['section'],
    parsed: Parsed | undefined,
    checksum = fileChecksum(sql.text),
    spec?: FunctionSpec,
  ): DbtNode | undefined {
    if (!parsed) return undefined
    const from = sql.package
    const path = sql.file.slice(sql.root.length + 1)
    const stem = stemOf(path)
    const { patch, version } = this.#reading.patchOf(from, section, stem)
    const name = version === undefined ? stem : patch!.name
    // dbt files analyses in a folder that is none, unless a flag says otherwise.
    const isPlain = behaviourFlag(this.#reading.project, 'require_corrected_analysis_fqns') === true
    const pathInTree = kind === 'analysis' && !isPlain ? `analysis/${path}` : path
    return this.add({
      kind,
      name,
      package: from,
      fqn: [
        from.name,
        ...pathInTree.split('/').slice(0, -1),
        name,
        ...(version === undefined ? [] : [`v${version.v}`]),
      ],
      file: sql.file,
      path: pathInTree,
      rawSql: sql.text,
      parsed,
      configs: [(version ?? patch)?.config ?? {}],
      facts: version ?? patch,
      patch,
      version: version?.v,
      place: { file: sql.file, ...sql.at },
      checksum,
      ...(spec && { spec }),
    })
  }

  /** `{% snapshot name %} … {% endsnapshot %}`: several may stand in one file. */
  #snapshots(sql: SqlFile): void {
    const { file, root, package: from } = sql
    gathering(this.#reading.failures, () => {
      for (const block of findBlocks(sql.text, file, ['snapshot'])) {
        const { line, column } = startOfBody(sql, block)
        const text = { ...sql, text: block.body, at: { line, column } }
        const parsed = parseSql(this.#reading, text, 'snapshot', block.name)
        if (!parsed) continue
        const path = file.slice(root.length + 1)
        const { patch } = this.#reading.patchOf(from, 'snapshots', block.name)
        this.add({
          kind: 'snapshot',
          name: block.name,
          package: from,
          fqn: [from.name, ...path.split('/').slice(0, -1), stemOf(path), block.name],
          file,
          path,
          rawSql: block.body,
          parsed,
          configs: [patch?.config ?? {}],
          facts: patch,
          patch,
          version: undefined,
          place: { file, line, column },
          checksum: fileChecksum(sql.text),
        })
      }
    })
  }

  /** Snapshots that YAML alone defines: all rows of their `relation`. */
  async #yamlSnapshots(from: DbtPackage): Promise<void> {
    for (const { found } of this.#reading.properties.filter((each) => each.from === from)) {
      for (const patch of found.patches) {
        const { relation } = patch
        if (relation === undefined || patch.section !== 'snapshots') continue
        const parsed = gathering(this.#reading.failures, () => refOrSource(relation, patch.place))
        if (!parsed) {
          this.#reading.wrong(`"relation" must be one ref('…') or source('…', '…'), not "${relation}"`, patch.place)
          continue
        }
        this.#reading.usePatch(patch)
        this.add({
          kind: 'snapshot',
          name: patch.name,
          package: from,
          fqn: [from.name, ...relativeFolders(from, patch.file), patch.name],
          file: patch.file,
          path: `${patch.name}.sql`,
          rawSql: `select * from {{ ${relation} }}`,
          parsed,
          configs: [patch.config],
          facts: patch,
          patch,
          version: undefined,
          place: patch.place,
          checksum: fileChecksum(await this.#reading.files.text(patch.file)),
        })
      }
    }
  }

  /** Undefined when it is switched off or already there. */
  add(input: NodeInput, uniqueId?: string): DbtNode | undefined {
    const { kind, name, package: from, fqn, facts, patch, version, parsed, place } = input
    // Without the flag dbt compares what configs come to, as before 1.9.
    const isWritten = this.#reading.root.flags['state_modified_compare_more_unrendered_values'] !== false
    const written = isWritten
      ? [...(facts ? [facts.writtenConfig] : input.configs), parsed.writtenConfig ?? parsed.config]
      : [...input.configs, parsed.config]
    const { config, unrendered } = configOf(
      kind,
      fqn,
      [...input.configs, parsed.config],
      { from, root: this.#reading.root },
      written,
    )
    const node: DbtNode = {
      uniqueId: uniqueId ?? `${kind}.${from.name}.${versionedName(input)}`,
      kind,
      name,
      package: from.name,
      fqn,
      file: input.file,
      fileInPackage: fileInPackage(from, input.file),
      checksum: input.checksum,
      path: input.path,
      language: languageOf(kind, input.file),
      rawSql: input.rawSql,
      config,
      unrenderedConfig: unrendered,
      quoting: quotingOf(isRecord(config['quoting']) ? config['quoting'] : {}, this.#reading.root.quoting),
      tags: tagsOf(config),
      description: facts?.description ?? '',
      docBlocks: [],
      columns: facts?.columns ?? [],
      database: '',
      schema: '',
      alias: '',
      version,
      latestVersion: version === undefined || !patch ? undefined : latestOf(patch),
      refs: parsed.refs,
      sources: parsed.sources,
      functions: parsed.functions,
      metrics: parsed.metrics,
      spec: input.spec,
      dependsOn: [],
      macros: [...parsed.macros],
      test: undefined,
      group: undefined,
      access: 'protected',
      constraints: facts?.constraints ?? [],
      contract: false,
      deprecationDate: facts?.deprecationDate,
      timeSpine: patch?.timeSpine,
      hooks: { pre: hooksOf(config, 'pre-hook', place), post: hooksOf(config, 'post-hook', place) },
      place,
      patch: patch?.place,
    }
    if (!this.#keep(from, node)) return undefined
    this.#inputs.set(node.uniqueId, input)
    return node
  }

  #keep(from: DbtPackage, node: DbtNode): boolean {
    const { project, failures } = this.#reading
    gathering(failures, () => this.#names.name(node))
    if (!this.#reading.isEnabled({ ...node, place: node.patch ?? node.place })) {
      project.disabled.set(node.uniqueId, [
        ...(project.disabled.get(node.uniqueId) ?? []),
        { kind: 'node', entry: node },
      ])
      return false
    }
    const other = project.nodes.get(node.uniqueId)
    if (other) {
      const message =
        node.kind === 'test'
          ? `dbt found two data_tests with the name "${node.name}": here and in ${other.file}:${other.place.line ?? 1}; give one of them a "name"`
          : `dbt found two ${node.kind === 'analysis' ? 'analyses' : `${node.kind}s`} with the name "${node.name}": here and in ${other.file}`
      return this.#reading.wrong(message, node.place) ?? false
    }
    this.#fromConfig(from, node)
    project.nodes.set(node.uniqueId, node)
    return true
  }

  /** What the node has of its config in words of its own. */
  #fromConfig(from: DbtPackage, node: DbtNode): void {
    const { config } = node
    if (typeof config['group'] === 'string') node.group = config['group']
    node.contract = isRecord(config['contract']) && config['contract']['enforced'] === true
    if (node.kind === 'model') {
      readForeignKeys(this.#reading, node)
      const access = (['private', 'protected', 'public'] as const).find((each) => each === config['access'])
      if (access) node.access = access
      else
        this.#reading.wrong(
          `the access of "${node.name}" is "${String(config['access'])}"; it must be private, protected or public`,
          node.patch ?? node.place,
        )
    }
    if (node.kind === 'test') {
      // `store_failures_as` decides; without it the old switch means a table or nothing.
      const { store_failures_as: storedAs = null, store_failures: isStored = null } = config
      if (storedAs !== null) config['store_failures'] = storedAs !== 'ephemeral'
      else if (isStored !== null) config['store_failures_as'] = isStored === true ? 'table' : 'ephemeral'
      const { storeFailures } = this.#reading.project.options.flags
      node.storesFailures = (config['store_failures'] ?? storeFailures) === true
      return
    }
    for (const key of ['pre-hook', 'post-hook'] as const) {
      const hooks = key === 'pre-hook' ? node.hooks.pre : node.hooks.post
      config[key] = hooks.map(({ sql, transaction }) => ({ sql, transaction, index: null }))
      for (const { sql } of hooks) this.#readHook(from, node, sql)
    }
  }

  /** What a hook reads the node reads as well. */
  #readHook(from: DbtPackage, node: DbtNode, sql: string): void {
    if (!sql.includes('{')) return
    const text = { package: from, root: '', file: node.file, text: sql, at: { line: 1, column: 1 } }
    const failures = this.#reading.failures.length
    const parsed = parseSql(this.#reading, text, node.kind, node.name)
    // A hook has no file: its mistakes are those of the node.
    for (const [index, failure] of this.#reading.failures.entries()) {
      if (index < failures) continue
      const { code, message, hint, context } = failure
      this.#reading.failures[index] = new Failure(code, `a hook of "${node.name}": ${message}`, {
        ...context,
        hint,
        place: node.patch ?? node.place,
      })
    }
    if (!parsed) return
    node.macros = [...new Set([...node.macros, ...parsed.macros])]
    const place = node.patch ?? node.place
    if (node.kind === 'seed' && parsed.refs.length + parsed.sources.length + parsed.metrics.length > 0)
      return this.#reading.wrong(
        `Seeds cannot depend on other nodes: a hook of "${node.name}" calls ref(), source() or metric(): ${sql}`,
        place,
      )
    for (const ref of parsed.refs) if (ref.name !== node.name) node.refs.push({ ...ref, place })
    for (const source of parsed.sources) node.sources.push({ ...source, place })
  }
}

const languageOf = (kind: NodeKind, file: string): DbtNode['language'] =>
  kind !== 'model' && kind !== 'function'
    ? 'sql'
    : isPython(file)
      ? 'python'
      : /\.js$/i.test(file)
        ? 'javascript'
        : 'sql'

const isPython = (file: string): boolean => /\.py$/i.test(file)

/** Where the text between the tags of a block begins. */
function startOfBody(
  { at }: SqlFile,
  block: { text: string; body: string; origin: { line?: number; column?: number } },
) {
  const head = block.text.slice(0, block.text.indexOf(block.body)).split('\n')
  const line = (block.origin.line ?? 1) + at.line - 1
  return head.length === 1
    ? { line, column: (block.origin.column ?? 1) + head[0]!.length }
    : { line: line + head.length - 1, column: head.at(-1)!.length + 1 }
}

async function readSqlFiles(
  { files }: Reading,
  from: DbtPackage,
  folders: readonly string[],
  extension: RegExp,
): Promise<SqlFile[]> {
  const found = await files.find(from, folders, extension)
  return Promise.all(
    found.map(async ({ root, file }) => {
      const whole = await files.text(file)
      const before = /^\s*/.exec(whole)![0]
      const lines = before.split(/\r\n|\r|\n/)
      const at = { line: lines.length, column: lines.at(-1)!.length + 1 }
      return { package: from, root, file, text: whole.trim(), at }
    }),
  )
}

const stemOf = (path: string): string => path.replace(/^.*\//, '').replace(/\.\w+(?:\.(?:j2|jinja2?))?$/, '')
