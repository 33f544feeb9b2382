// compile and show: the SQL of what is selected, and its first rows.

import { Failure, type FailureCode } from '../../../base/failure.ts'
import { mayCall, versionedName, type DbtNode, type DbtProject } from '../../../project/dbt/index.ts'
import { collect, quoteTable, type ChangeSet } from '../../../lake/index.ts'
import {
  compileOperation,
  compileResult,
  isBad,
  isBlank,
  runnable,
  lakeName,
  type NodeResult,
} from '../../../transform/index.ts'
import type { App } from '../../app.ts'
import { writeArtifacts } from './artifacts.ts'
import { deferTo } from './defer.ts'
import { sayFound } from './found.ts'
import { sayProblem, sayThreads } from './lines.ts'
import { openLakeOf, openPlace, openProject, type Place, type Session } from './open.ts'
import { chosenBy } from './selection.ts'
import { warnOrFail } from './warnings.ts'

type Compiled = { node: DbtNode; sql: string }

/** `ids`: of what `retry` compiles again, instead of what the flags select. */
export async function compile(session: Session, ids?: readonly string[]): Promise<number> {
  const { log, flags } = session
  const started = performance.now()
  await using opened = await compiled(session, ids)
  await writeArtifacts(session, opened.project, opened.results, performance.now() - started)
  const isInline = flags.text('inline') !== undefined
  // One model, or what was typed, is printed: that is what people compile one for.
  const asked = isInline || flags.words('select').length > 0
  for (const { node, sql } of asked ? opened.all : []) {
    if (!isInline && node.kind === 'test' && opened.all.length > 1) continue
    const text = isJson(session)
      ? JSON.stringify(isInline ? { compiled: sql } : { node: node.name, compiled: sql }, null, 2)
      : flags.is('quiet')
        ? sql
        : isInline
          ? `Compiled inline node is:\n${sql}`
          : `Compiled node '${versionedName(node)}' is:\n${sql}`
    log.answer(text, {
      name: 'CompiledNode',
      code: 'Q042',
      data: { node_name: node.name, compiled: sql, is_inline: isInline },
    })
  }
  return sayWrong(session, opened)
}

/** What could not be compiled; the exit status, which for dbt is not that of a red run. */
export function sayWrong(session: Session, { project, results }: Pick<Opened, 'project' | 'results'>): 0 | 2 {
  const wrong = results.filter(isBad)
  for (const result of wrong) sayProblem(session, project, result, 'error')
  return wrong.length > 0 ? 2 : 0
}

export async function show(session: Session): Promise<number> {
  const { flags, log } = session
  const direct = flags.text('inline-direct')
  if (direct === undefined && flags.text('inline') === undefined && !isSelecting(session))
    throw new Failure('USAGE', 'Either --select or --inline must be passed to show', {
      hint: 'boathouse dbt show --select MODEL, or --inline "select …".',
    })
  await using opened = direct === undefined ? await compiled(session) : undefined
  const place = opened?.place ?? (await openPlace(session))
  const app = opened?.app ?? (await openLakeOf(session, place))
  const seeds = opened?.nodes.filter(({ kind }) => kind === 'seed') ?? []
  const all = [
    ...(opened?.all.filter(({ node }) => opened.all.length === 1 || node.kind !== 'test') ?? []),
    ...seeds.map((node) => ({ node, sql: `select * from ${quoteTable(lakeName(opened!.project, node))}` })),
  ]
  if (opened?.results.some(isBad)) return sayWrong(session, opened)
  const python = all.find(({ node }) => node.language === 'python')?.node
  if (python)
    throw new Failure('SQL_UNSUPPORTED', `"${python.name}" is a Python model; models are SQL here`, {
      place: python.place,
    })
  if (opened && all.length === 0)
    throw new Failure('USAGE', 'nothing is selected to show', {
      hint: 'boathouse dbt show --select MODEL, or --inline "select …".',
    })
  const shown =
    direct === undefined
      ? all.map(({ node, sql }) => ({ name: versionedName(node), sql: `${headerOf(node)}${sql}` }))
      : [{ name: 'inline', sql: direct }]
  const isInline = direct !== undefined || flags.text('inline') !== undefined
  const limit = flags.whole('limit') ?? 5
  for (const { name, sql } of shown) {
    const { columns, rows } = await firstRows(session, app, place, opened, sql, limit)
    const names = columns.map((column) => column.name)
    const text = isJson(session)
      ? JSON.stringify(
          {
            ...(isInline ? {} : { node: name }),
            show: rows.map((row) =>
              Object.fromEntries(names.map((key, at) => [key, inJson(row[at], columns[at]!.type)])),
            ),
          },
          null,
          2,
        )
      : `${flags.is('quiet') ? '' : isInline ? 'Previewing inline node:\n' : `Previewing node '${name}':\n`}${grid(names, rows)}`
    log.answer(text, { name: 'ShowNode', code: 'Q041', data: { node_name: name, is_inline: isInline } })
  }
  return 0
}

