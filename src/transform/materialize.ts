// One node → its table, view or rows in the change set.
//
// A node is compiled, its first hooks run, it is materialised, its last hooks run. Tables, views and seeds are written by the
// change set itself; everything else, and all that a project overrides, by the template that dbt would run, whose statements
// go through the lake's door into the same change set.

import { compileTemplate, Dict, fromJs, type Callable } from '../jinja/index.ts'
import { Failure } from '../base/failure.ts'
import { didYouMean } from '../base/suggest.ts'
import type { LoadedTable } from '../catalog/index.ts'
import { isMicrobatch, type DbtMacro, type DbtNode, type DbtOperation, type DbtProject } from '../project/dbt/index.ts'
import { Compiler, type Compiled, type Names, type Subject } from './compile.ts'
import { chosenFor } from './materializations/chosen.ts'
import { checkContract, holdConstraints } from './materializations/constraints.ts'
import { tellMissingColumns } from './materializations/doc-columns.ts'
import { applyGrants } from './materializations/grants.ts'
import { originOf, runHooks, told } from './materializations/hooks.ts'
import { keptTable, plainWrite } from './materializations/incremental.ts'
import { runMaterialization } from './materializations/jinja.ts'
import { checkFunction } from './materializations/functions.ts'
import { runnable, running } from './materializations/runnable.ts'
import { pointToLatest } from './materializations/latest-pointer.ts'
import { runBatches } from './materializations/microbatch.ts'
import { aboutTable, asker, openScope, type Scope } from './materializations/scope.ts'
import { loadSeed } from './materializations/seed.ts'
import { checkLayout, lakeName, readSnapshots, tableOptions } from './materializations/target.ts'
import { done, inTemplate, statementOf, timed, type Clocked, type NodeResult, type Outcome, type Work } from './work.ts'

export { asker } from './materializations/scope.ts'

/** Does the work of one model, seed or snapshot, hooks included. Failures become a result; a cancelled run is thrown. */
export async function runModel(node: DbtNode, work: Work): Promise<NodeResult> {
  return timed(node, work, async (clocked) => {
    checkAlone(node, work.project)
    const about = aboutTable(work.project, node, {
      ...tableOptions(node, work),
      summary: await readSnapshots(node, work),
    })
    const scope = await openScope(node.uniqueId, work, {
      target: lakeName(work.project, node),
      about,
      loadSeed: async () => void (await loadSeed(node, work)),
    })
    try {
      const outcome = await materialized(node, work, scope, clocked)
      if (outcome.status === 'success') {
        const compiler = new Compiler(work.project, scope.ask)
        await tellMissingColumns(node, { compiler, ask: scope.ask })
        await pointToLatest(node, { work, scope, compiler })
      }
      return outcome
    } catch (error) {
      await scope.takeBack()
      throw error
    } finally {
      await scope.close()
    }
  })
}

/** Of tables whose names differ in case alone there is one: the first has it. */
function checkAlone(node: DbtNode, project: DbtProject): void {
  const { first, nameOf } = (known.get(project) ?? known.set(project, firstOfTables(project)).get(project))!
  const other = first.get(nameOf(node))
  if (!other || other.uniqueId === node.uniqueId || node.kind === 'function') return
  throw new Failure(
    'MODEL_INVALID',
    `"${node.schema}.${node.alias}" is the table of "${other.name}" in ${other.file}, too`,
    {
      place: node.place,
      hint: 'Upper and lower case are one here. Give one of them another alias or schema.',
    },
  )
}

const known = new WeakMap<DbtProject, ReturnType<typeof firstOfTables>>()
function firstOfTables({ nodes }: DbtProject) {
  const nameOf = ({ database, schema, alias }: DbtNode) => `${database}.${schema}.${alias}`.toLowerCase()
  const first = new Map<string, DbtNode>()
  const written = [...nodes.values()].filter(
    ({ kind, config }) =>
      (kind === 'model' || kind === 'seed' || kind === 'snapshot') && config['materialized'] !== 'ephemeral',
  )
  for (const node of written.toSorted((a, b) => (a.uniqueId < b.uniqueId ? -1 : 1)))
    if (!first.has(nameOf(node))) first.set(nameOf(node), node)
  return { first, nameOf }
}

