// Is the project right before anything runs? Every model's SELECT is bound in the order of the graph against empty
// tables of its inputs' types: what is not built yet is given by the columns that were bound for it. So one pass finds
// unknown columns, wrong types, ambiguous names, broken contracts, and tests of columns that are not there, all at once
// and each at its place in the template.
//
// What waits for a broken model is not told: its mistake is not its own. A template that asks the database while it
// compiles is answered as far as the answer is known, and the check says where it was not.

import { isDeepStrictEqual } from 'node:util'
import { Failure, type Place } from '../base/failure.ts'
import { openSemaphore } from '../base/semaphore.ts'
import { distinctNames, pivotsByRows, quoteName, readAs, type Given, type Lake, type Outline } from '../lake/index.ts'
import { isTable, type DbtNode, type DbtProject } from '../project/dbt/index.ts'
import { shadowAsker, tableKey, type ShadowAsker } from './check-ask.ts'
import { inPlainWords } from './check-words.ts'
import { contractFailures } from './contract.ts'
import { namesFiles } from './materializations/files.ts'
import { functionsWrittenOut } from './materializations/functions.ts'
import { operationText } from './materialize.ts'
import { readSeed } from './materializations/seed.ts'
import { Compiler, type Compiled } from './compile.ts'
import { graphOf } from './graph.ts'
import { inTemplate, queryOptions, statementOf, type Work } from './work.ts'

export type EngineColumn = Outline['columns'][number]

/** What a node gives to those who read it. */
export type Shape = {
  columns: readonly EngineColumn[]
  /** Of the SELECT; undefined for what has none (seeds) and for what was taken from the lake as it is. */
  outline: Outline | undefined
  compiled: Compiled | undefined
}

export type Checked = {
  /** By unique id: models, snapshots, seeds, and tests that bind. */
  shapes: ReadonlyMap<string, Shape>
  failures: Failure[]
  warnings: { message: string; place: Place }[]
  /** What was checked in part or not at all, and why. */
  partly: { uniqueId: string; name: string; because: string; place: Place }[]
  /** Unique ids of what reads something that is broken. */
  waiting: string[]
}

export type CheckWork = {
  project: DbtProject
  lake: Pick<Lake, 'query' | 'bind' | 'outline' | 'relations'>
  principal: Work['principal']
  /** Read through these pending changes: of a run that has loaded tables already. */
  changes?: Work['changes'] | undefined
  /** Unique ids of what is checked; what they read besides is taken as it is in the lake. Default: everything. */
  only?: ReadonlySet<string> | undefined
  /** Tables that are filled before the models run: of them nothing is known yet when they are not there. */
  awaited?: ((table: string) => boolean) | undefined
  signal?: AbortSignal | undefined
}

type State = 'ok' | 'failed' | 'waits' | 'unknown'

/** Nodes under way at once: the planning host has four slots, the others compile meanwhile. */
const underWayMax = 8

/** Checks the project as it is. Nothing is thrown for what is wrong in it; nothing is written. */
export async function checkProject(work: CheckWork): Promise<Checked> {
  const { project, only } = work
  const checker = new Checker(work)
  const { order, parents } = graphOf(project)
  const slots = openSemaphore(underWayMax)
  const states = new Map<string, Promise<State>>()
  const isChecked = (node: DbtNode | undefined): node is DbtNode =>
    node !== undefined && node.kind !== 'analysis' && node.kind !== 'function' && (!only || only.has(node.uniqueId))
  const begin = (node: DbtNode, before: readonly Promise<State>[]) => {
    const state = Promise.all(before).then(async (found) => {
      if (found.includes('failed') || found.includes('waits')) return 'waits'
      await using _ = await slots.acquire(work.signal)
      return await checker.check(node) // the slot is kept until then
    })
    state.catch(() => {}) // told below
    states.set(node.uniqueId, state)
  }
  const nodes = order.map((id) => project.nodes.get(id)).filter(isChecked)
  await checker.begin()
  // Packages read their seeds as sources, too, after `dbt seed`: the graph does not say so.
  for (const node of nodes) if (node.kind === 'seed') begin(node, [])
  await Promise.allSettled(states.values())
  for (const node of nodes) {
    const before = (parents.get(node.uniqueId) ?? []).flatMap((parent) => states.get(parent) ?? [])
    if (node.kind !== 'seed') begin(node, before)
  }
  const waiting: string[] = []
  for (const [id, state] of states) if ((await state) === 'waits') waiting.push(id)
  const position = new Map(order.map((id, index) => [id, index]))
  const { shapes, warnings, partly, failures } = checker
  const inOrder = <Item extends { uniqueId: string }>(items: Item[]) =>
    items.sort((a, b) => position.get(a.uniqueId)! - position.get(b.uniqueId)!)
  return {
    shapes,
    failures: inOrder(failures).map(({ failure }) => failure),
    warnings: inOrder(warnings),
    partly: inOrder(partly),
    waiting,
  }
}