/** `set_sql_header`: a WITH clause that the query goes on with. Statements of their own show nothing of a query. */
function headerOf({ config }: DbtNode): string {
  const header = typeof config['sql_header'] === 'string' ? config['sql_header'].trim() : ''
  return header === '' || header.endsWith(';') ? '' : `${header}\n`
}

const isSelecting = ({ flags }: Session): boolean =>
  ['select', 'selector', 'exclude', 'resource-type'].some((name) => flags.get(name) !== undefined)

// Of ES2025; TypeScript's library does not know it yet.
const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown }

/** Decimals are numbers there, with all their digits; what is no integer by its type is none by its looks. */
function inJson(value: unknown, type: string): unknown {
  if (type.startsWith('DECIMAL') && typeof value === 'string') return rawJson(value)
  const isPlain = (type === 'FLOAT' || type === 'DOUBLE') && Number.isInteger(value) && Math.abs(value as number) < 1e16
  return isPlain ? rawJson(`${value as number}.0`) : (value ?? null)
}

const isJson = ({ flags }: Session): boolean => flags.is('json') || flags.text('output') === 'json'

type Opened = AsyncDisposable & {
  /** What has SQL. */
  all: Compiled[]
  results: NodeResult[]
  nodes: DbtNode[]
  app: App
  place: Place
  project: DbtProject
  changes: ChangeSet
}

/** Templates may change the database while they are compiled, as in dbt; here nobody else sees it, and it is given up at the end. */
async function compiled(session: Session, ids?: readonly string[]): Promise<Opened> {
  const { log, flags } = session
  const place = await openPlace(session)
  const project = await openProject(session, place)
  sayFound(log, project)
  const inline = flags.text('inline')
  const other = ['select', 'selector'].find((each) => flags.given(each))
  if (inline !== undefined && other !== undefined)
    throw new Failure('USAGE', `--inline and --${other} are mutually exclusive: SQL is typed, or taken from models`)
  const nodes = inline === undefined ? selected(session, project, ids) : [inlineNode(project, inline)]
  sayThreads(log, place.target.threads, place.target.name)
  const macros = nodes.flatMap((node) => node.macros)
  if (mayCall(project, macros, 'macro.dbt.statement')) await session.context.startEngine()
  const app = await openLakeOf(session, place)
  await deferTo(
    session,
    app,
    project,
    nodes.map(({ uniqueId }) => uniqueId),
  )
  const changes = await passingChanges(app, place)
  try {
    const results = await compileAll(session, app, project, nodes, changes)
    if (!ids || ids.some((id) => project.operations.has(id)))
      results.push(...(await compileOperations(session, app, project, changes)))
    const [typed] = results
    if (inline !== undefined && typed?.status === 'error')
      throw new Failure((typed.code as FailureCode | undefined) ?? 'TEMPLATE_FAILED', typed.message, {
        ...(typed.place && { place: typed.place }),
        ...(typed.hint !== undefined && { hint: typed.hint }),
      })
    const all = nodes.flatMap((node, at) => {
      const sql = results[at]!.compiledSql
      return sql === undefined ? [] : [{ node, sql }]
    })
    return { all, results, nodes, app, place, project, changes, [Symbol.asyncDispose]: () => changes.discard() }
  } catch (error) {
    await changes.discard()
    throw error
  }
}

/** The SQL of each node, or what is wrong with it. */
export async function compileAll(
  { context }: Session,
  { lake, principal }: App,
  project: DbtProject,
  nodes: readonly DbtNode[],
  changes: ChangeSet,
): Promise<NodeResult[]> {
  const results: NodeResult[] = []
  for (const node of nodes)
    results.push(await compileResult(node, { project, lake, principal, changes, signal: context.signal }))
  return results
}