async function materialized(node: DbtNode, work: Work, scope: Scope, clocked: Clocked): Promise<Outcome> {
  if (node.file.endsWith('.py'))
    throw new Failure('SQL_UNSUPPORTED', `${node.name} is a Python model; models are SQL here`, {
      place: node.place,
      hint: 'Write it as SQL, or load what its program makes as a source.',
    })
  const compiler = new Compiler(work.project, scope.ask)
  if (node.kind === 'function') return byChecking(node, { work, compiler, scope }, clocked)
  // Each batch of it is compiled by itself.
  const isBatched = isMicrobatch(node, work.project, compiler.macros)
  const compiled = node.kind === 'seed' || isBatched ? undefined : await compiler.compile(node)
  clocked.compiled(compiled?.sql)
  const chosen = chosenFor(node, work.project, compiler.macros)
  if ('macro' in chosen && isBatched) {
    checkMade(node, await keptTable(node, work))
    return runBatches(node, chosen.macro, { work, compiler })
  }
  const kept = node.config['materialized'] === 'incremental' ? await keptTable(node, work) : undefined
  if (compiled) await inTemplate(compiled, async () => checkMade(node, kept))
  const plain = 'macro' in chosen && chosen.plain && compiled ? plainWrite(node, kept) : undefined
  if (plain)
    return aroundHooks(node, { work, compiler, scope }, () => writeSelect(node, plain, compiled!, { work, scope }))
  const written =
    'macro' in chosen
      ? await byTemplate(node, chosen.macro, compiled, { work, compiler })
      : await byLake(node, chosen.native, compiled, { work, compiler, scope })
  return written
}

/** A function is written out where it is called (`functions.ts`): to build it is to know that it is right. */
async function byChecking(
  node: DbtNode,
  { work, compiler, scope }: { work: Work; compiler: Compiler; scope: Scope },
  clocked: Clocked,
): Promise<Outcome> {
  const { sql } = await compiler.compile(node)
  clocked.compiled(sql)
  return aroundHooks(node, { work, compiler, scope }, () => checkFunction(node, sql, work))
}

/** Tables that dbt's own templates make are laid out as their configs say. */
function checkMade(node: DbtNode, kept: LoadedTable | undefined): void {
  const { materialized } = node.config
  if (materialized === 'table' || (materialized === 'incremental' && !kept)) checkLayout(node)
}

async function byLake(
  node: DbtNode,
  as: 'table' | 'view' | 'seed',
  compiled: Compiled | undefined,
  { work, compiler, scope }: { work: Work; compiler: Compiler; scope: Scope },
): Promise<Outcome> {
  return aroundHooks(node, { work, compiler, scope }, () =>
    compiled && as !== 'seed'
      ? writeSelect(node, { how: as === 'view' ? 'view' : 'replace' }, compiled, { work, scope })
      : loadSeed(node, work),
  )
}

async function aroundHooks(
  node: DbtNode,
  { work, compiler, scope }: { work: Work; compiler: Compiler; scope: Scope },
  write: () => Promise<Outcome>,
): Promise<Outcome> {
  await runHooks('pre', node, { compiler, ask: scope.ask })
  const outcome = await write()
  await applyGrants(node, lakeName(work.project, node), work, scope.options)
  await runHooks('post', node, { compiler, ask: scope.ask })
  return outcome
}

type Writing = { how: 'replace' | 'view' } | { how: 'append'; select(sql: string): string }

async function writeSelect(
  node: DbtNode,
  writing: Writing,
  compiled: Compiled,
  { work, scope }: { work: Work; scope: Scope },
): Promise<Outcome> {
  const target = lakeName(work.project, node)
  const { temporary } = scope.options
  const options = { ...tableOptions(node, work), ...scope.options.about?.(target), temporary }
  const ordered = await checkContract(node, statementOf(compiled), work)
  // A view keeps the order that its SELECT has, as dbt's do.
  const checked = 'how' in writing && writing.how === 'view' ? statementOf(compiled) : ordered
  const sql = await inTemplate(compiled, () => runnable(checked, work))
  const written = await inTemplate(
    compiled,
    () => {
      if ('select' in writing) return work.changes.append(target, writing.select(sql), options)
      return writing.how === 'view'
        ? work.changes.createView(target, sql, options)
        : work.changes.replaceTable(target, sql, options)
    },
    writing.how === 'append' ? 1 : 0,
  )
  if (writing.how !== 'view') await holdConstraints(node, work)
  const rows = written.kind === 'table' ? written.rowsWritten : undefined
  return {
    ...done,
    message: rows === undefined ? 'view created' : `${rows} rows`,
    rows,
    table: written.table,
    compiledSql: compiled.sql,
  }
}