class Checker {
  readonly shapes = new Map<string, Shape>()
  readonly failures: { uniqueId: string; failure: Failure }[] = []
  readonly warnings: { uniqueId: string; message: string; place: Place }[] = []
  readonly partly: Checked['partly'] = []
  readonly #work: CheckWork
  /** Columns of what was checked, by the name of its table. */
  readonly #given = new Map<string, readonly EngineColumn[]>()
  readonly #nodes = new Map<string, DbtNode>()
  /** Why a template may find other things than it would in a run. */
  #begun: string | undefined

  constructor(work: CheckWork) {
    this.#work = work
    for (const node of work.project.nodes.values()) if (isTable(node)) this.#nodes.set(this.#key(node), node)
  }

  /**
   * Packages keep in `graph` what their tests need, and put it there in on-run-start. So that is rendered, as far as it goes;
   * nothing that it sends is run.
   */
  async begin(): Promise<void> {
    for (const operation of this.#work.project.operations.values()) {
      if (operation.when !== 'on-run-start' || !/\{[{%]/.test(operation.sql)) continue
      const asker = shadowAsker({ ...this.#work, self: undefined, given: () => undefined, nodeOf: () => undefined })
      try {
        await operationText(operation, new Compiler(this.#work.project, asker.ask), quiet)
      } catch (error) {
        if (!(error instanceof Failure) || error.help.retry) throw error
        this.#begun = `on-run-start could not be tried, and its template fails without: ${error.message}`
      }
    }
  }

  async check(node: DbtNode): Promise<State> {
    try {
      if (node.kind === 'seed') return await this.#seed(node)
      if (node.file.endsWith('.py')) return this.#unknown(node, 'it is Python')
      return await this.#select(node)
    } catch (error) {
      // A busy or lost engine says nothing of the project.
      if (!(error instanceof Failure) || error.help.retry || this.#work.signal?.aborted) throw error
      this.failures.push({ uniqueId: node.uniqueId, failure: inPlainWords(error, this.#inputs(node)) })
      return 'failed'
    }
  }

  async #select(node: DbtNode): Promise<State> {
    const isIncremental = node.config['materialized'] === 'incremental'
    const first = await this.#bound(node, undefined)
    if (first === 'unknown') return 'unknown'
    const columns = storedColumns(node, first.outline.columns)
    this.#know(node, { columns, ...first })
    const mistakes =
      node.kind === 'test' ? [] : await contractFailures(node, first.outline.columns, (type) => this.#typeNamed(type))
    for (const failure of mistakes) this.failures.push({ uniqueId: node.uniqueId, failure })
    // Once as it is first built and once as it is added to.
    if (isIncremental) {
      const later = await this.#bound(node, columns)
      if (later !== 'unknown') this.shapes.set(node.uniqueId, { columns, ...later })
    }
    return mistakes.length > 0 ? 'failed' : 'ok'
  }

  /** Its SELECT, compiled and bound. `self`: the columns of its own table, as when it is there already. */
  async #bound(node: DbtNode, self: readonly EngineColumn[] | undefined) {
    const { project, lake } = this.#work
    const asker: ShadowAsker = shadowAsker({
      ...this.#work,
      self: node.kind === 'test' ? undefined : { key: this.#key(node), columns: self },
      given: (key) => this.#given.get(key),
      nodeOf: (key) => this.#nodes.get(key),
    })
    let compiled: Compiled
    try {
      compiled = await new Compiler(project, asker.ask, { isRehearsal: true }).compile(node)
    } catch (error) {
      const doubt = asker.unknown ?? (asker.doubtful ? asker.noted : undefined) ?? this.#begun
      if (doubt !== undefined && error instanceof Failure) return this.#unknown(node, doubt)
      throw error
    }
    if (asker.noted !== undefined)
      this.partly.push({ uniqueId: node.uniqueId, name: node.name, because: asker.noted, place: node.place })
    if (namesFiles(compiled.sql)) return this.#unknown(node, 'it reads files')
    if (pivotsByRows(compiled.sql)) return this.#unknown(node, 'PIVOT makes columns of the values that it finds')
    try {
      const written = await functionsWrittenOut(statementOf(compiled), this.#work)
      const outline = await inTemplate(compiled, () =>
        lake.outline(written, { ...queryOptions(this.#work), given: this.#columnsOf }),
      )
      if (mayCast.test(written)) await this.#vainCasts(node, compiled, outline)
      return { compiled, outline }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      const missing = this.#unseen(error) ?? (asker.doubtful ? asker.noted : undefined)
      if (missing === undefined) throw error
      return this.#unknown(node, missing)
    }
  }

  /** A column that is always NULL has some type, so this is no mistake for certain. */
  async #vainCasts({ uniqueId }: DbtNode, compiled: Compiled, { vainCasts }: Outline): Promise<void> {
    for (const { from, to, place } of await vainCasts()) {
      const warning = {
        uniqueId,
        message: `a cast of ${from} to ${to} fails for every value but NULL`,
        place: compiled.place(place),
      }
      // An incremental model is bound twice.
      if (!this.warnings.some((known) => isDeepStrictEqual(known, warning))) this.warnings.push(warning)
    }
  }

  /** Why a table that is not there is no mistake: it is not known yet what it will be. */
  #unseen({ code, context }: Failure): string | undefined {
    if (code !== 'TABLE_NOT_FOUND' || typeof context['table'] !== 'string') return undefined
    const table = context['table']
    const node = this.#nodes.get(table.toLowerCase())
    if (node) return `${node.name} is not built yet, and its columns are not known before`
    return this.#work.awaited?.(table) ? `${table} is not loaded yet` : undefined
  }

  async #seed(node: DbtNode): Promise<State> {
    const { columns } = await readSeed(node, this.#work)
    if (columns.some(({ type }) => type.includes('{')))
      return this.#unknown(node, 'its column types are rendered when it is loaded')
    const casts = columns.map(({ name, type }) => `cast(null as ${type}) as ${quoteName(name)}`)
    const typed = await this.#bind(`select ${casts.join(', ')}`).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error
      // The statement is ours: where it stands there says nothing.
      throw error.with({
        message: `${error.message} (among the column_types of the seed "${node.name}")`,
        place: node.patch ?? node.place,
      })
    })
    this.#know(node, { columns: storedColumns(node, typed), outline: undefined, compiled: undefined })
    return 'ok'
  }

  /** Names of the columns of what a node reads, as far as they were bound. */
  #inputs(node: DbtNode): Map<string, string[]> {
    return new Map(
      node.dependsOn.flatMap((id) => {
        const shape = this.shapes.get(id)
        return shape ? [[id, shape.columns.map(({ name }) => name)] as const] : []
      }),
    )
  }

  #know(node: DbtNode, shape: Shape): void {
    this.shapes.set(node.uniqueId, shape)
    if (node.kind === 'test') return
    this.#given.set(this.#key(node), shape.columns)
    const known = new Set(shape.columns.map(({ name }) => name.toLowerCase()))
    for (const { name, place } of node.columns)
      if (!known.has(name.toLowerCase()))
        this.warnings.push({
          uniqueId: node.uniqueId,
          message: `the column "${name}" is described, but ${node.name} does not have it`,
          place,
        })
  }

  #bind(sql: string) {
    return this.#work.lake.bind(sql, queryOptions(this.#work))
  }

  #unknown(node: DbtNode, because: string): 'unknown' {
    this.partly.push({ uniqueId: node.uniqueId, name: node.name, because, place: node.place })
    return 'unknown'
  }

  /** The engine's name of a type as people write it. */
  async #typeNamed(type: string): Promise<string> {
    const [column] = await this.#bind(`select cast(null as ${type}) as c`)
    return column!.type
  }

  #columnsOf: Given = ({ catalog, namespace, name }) => this.#given.get(`${catalog}.${namespace}.${name}`.toLowerCase())

  #key({ database, schema, alias }: Pick<DbtNode, 'database' | 'schema' | 'alias'>): string {
    return tableKey(this.#work.project, database, schema, alias)
  }
}

/** What a template says while it is only tried is for nobody. */
const quiet = { log: () => '', print: () => '' }

const mayCast = /::|\bcast\s*\(/i

/** The columns as readers find them: a table holds Iceberg's types, a view what its SELECT gives. */
function storedColumns(node: DbtNode, columns: readonly EngineColumn[]): readonly EngineColumn[] {
  const { materialized } = node.config
  if (node.kind === 'test' || materialized === 'ephemeral') return columns
  const stored = distinctNames(columns).map(({ name, type }) => {
    if (materialized === 'view') return { name, type: type === '"NULL"' ? 'INTEGER' : type }
    try {
      return { name, type: readAs(type, name) }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      throw error.with({ message: `${node.name}: ${error.message}`, place: node.place })
    }
  })
  return node.kind === 'snapshot' ? [...stored, ...snapshotColumns(node, stored)] : stored
}

function snapshotColumns({ config }: DbtNode, columns: readonly EngineColumn[]): EngineColumn[] {
  const names = (config['snapshot_meta_column_names'] ?? {}) as Record<string, string | undefined>
  const updatedAt = String(config['updated_at'] ?? '').toLowerCase()
  const time = columns.find(({ name }) => name.toLowerCase() === updatedAt)?.type ?? 'TIMESTAMP'
  return [
    { name: names['dbt_scd_id'] ?? 'dbt_scd_id', type: 'VARCHAR' },
    { name: names['dbt_updated_at'] ?? 'dbt_updated_at', type: time },
    { name: names['dbt_valid_from'] ?? 'dbt_valid_from', type: time },
    { name: names['dbt_valid_to'] ?? 'dbt_valid_to', type: time },
    ...(config['hard_deletes'] === 'new_record'
      ? [{ name: names['dbt_is_deleted'] ?? 'dbt_is_deleted', type: 'VARCHAR' }]
      : []),
  ]
}
