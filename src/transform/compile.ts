// A node → its SQL; and whatever else is rendered with a node's names: hooks, materializations, operations.
//
// Rendering is synchronous, the database is not. So a template that asks something is stopped (Suspend), the answer is
// fetched, and the template is rendered again from the start with all answers so far; rendering is pure, so it asks
// the same questions in the same order. What only changes something (`insert`, `create`) stops nothing: it is noted, and
// done in order before the next question is answered or when the template has ended. So a hook that sends a thousand
// inserts is rendered once, and nothing is ever done twice.

import { Failure, type Place } from '../base/failure.ts'
import { didYouMean } from '../base/suggest.ts'
import { compileTemplate, PyError, str, Suspend, type Callable, type Dict, type LineMap } from '../jinja/index.ts'
import {
  atTest,
  externalLocation,
  findFunction,
  findMetric,
  findSource,
  MacroTable,
  nodeDict,
  nodesByName,
  openContext,
  findRef,
  quotingOf,
  searchOrder,
  Relation,
  renderKwargs,
  ResolvedMetric,
  keepGraph,
  unknownTest,
  varScopes,
  type Config,
  type Context,
  type DatabaseAnswer,
  type DatabaseRequest,
  type DbtMacro,
  type DbtNode,
  type DbtProject,
  type Session,
} from '../project/dbt/index.ts'
import { bothOf, externalRelation, narrowed, type Stretch } from './materializations/narrowed.ts'
import { isStatement } from './materializations/is-statement.ts'
import { injectCtes, type Injected } from './inject.ts'
import { sampleOf } from './sample.ts'

export type Compiled = {
  node: DbtNode
  /** What runs, ephemeral models included. */
  sql: string
  /** Where a position of `sql` comes from. */
  place(inSql: Place | undefined): Place
}

/** SQL that stands in for what a node reads, by unique id: the inputs of a unit test. `this` has the id of the node itself. */
export type Inputs = ReadonlyMap<string, Injected>

/** Answers a template's question, or does what it says; failures are the template's. */
export type Ask = (request: DatabaseRequest) => Promise<DatabaseAnswer>

/** Whose template it is: a node, or an operation of the project. */
export type Subject = {
  uniqueId: string
  /** `model`, `operation`: for messages. */
  kind: string
  name: string
  package: string
  place: Place
  /** What it may `ref`; undefined: everything. */
  dependsOn: readonly string[] | undefined
  config: Config
  /** `this`. */
  relation: { database: string; schema: string; identifier: string } | null
  /** `model`. */
  model(): Dict | null
  /** The time that it may see of its inputs. */
  stretch?: Stretch
}

export const subjectOf = (node: DbtNode): Subject => ({
  ...node,
  relation: { database: node.database, schema: node.schema, identifier: node.alias },
  model: () => nodeDict(node),
})

/** Questions that one template may ask, and statements that it may send. */
const [questionsMax, statementsMax] = [5_000, 100_000]

type Index = {
  macros: MacroTable
  byName: Map<string, DbtNode[]>
  inlined: Map<string, string>
  rendered: Map<DbtNode, Rendered>
}
const indexes = new WeakMap<DbtProject, Index>()

/** What every compilation of a project looks up, made once. */
function indexOf(project: DbtProject): Index {
  const known = indexes.get(project)
  if (known) return known
  const index: Index = {
    macros: new MacroTable(project),
    byName: nodesByName(project),
    inlined: new Map(),
    rendered: new Map(),
  }
  indexes.set(project, index)
  return index
}

/** SQL of the ephemeral models that were compiled so far, by unique id: they have no result of their own. */
export const inlinedIn = (project: DbtProject): ReadonlyMap<string, string> => indexOf(project).inlined

export class Compiler {
  readonly #project: DbtProject
  readonly #ask: Ask
  readonly #macros: MacroTable
  readonly #byName: Map<string, DbtNode[]>
  readonly #inputs: Inputs | undefined
  readonly #isRehearsal: boolean
  #isRandom = false