async function byTemplate(
  node: DbtNode,
  macro: DbtMacro,
  compiled: Compiled | undefined,
  { work, compiler }: { work: Work; compiler: Compiler },
): Promise<Outcome> {
  if (compiled) await checkContract(node, statementOf(compiled), work)
  await runMaterialization(node, macro, { compiler, compiled })
  await holdConstraints(node, work)
  return { ...done, table: Object.values(lakeName(work.project, node)).join('.'), compiledSql: compiled?.sql }
}

// --- operations

const operationSubject = (
  operation: Pick<DbtOperation, 'uniqueId' | 'name' | 'package' | 'place' | 'database' | 'schema'>,
  raw: string,
): Subject => {
  const { database, schema } = operation
  return {
    ...operation,
    kind: 'operation',
    dependsOn: undefined,
    config: { materialized: 'view' },
    relation: { database, schema, identifier: operation.name },
    model: () =>
      fromJs({
        unique_id: operation.uniqueId,
        resource_type: 'operation',
        name: operation.name,
        alias: operation.name,
        package_name: operation.package,
        database,
        schema,
        raw_code: raw,
        config: { materialized: 'view' },
        columns: {},
      }) as Dict,
  }
}

/** One statement of on-run-start or on-run-end. `names`: `results`, `schemas`, `database_schemas` where they are known. */
export async function runOperation(operation: DbtOperation, work: Work, names: Names = {}): Promise<NodeResult> {
  return timed({ ...operation, kind: 'operation' }, work, async (clocked) => {
    const scope = await openScope(operation.uniqueId, work)
    try {
      const text = await operationText(operation, new Compiler(work.project, scope.ask), names)
      clocked.compiled(text)
      if (text.trim() !== '') await told(operation.place, () => scope.ask({ kind: 'statement', sql: text }))
      return { ...done, compiledSql: text }
    } finally {
      await scope.close()
    }
  })
}

/** What a statement of on-run-start or on-run-end would send, as a result: as with other nodes, what its template asks is asked. */
export function compileOperation(
  operation: DbtOperation,
  work: Omit<Work, 'changes'> & Partial<Work>,
): Promise<NodeResult> {
  return timed({ ...operation, kind: 'operation' }, work, async (clocked) => {
    const compiledSql = await operationText(operation, new Compiler(work.project, asker(running(work))))
    clocked.compiled()
    return { ...done, compiledSql }
  })
}

/** What a statement of on-run-start or on-run-end would send. */
export const operationText = (operation: DbtOperation, compiler: Compiler, names: Names = {}): Promise<string> =>
  compiler.run(
    operationSubject(operation, operation.sql),
    ({ globals }) => compileTemplate(operation.sql, originOf(operation.place)).render(globals),
    names,
  )

/** `dbt run-operation NAME --args …`: calls a macro, of the project or of a package (`package.name`), by named arguments. */
export async function runMacro(name: string, args: Readonly<Record<string, unknown>>, work: Work): Promise<NodeResult> {
  const { project } = work
  const reading = running(work)
  const parts = name.split('.')
  const operation = {
    uniqueId: `operation.${project.name}.${name}`,
    name: parts.at(-1)!,
    package: parts.length > 1 ? parts[0]! : project.name,
    place: { file: 'dbt_project.yml' },
    database: project.target.database,
    schema: project.target.schema,
  }
  let { uniqueId } = operation
  const result = await timed({ ...operation, kind: 'operation' }, work, async () => {
    const scope = await openScope(operation.uniqueId, reading)
    try {
      const compiler = new Compiler(project, scope.ask)
      const macro =
        parts.length > 1 ? compiler.macros.in(parts[0]!, operation.name) : compiler.macros.findAnywhere(name)
      if (!macro)
        throw new Failure('NOT_FOUND', `dbt could not find a macro with the name '${name}' in any package`, {
          hint: `It is looked for in the project, in its packages, then in dbt${didYouMean(
            name,
            project.macros.map(({ macroName }) => macroName),
          )}.`,
        })
      uniqueId = macro.uniqueId
      const kwargs = Object.fromEntries(Object.entries(args).map(([key, value]) => [key, fromJs(value)]))
      const subject = operationSubject(operation, '')
      await compiler.run(subject, ({ macros }) => (macros.bind(macro) as Callable)([], kwargs))
      return done
    } finally {
      await scope.close()
    }
  })
  return { ...result, uniqueId }
}