/** Those of on-run-start and on-run-end, which are among what is compiled unless something is asked for. */
export async function compileOperations(
  session: Session,
  { lake, principal }: App,
  project: DbtProject,
  changes: ChangeSet,
): Promise<NodeResult[]> {
  const results: NodeResult[] = []
  if (isSelecting(session) || session.flags.text('inline') !== undefined) return results
  const work = { project, lake, principal, changes, signal: session.context.signal }
  for (const operation of project.operations.values()) results.push(await compileOperation(operation, work))
  return results
}

/** A change set that is never published. */
export const passingChanges = ({ lake, principal }: App, { environment }: Place): Promise<ChangeSet> =>
  lake.openChanges({ catalog: environment.catalog, principal, environmentNamed: true })

function selected(session: Session, project: DbtProject, again?: readonly string[]): DbtNode[] {
  const ids = again ?? chosenBy(session, project).ids
  project.options.selected = ids
  const found = ids.flatMap((id) => project.nodes.get(id) ?? []).filter((node) => !isBlank(node))
  if (found.length === 0)
    warnOrFail(
      session,
      'Nothing to do. Try checking your model configs and model specification args',
      'NothingToDo',
      'Q035',
    )
  return found
}

/** Text of the command line as a node of its own: it may read whatever a model may. */
function inlineNode(project: DbtProject, sql: string): DbtNode {
  const place = { file: '--inline', line: 1, column: 1 }
  const { database, schema } = project.target
  return {
    uniqueId: `sql_operation.${project.name}.inline_query`,
    kind: 'analysis',
    name: 'inline_query',
    alias: 'inline_query',
    package: project.name,
    fqn: [project.name, 'sql', 'inline_query'],
    file: '--inline',
    fileInPackage: '--inline',
    path: 'inline_query',
    language: 'sql',
    rawSql: sql,
    checksum: { name: 'none', checksum: '' },
    config: { materialized: 'view' },
    unrenderedConfig: {},
    quoting: { database: true, schema: true, identifier: true },
    database,
    schema,
    tags: [],
    description: '',
    docBlocks: [],
    columns: [],
    constraints: [],
    contract: false,
    version: undefined,
    latestVersion: undefined,
    deprecationDate: undefined,
    timeSpine: undefined,
    group: undefined,
    access: 'protected',
    hooks: { pre: [], post: [] },
    test: undefined,
    macros: [],
    refs: [],
    sources: [],
    functions: [],
    metrics: [],
    spec: undefined,
    dependsOn: [...project.nodes.keys(), ...project.sources.keys()],
    place,
    patch: undefined,
  }
}

async function firstRows(
  { context }: Session,
  app: App,
  { environment, target }: Place,
  opened: Opened | undefined,
  sql: string,
  limit: number,
) {
  const text = sql.trim().replace(/;+$/, '')
  const limited = limit < 0 ? text : `select * from (\n${text}\n) limit ${limit}`
  const { lake, principal } = app
  const read = opened ? await runnable(limited, { ...opened, lake, principal, signal: context.signal }) : limited
  const result = await lake.query(read, {
    ...app.asking('cli'),
    catalog: environment.catalog,
    aliases: { [target.database.toLowerCase()]: environment.catalog },
    namespace: opened?.project.target.schema ?? target.schema,
    environmentNamed: environment.writable,
    cache: false,
    signal: context.signal,
    ...(opened && { changes: opened.changes }),
  })
  return collect(result)
}

/** Rows between bars, numbers to the right, as dbt shows them. */
function grid(names: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const shown = rows.map((row) => row.map(cell))
  const widths = names.map((name, at) => Math.max(name.length, ...shown.map((row) => row[at]!.length), 1))
  const isNumber = names.map(
    (_, at) =>
      rows.length > 0 &&
      rows.every((row) => row[at] === null || typeof row[at] === 'number' || /^-?\d+(\.\d+)?$/.test(String(row[at]))),
  )
  const line = (row: readonly string[]) =>
    `| ${row.map((text, at) => (isNumber[at] ? text.padStart(widths[at]!) : text.padEnd(widths[at]!))).join(' | ')} |`
  return [line(names), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...shown.map(line), ''].join('\n')
}

const cell = (value: unknown): string =>
  value === null || value === undefined
    ? ''
    : (typeof value === 'object' ? JSON.stringify(value) : String(value as string)).replaceAll('\n', ' ')