  /**
   * With `inputs`, those of a unit test, nothing else may be read. `isRehearsal`: a template that asks is rendered another time when
   * its turn comes, and what it does to `graph` is done then.
   */
  constructor(
    project: DbtProject,
    ask: Ask,
    { inputs, isRehearsal = false }: { inputs?: Inputs; isRehearsal?: boolean } = {},
  ) {
    this.#inputs = inputs
    this.#isRehearsal = isRehearsal
    this.#project = project
    this.#ask = ask
    const { macros, byName } = indexOf(project)
    this.#macros = macros
    this.#byName = byName
  }

  get project(): DbtProject {
    return this.#project
  }

  get macros(): MacroTable {
    return this.#macros
  }

  /** Something that was rendered here took an item at random. */
  get isRandom(): boolean {
    return this.#isRandom
  }

  /** @throws Failure with the place in the template */
  async compile(node: DbtNode, names?: Names, subject?: Subject): Promise<Compiled> {
    if (node.language === 'python' && node.kind !== 'function')
      throw new Failure('SQL_UNSUPPORTED', `"${node.name}" is a Python model; models are SQL here`, {
        place: node.place,
      })
    const rendered = await this.#render(node, names, subject)
    const itself = this.#inputs?.has(node.uniqueId) ? [node.uniqueId] : []
    const ctes = await this.#ctes([...rendered.ephemerals, ...itself], [node.uniqueId])
    const { sql, at, inserted } = injectCtes(rendered.text, ctes)
    if (!this.#inputs && node.config['materialized'] === 'ephemeral')
      indexOf(this.#project).inlined.set(node.uniqueId, sql)
    return { node, sql, place: (inSql) => placeIn(node, rendered, at, inserted, inSql) }
  }

  /** The ephemeral models below, each once, those they need before them. */
  async #ctes(ids: readonly string[], above: readonly string[]): Promise<Injected[]> {
    const found: Injected[] = []
    for (const id of ids) {
      const input = this.#inputs?.get(id)
      if (input) {
        if (!found.some(({ name }) => name === input.name)) found.push(input)
        continue
      }
      const node = this.#project.nodes.get(id)!
      if (above.includes(id))
        throw new Failure(
          'GRAPH_CYCLE',
          `Found a cycle: ephemeral models read each other: ${[...above, id].join(' → ')}`,
          { place: node.place },
        )
      const { text, ephemerals } = await this.#render(node).catch((error: unknown) => {
        throw inEphemeral(error, id)
      })
      const below = await this.#ctes(ephemerals, [...above, id])
      if (!this.#inputs) indexOf(this.#project).inlined.set(id, injectCtes(text, below).sql)
      for (const cte of [...below, { name: `__dbt__cte__${node.alias}`, sql: text }]) {
        if (!found.some(({ name }) => name === cte.name)) found.push(cte)
      }
    }
    return found
  }

