// A node → its SQL.
//
// Rendering is synchronous, the database is not. So a template that asks something is stopped (Suspend), the answer is
// fetched, and the template is rendered again from the start with all answers so far; rendering is pure, so it asks
// the same questions in the same order.

import { Failure, type Place } from '../base/failure.ts'
import { compileTemplate, str, Suspend, type Callable, type LineMap } from '../jinja/index.ts'
import {
  atTest,
  findSource,
  MacroTable,
  nodeDict,
  nodesByName,
  openContext,
  pickRef,
  Relation,
  renderKwargs,
  varScopes,
  type DatabaseAnswer,
  type DatabaseRequest,
  type DbtMacro,
  type DbtNode,
  type DbtProject,
  type Session,
} from '../project/dbt/index.ts'
import { injectCtes, type Injected } from './inject.ts'

export type Compiled = {
  node: DbtNode
  /** What runs, ephemeral models included. */
  sql: string
  /** Where a position of `sql` comes from. */
  place(inSql: Place | undefined): Place
}

/** Answers a template's question; failures are the template's. */
export type Ask = (request: DatabaseRequest) => Promise<DatabaseAnswer>

/** Questions that one template may ask. */
const questionsMax = 1_000

type Index = { macros: MacroTable; byName: Map<string, DbtNode[]> }
const indexes = new WeakMap<DbtProject, Index>()

/** What every compilation of a project looks up, made once. */
function indexOf(project: DbtProject): Index {
  const known = indexes.get(project)
  if (known) return known
  const index = { macros: new MacroTable(project), byName: nodesByName(project) }
  indexes.set(project, index)
  return index
}

export class Compiler {
  readonly #project: DbtProject
  readonly #ask: Ask
  readonly #macros: MacroTable
  readonly #byName: Map<string, DbtNode[]>

  constructor(project: DbtProject, ask: Ask) {
    this.#project = project
    this.#ask = ask
    const { macros, byName } = indexOf(project)
    this.#macros = macros
    this.#byName = byName
  }

  /** @throws Failure with the place in the template */
  async compile(node: DbtNode): Promise<Compiled> {
    const rendered = await this.#render(node)
    const ctes = await this.#ctes(rendered.ephemerals, [node.uniqueId])
    const { sql, at, inserted } = injectCtes(rendered.text, ctes)
    return { node, sql, place: (inSql) => placeIn(node, rendered, at, inserted, inSql) }
  }

  /** The ephemeral models below, each once, those they need before them. */
  async #ctes(ids: readonly string[], above: readonly string[]): Promise<Injected[]> {
    const found: Injected[] = []
    for (const id of ids) {
      const node = this.#project.nodes.get(id)!
      if (above.includes(id))
        throw new Failure(
          'GRAPH_CYCLE',
          `ephemeral models read each other in a circle: ${[...above, id].join(' → ')}`,
          { place: node.place },
        )
      const { text, ephemerals } = await this.#render(node)
      for (const cte of [
        ...(await this.#ctes(ephemerals, [...above, id])),
        { name: `__dbt__cte__${node.alias}`, sql: text },
      ]) {
        if (!found.some(({ name }) => name === cte.name)) found.push(cte)
      }
    }
    return found
  }

  async #render(node: DbtNode): Promise<Rendered> {
    const answers: { request: DatabaseRequest; answer: DatabaseAnswer }[] = []
    for (;;) {
      const logged: Logged[] = []
      try {
        const rendered = this.#renderOnce(node, answers, logged)
        const { onLog } = this.#project.options
        for (const { level, message, place } of logged) onLog(level, message, place ?? node.place)
        return rendered
      } catch (error) {
        if (!(error instanceof Suspend)) throw error
        if (answers.length >= questionsMax)
          throw new Failure('TEMPLATE_FAILED', `"${node.name}" asks the database more than ${questionsMax} questions`, {
            place: node.place,
          })
        const request = error.request as DatabaseRequest
        answers.push({ request, answer: await this.#answer(node, request) })
      }
    }
  }

  async #answer(node: DbtNode, request: DatabaseRequest): Promise<DatabaseAnswer> {
    try {
      return await this.#ask(request)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      const { code, message, hint, cause } = error
      const what =
        request.kind === 'query' ? 'a query of this template failed' : `a question about ${request.identifier} failed`
      throw new Failure(code, `${what}: ${message}`, {
        hint,
        cause,
        place: node.place,
        ...(request.kind === 'query' && { sql: request.sql.trim(), placeInSql: error.place }),
      })
    }
  }