  /**
   * What a template becomes that asks the database nothing and leaves nothing to chance follows from the project: the check, the look at what has changed
   * and the run share it.
   */
  async #render(node: DbtNode, names?: Names, subject?: Subject): Promise<Rendered> {
    const { rendered } = indexOf(this.#project)
    const isUsual = !names && !subject && !this.#inputs
    const known = isUsual ? rendered.get(node) : undefined
    if (known) return known
    const { value, mayDiffer } = await this.#run(
      subject ?? subjectOf(node),
      (context, ephemerals): Rendered => {
        if (node.test?.kind === 'generic') {
          const macro = this.#macros.test(node.package, node.test.namespace, node.test.name)
          if (!macro) throw unknownTest(this.#project, node, node.test)
          return { text: this.#renderTest(node, macro, context), ephemerals, lines: undefined }
        }
        const { text, lines } = compileTemplate(node.rawSql, {
          file: node.file,
          line: node.place.line ?? 1,
          column: node.place.column ?? 1,
        }).renderWithLines(context.globals)
        return { text, ephemerals, lines }
      },
      names,
      // Those that it calls only while it is compiled are added to those of parsing, as by dbt.
      ({ uniqueId }) => void (node.macros.includes(uniqueId) || node.macros.push(uniqueId)),
    )
    if (isUsual && !mayDiffer) rendered.set(node, value)
    return value
  }

  /**
   * Does something with the names of a node, as often as it takes until everything that it asks is answered. `names`:
   * further ones. `ephemerals`: unique ids of those that it read.
   */
  async run<Value>(
    subject: Subject,
    work: (context: Context, ephemerals: string[]) => Value,
    names?: Names,
  ): Promise<Value> {
    return (await this.#run(subject, work, names)).value
  }

  async #run<Value>(
    subject: Subject,
    work: (context: Context, ephemerals: string[]) => Value,
    names: Names = {},
    called?: Session['called'],
  ): Promise<{ value: Value; mayDiffer: boolean }> {
    const script = new Script(subject, this.#ask)
    for (;;) {
      const attempt = script.attempt()
      try {
        const ephemerals: string[] = []
        const value = work(this.#open(subject, attempt, names, ephemerals, called), ephemerals)
        if (this.#isRehearsal && (script.hasAsked || attempt.statements.length > 0)) attempt.undo?.()
        await script.settle(attempt)
        const { onLog } = this.#project.options
        for (const { level, message, place } of attempt.logged) onLog(level, message, place ?? subject.place)
        this.#isRandom ||= script.isRandom
        return { value, mayDiffer: script.hasAsked || script.isRandom }
      } catch (error) {
        if (!(error instanceof Suspend)) throw toldPlainly(error, subject, this.#project)
        attempt.undo?.()
        await script.settle(attempt)
        await script.answer(error.request as DatabaseRequest)
      }
    }
  }

  #open(subject: Subject, attempt: Attempt, names: Names, ephemerals: string[], called: Session['called']): Context {
    const project = this.#project
    const root = project.packages.get(project.name)!
    const own = project.packages.get(subject.package) ?? root
    const { config, relation } = subject
    const session: Session = {
      execute: true,
      ref: (name, packageName, version) => this.#ref(subject, name, packageName, version, ephemerals),
      source: (source, table) => this.#source(subject, source, table, ephemerals),
      func: (name, packageName) => this.#function(subject, name, packageName),
      metric: (name, packageName) => this.#metric(subject, name, packageName),
      // It was read with the project, where what YAML says is laid under it.
      configure: () => {},
      config: (name) => configOf(config, name),
      ...(called && { called }),
      ask: attempt.ask,
      random: attempt.random,
    }
    return openContext({
      project,
      macros: this.#macros,
      packageName: subject.package,
      scopes: varScopes(project.options, root, own),
      session,
      model: subject.model,
      this: relation && new Relation(relation, null, root.quoting),
      quoting: root.quoting,
      lenient: false,
      names,
      onLog: (level, message, place) => attempt.logged.push({ level, message, place }),
      onGraph: () => (attempt.undo ??= keepGraph(project)),
    })
  }

  #renderTest(node: DbtNode, macro: DbtMacro, context: Context): string {
    try {
      const kwargs = renderKwargs(node.test!.kind === 'generic' ? node.test!.kwargs : {}, context, false)
      return str((context.macros.bind(macro) as Callable)([], kwargs))
    } catch (error) {
      throw atTest(error, node.place)
    }
  }

  #ref(
    node: Subject,
    name: string,
    packageName: string | undefined,
    version: string | undefined,
    ephemerals: string[],
  ): Relation {
    const packages = searchOrder(this.#project, node.package)
    const to = findRef(this.#byName, { name, package: packageName, version }, packages)
    const shown = packageName === undefined ? `ref('${name}')` : `ref('${packageName}', '${name}')`
    if (!to) throw new Failure('MODEL_INVALID', `${node.kind} "${node.name}" reads ${shown}, which was not found`)
    if (node.dependsOn?.includes(to.uniqueId) === false && to.uniqueId !== node.uniqueId) {
      throw new Failure(
        'MODEL_INVALID',
        `${node.kind} "${node.name}" reads ${shown} only when it runs, so it cannot be ordered after it`,
        {
          hint: `Put this comment at the top of the file: -- depends_on: {{ ${shown} }}`,
        },
      )
    }
    const input = this.#input(to.uniqueId, ephemerals, node, shown)
    if (input) return input
    const quoting = this.#project.packages.get(this.#project.name)!.quoting
    if (to.config['materialized'] === 'ephemeral') {
      if (!ephemerals.includes(to.uniqueId)) ephemerals.push(to.uniqueId)
      const cte = new Relation({ database: null, schema: null, identifier: `__dbt__cte__${to.alias}` }, 'cte')
      return this.#narrowed(node, cte, to)
    }
    // As in dbt a reference does not say whether it is a table or a view: `load_relation(ref(…))` does.
    const relation = new Relation({ database: to.database, schema: to.schema, identifier: to.alias }, null, quoting)
    return this.#narrowed(node, relation, to)
  }

  #source(node: Subject, source: string, table: string, ephemerals: string[]): Relation {
    const to = findSource(this.#project, { source, table }, node.package)
    if (!to)
      throw new Failure(
        'MODEL_INVALID',
        `${node.kind} "${node.name}" reads source('${source}', '${table}'), which was not found`,
      )
    const input = this.#input(to.uniqueId, ephemerals, node, `source('${source}', '${table}')`)
    if (input) return input
    const path = { database: to.database, schema: to.schema, identifier: to.identifier }
    // As in dbt this does not look at the quoting of the project, which `relation_name` of the source does.
    const relation = new Relation(path, null, quotingOf(to.written.quoting))
    const location = externalLocation(to)
    if (location !== undefined) return externalRelation(relation, location)
    return this.#narrowed(node, relation, to)
  }

  #function(node: Subject, name: string, packageName: string | undefined): Relation {
    const to = findFunction(this.#project, { name, package: packageName }, node.package)
    if (!to)
      throw new Failure('MODEL_INVALID', `${node.kind} "${node.name}" calls function('${name}'), which was not found`)
    return new Relation({ database: to.database, schema: to.schema, identifier: to.alias }, 'function', to.quoting)
  }

  #metric(node: Subject, name: string, packageName: string | undefined): ResolvedMetric {
    const to = findMetric(this.#project, { name, package: packageName }, node.package)
    if (!to)
      throw new Failure('MODEL_INVALID', `${node.kind} "${node.name}" reads metric('${name}'), which was not found`)
    return new ResolvedMetric(this.#project, to)
  }

  #narrowed({ kind, stretch }: Subject, relation: Relation, read: Parameters<typeof narrowed>[1]): Relation {
    const { options } = this.#project
    const sample = kind === 'model' || kind === 'snapshot' ? sampleOf(options) : undefined
    return narrowed(relation, read, { stretch: bothOf(stretch, sample), isEmpty: options.flags.empty })
  }

  #input(id: string, ephemerals: string[], { kind, name }: Subject, shown: string): Relation | undefined {
    if (!this.#inputs) return undefined
    const input = this.#inputs.get(id)
    if (!input)
      throw new Failure(
        'MODEL_INVALID',
        `${kind} "${name}" reads ${shown}, which is not among the inputs of the unit test`,
        {
          hint: `Add it under given: - {input: ${shown}, rows: […]}; rows: [] for none.`,
        },
      )
    if (!ephemerals.includes(id)) ephemerals.push(id)
    return new Relation({ database: null, schema: null, identifier: input.name }, 'cte')
  }
}

/** Who reads a model that is written into its own SQL does not run when that is wrong: its error is told as that of the model. */
const inEphemeral = (error: unknown, ephemeral: string): unknown =>
  error instanceof Failure ? error.with({ ephemeral }) : error

/**
 * An error of a template as a person wants it: that of a macro that was called from outside of one has the place of its
 * caller, and a name that nothing has is compared with the names of macros.
 */
function toldPlainly(error: unknown, { place }: Subject, { macros }: DbtProject): unknown {
  if (error instanceof PyError) return new Failure('TEMPLATE_FAILED', error.message, { place, cause: error })
  if (!(error instanceof Failure) || error.code !== 'TEMPLATE_FAILED') return error
  const [, name] = /^'(\w+)' is undefined$/.exec(error.message) ?? []
  if (name === undefined) return error
  const meant = didYouMean(
    name,
    macros.map(({ macroName }) => macroName),
    0,
  )
  return error.with({
    message: `${error.message}${meant}`,
    place: error.place ?? place,
    hint: 'Nothing has this name: no variable of the template, no macro. One of a package is called package.macro, and is there after `boathouse dbt deps`.',
  })
}

/** What a template sees besides the names of its project. */
export type Names = Readonly<Record<string, unknown>>

const snapshotColumns = ['dbt_valid_to', 'dbt_valid_from', 'dbt_scd_id', 'dbt_updated_at', 'dbt_is_deleted']

const configOf = (config: Config, name: string): unknown =>
  name === 'snapshot_table_column_names' && config['strategy'] !== undefined
    ? {
        ...Object.fromEntries(snapshotColumns.map((each) => [each, each])),
        ...Object.fromEntries(
          Object.entries((config['snapshot_meta_column_names'] ?? {}) as Config).filter(([, named]) => named !== null),
        ),
      }
    : configNamed(config, name)

const configNamed = (config: Config, name: string): unknown =>
  config[name === 'pre_hook' ? 'pre-hook' : name === 'post_hook' ? 'post-hook' : name]

/** `undo`: of what it did to `graph`. */
type Attempt = { ask: Session['ask']; random(): number; statements: string[]; logged: Logged[]; undo?: () => void }

/** What one template has asked and done so far. */
class Script {
  readonly #subject: Subject
  readonly #ask: Ask
  readonly #answers: DatabaseAnswer[] = []
  readonly #drawn: number[] = []
  #done = 0

  constructor(subject: Subject, ask: Ask) {
    this.#subject = subject
    this.#ask = ask
  }

  /** It has asked something, or sent a statement. */
  get hasAsked(): boolean {
    return this.#answers.length > 0 || this.#done > 0
  }

  get isRandom(): boolean {
    return this.#drawn.length > 0
  }

  attempt(): Attempt {
    let next = 0
    const statements: string[] = []
    const ask: Session['ask'] = (request) => {
      if (request.kind === 'query' && isStatement(request.sql)) {
        if (statements.length >= statementsMax) throw this.#tooMany(`sends more than ${statementsMax} statements`)
        statements.push(request.sql)
        return { kind: 'statement' }
      }
      const known = this.#answers[next++]
      if (!known) throw new Suspend(request)
      return known
    }
    let drawn = 0
    const random = () => (this.#drawn[drawn++] ??= Math.random())
    return { ask, random, statements, logged: [] }
  }

  /** Does what an attempt noted and no earlier one has done. */
  async settle({ statements }: Attempt): Promise<void> {
    for (; this.#done < statements.length; this.#done++)
      await this.#answered({ kind: 'statement', sql: statements[this.#done]! })
  }

  async answer(request: DatabaseRequest): Promise<void> {
    if (this.#answers.length >= questionsMax)
      throw this.#tooMany(`asks the database more than ${questionsMax} questions`)
    this.#answers.push(await this.#answered(request))
  }

  async #answered(request: DatabaseRequest): Promise<DatabaseAnswer> {
    try {
      return await this.#ask(request)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      const { code, message, hint, cause } = error
      throw new Failure(code, `${whatFailed(request)}: ${message}`, {
        hint,
        cause,
        place: this.#subject.place,
        ...('sql' in request && { sql: request.sql.trim(), placeInSql: error.place }),
      })
    }
  }

  #tooMany(what: string): Failure {
    return new Failure('TEMPLATE_FAILED', `"${this.#subject.name}" ${what}`, { place: this.#subject.place })
  }
}

function whatFailed(request: DatabaseRequest): string {
  switch (request.kind) {
    case 'query':
    case 'describe':
      return 'a query of this template failed'
    case 'statement':
      return 'a statement of this template failed'
    case 'seed':
      return 'the seed could not be loaded'
    case 'relations':
      return `a question about the schema ${request.schema} failed`
    default:
      return `a question about ${request.identifier} failed`
  }
}

type Logged = { level: Parameters<DbtProject['options']['onLog']>[0]; message: string; place: Place | undefined }
type Rendered = { text: string; ephemerals: string[]; lines: LineMap | undefined }

function placeIn(
  node: DbtNode,
  { text, lines }: Rendered,
  at: number,
  inserted: string,
  inSql: Place | undefined,
): Place {
  if (!inSql?.line || !lines) return node.place
  const before = text.slice(0, at)
  const [lineOfInsert, added] = [count(before), count(inserted)]
  let { line, column } = inSql
  if (line > lineOfInsert + added || (added > 0 && line === lineOfInsert + added + 1)) line -= added
  else if (inserted !== '' && line > lineOfInsert) return node.place // inside an ephemeral model's text
  if (inserted !== '' && line === lineOfInsert + 1) column = undefined
  const found = lines.place(line, column)
  return found ? { file: node.file, ...found } : node.place
}

const count = (text: string): number => text.split('\n').length - 1