  #renderOnce(
    node: DbtNode,
    answers: readonly { request: DatabaseRequest; answer: DatabaseAnswer }[],
    logged: Logged[],
  ): Rendered {
    const project = this.#project
    const root = project.packages.get(project.name)!
    const own = project.packages.get(node.package) ?? root
    const ephemerals: string[] = []
    let next = 0
    const session: Session = {
      execute: true,
      ref: (name, packageName, version) => this.#ref(node, name, packageName, version, ephemerals),
      source: (source, table) => this.#source(node, source, table),
      configure: () => undefined,
      config: (name) =>
        node.config[name] ??
        (name === 'pre_hook' ? node.config['pre-hook'] : name === 'post_hook' ? node.config['post-hook'] : undefined),
      ask: (request) => {
        const known = answers[next++]
        if (!known) throw new Suspend(request)
        return known.answer
      },
    }
    const context = openContext({
      project,
      macros: this.#macros,
      packageName: node.package,
      scopes: varScopes(project.options, root, own),
      session,
      model: nodeDict(node),
      this: new Relation({ database: node.database, schema: node.schema, identifier: node.alias }, null, root.quoting),
      quoting: root.quoting,
      lenient: false,
      onLog: (level, message, place) => logged.push({ level, message, place }),
    })
    if (node.test?.kind === 'generic') {
      const macro = this.#macros.test(node.package, node.test.namespace, node.test.name)!
      return { text: this.#renderTest(node, macro, context), ephemerals, lines: undefined }
    }
    const { text, lines } = compileTemplate(node.rawSql, {
      file: node.file,
      line: node.place.line ?? 1,
      column: node.place.column ?? 1,
    }).renderWithLines(context.globals)
    return { text, ephemerals, lines }
  }

  #renderTest(node: DbtNode, macro: DbtMacro, context: ReturnType<typeof openContext>): string {
    try {
      const kwargs = renderKwargs(node.test!.kind === 'generic' ? node.test!.kwargs : {}, context, false)
      return str((context.macros.bind(macro) as Callable)([], kwargs))
    } catch (error) {
      throw atTest(error, node.place)
    }
  }

  #ref(
    node: DbtNode,
    name: string,
    packageName: string | undefined,
    version: string | undefined,
    ephemerals: string[],
  ): Relation {
    const to = pickRef(
      this.#byName.get(name) ?? [],
      { package: packageName, version },
      node.package,
      this.#project.name,
    )
    const shown = packageName === undefined ? `ref('${name}')` : `ref('${packageName}', '${name}')`
    if (!to) throw new Failure('MODEL_INVALID', `${node.kind} "${node.name}" reads ${shown}, which is not there`)
    if (!node.dependsOn.includes(to.uniqueId) && to !== node) {
      throw new Failure(
        'MODEL_INVALID',
        `${node.kind} "${node.name}" reads ${shown} only when it runs, so it cannot be ordered after it`,
        {
          hint: `Put this comment at the top of the file: -- depends_on: {{ ${shown} }}`,
        },
      )
    }
    const quoting = this.#project.packages.get(this.#project.name)!.quoting
    if (to.config['materialized'] === 'ephemeral') {
      if (!ephemerals.includes(to.uniqueId)) ephemerals.push(to.uniqueId)
      return new Relation({ database: null, schema: null, identifier: `__dbt__cte__${to.alias}` }, 'cte')
    }
    const kind = to.config['materialized'] === 'view' ? 'view' : 'table'
    return new Relation({ database: to.database, schema: to.schema, identifier: to.alias }, kind, quoting)
  }

  #source(node: DbtNode, source: string, table: string): Relation {
    const to = findSource(this.#project, { source, table }, node.package)
    if (!to)
      throw new Failure(
        'MODEL_INVALID',
        `${node.kind} "${node.name}" reads source('${source}', '${table}'), which is not there`,
      )
    return new Relation({ database: to.database, schema: to.schema, identifier: to.identifier }, null, to.quoting)
  }
}

type Logged = { level: 'debug' | 'info' | 'warn'; message: string; place: Place | undefined }
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
