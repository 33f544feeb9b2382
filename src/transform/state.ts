// Which nodes need not be done again: what they are made of is what they were made of when they last went well.
//
//   compiled SQL, hooks, configs, macros that build ─┐
//   versions of all that is read ────────────────────┴─▶ fingerprint ─┬─ as it is noted, and the table is as it was left: unchanged
//                                                                     └─ else it is done, and noted with what it left behind
//
// The notes are in the records. A rollback, another writer, a change of the project or of the data below makes a node be done
// again, because its table is not in the version that is noted. SQL that answers differently each time (`now()`) is never
// unchanged, unless the node's `meta.boathouse.volatile` is false. Hooks of a node that is unchanged are not run.
//
// A model that adds to its own table, or counts on from it, comes out otherwise when it is done again with the same inputs, as in
// dbt. It is left alone once doing it has added nothing: `where at > (select max(at) from {{ this }})`.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../base/failure.ts'
import { versionOf, type Lake, type Outline, type Version } from '../lake/index.ts'
import { isMicrobatch, isTable, type DbtNode, type DbtProject } from '../project/dbt/index.ts'
import { columnLineage } from './columns.ts'
import { Compiler } from './compile.ts'
import { asker } from './materialize.ts'
import { functionsWrittenOut } from './materializations/functions.ts'
import { hooksSent } from './materializations/hooks.ts'
import { batchesOf } from './materializations/microbatch.ts'
import { lakeName, snapshotsBelow } from './materializations/target.ts'
import type { Step } from './plan.ts'
import { queryOptions, statementOf, type NodeResult, type Work } from './work.ts'

/** What is noted of a node that went well. `leftBehind`: the version of its table; null for a test. */
export type NodeState = {
  node: string
  fingerprint: string
  leftBehind: string | null
  result: Pick<NodeResult, 'status' | 'message' | 'failures'>
  notedAt: string
}

/** Remembers nodes from run to run. */
export interface NodeStates {
  known: ReadonlyMap<string, NodeState>
  versions: Lake['versions']
  outline: Lake['outline']
  note(state: Omit<NodeState, 'notedAt'>): void
}

/**
 * Does a step, unless it is as it was. The result of a model that is unchanged is `no-op`, that of a test is what it was;
 * both say since when.
 */
export async function unlessUnchanged(
  step: Step,
  work: Work,
  states: NodeStates,
  run: () => Promise<NodeResult>,
): Promise<NodeResult> {
  const node = work.project.nodes.get(step.node)
  const fingerprint = node && (await fingerprintOf(node, work, states))
  if (!node || fingerprint === undefined) return run()
  const known = states.known.get(step.node)
  if (known?.fingerprint === fingerprint.text && known.leftBehind === (await leftBehind(node, work)))
    return unchanged(step, node, known, fingerprint.sql)
  const result = await run()
  const mayAddMore = fingerprint.accumulates && result.rows !== 0
  if (['success', 'pass', 'warn'].includes(result.status) && !mayAddMore) {
    const { status, message, failures } = result
    const left = await leftBehind(node, work)
    states.note({
      node: step.node,
      fingerprint: fingerprint.text,
      leftBehind: left,
      result: { status, message, failures },
    })
  }
  return result
}

function unchanged(step: Step, node: DbtNode, { result, notedAt }: NodeState, sql: string | undefined): NodeResult {
  const since = `unchanged since ${notedAt}`
  const isTest = node.kind === 'test'
  return {
    uniqueId: step.node,
    kind: node.kind,
    name: step.name,
    status: isTest ? result.status : 'no-op',
    message: result.status === 'warn' ? `${result.message}; ${since}` : since,
    code: undefined,
    hint: undefined,
    place: result.status === 'warn' ? node.place : undefined,
    executionMs: 0,
    timing: [],
    thread: 1,
    adapterResponse: {},
    rows: undefined,
    failures: result.failures,
    table: step.table ?? undefined,
    compiledSql: sql,
  }
}

type Fingerprint = { text: string; sql: string | undefined; accumulates: boolean }

/** Undefined: nobody can tell whether the node would come out the same. */
async function fingerprintOf(
  node: DbtNode,
  work: Work,
  { versions, outline }: Pick<NodeStates, 'versions' | 'outline'>,
): Promise<Fingerprint | undefined> {
  const { flags } = work.project.options
  if (flags.fullRefresh || flags.empty || node.kind === 'function' || !isKnown(node)) return undefined
  const about = JSON.stringify([
    node.config,
    node.columns.map(({ name, description, dataType, constraints }) => [name, description, dataType, constraints]),
    node.description,
    node.constraints,
    [node.database, node.schema, node.alias],
    buildingMacros(work.project),
  ])
  try {
    const hooks = await hooksText(node, work)
    if (node.kind === 'seed') {
      const rows = await readFile(join(work.project.dir, node.file)).catch(() => undefined)
      return rows && { text: hashOf(about, hooks, rows), sql: undefined, accumulates: false }
    }
    const compiler = new Compiler(work.project, onlyQuestions(work), { isRehearsal: true })
    const compiled = await compiler.compile(node)
    const isBatched = isMicrobatch(node, work.project, compiler.macros)
    const batches = isBatched ? batchesOf(node, work, true).map(({ id }) => id) : []
    // What it calls is part of it.
    const sql = await functionsWrittenOut(statementOf(compiled), work)
    const { volatile, read } = await versions(sql, queryOptions(work))
    if ((volatile || compiler.isRandom) && !mayBeStale(node)) return undefined
    const self = [lakeName(work.project, node)].map(
      ({ catalog, namespace, name }) => `${catalog}.${namespace}.${name}`,
    )[0]!
    // What it leaves behind is looked at by itself. A view needs to be made anew only when what it reads has other columns.
    const part = ({ table, shape, content }: Version) => [
      table,
      node.config['materialized'] === 'view' ? shape : content,
    ]
    const inputs = read.filter(({ table }) => table.toLowerCase() !== self.toLowerCase()).map(part)
    const accumulates =
      (!isBatched && addsRows(node)) ||
      (inputs.length < read.length && (await countsOn(await outline(sql, queryOptions(work)), self)))
    return { text: hashOf(about, hooks, sql, JSON.stringify([inputs.sort(), batches])), sql: compiled.sql, accumulates }
  } catch (error) {
    if (error instanceof Failure) return undefined // doing it says what is wrong
    throw error
  }
}

/** Whether rows are added without a key, or by a way of the project's own that nobody knows. */
function addsRows({ kind, config }: DbtNode): boolean {
  if (kind !== 'model' || config['materialized'] !== 'incremental') return false
  const { incremental_strategy: strategy, unique_key: key } = config
  if (strategy === 'insert_overwrite') return false
  const hasKey = Array.isArray(key) ? key.length > 0 : typeof key === 'string' && key !== ''
  return !hasKey || !['default', 'delete+insert', 'merge'].includes(typeof strategy === 'string' ? strategy : 'default')
}

/** Whether what a SELECT gives is made of this table, and not only filtered by it. */
async function countsOn(outline: Outline, table: string): Promise<boolean> {
  const { columns, rows } = await columnLineage(outline)
  const isIt = (one: { table: string }) => one.table.toLowerCase() === table.toLowerCase()
  return columns.some(({ from }) => from.some(isIt)) || rows.some((row) => row.use !== 'filter' && isIt(row))
}

const hashOf = (...parts: (string | Uint8Array)[]): string =>
  parts.reduce((hash, part) => hash.update(part).update('\u0000'), createHash('sha256')).digest('hex')

const knownKinds = ['table', 'view', 'incremental', 'snapshot', 'seed', 'test']
const isKnown = ({ config, kind }: DbtNode): boolean => knownKinds.includes(String(config['materialized'] ?? kind))

const mayBeStale = ({ config }: DbtNode): boolean => {
  const { boathouse } = (config['meta'] ?? {}) as { boathouse?: { volatile?: unknown } }
  return boathouse?.volatile === false
}

/** What the hooks of a node would send, and which snapshots they may read. */
async function hooksText(node: DbtNode, work: Work): Promise<string> {
  if (node.hooks.pre.length + node.hooks.post.length === 0) return ''
  return JSON.stringify([await hooksSent(node, work.project, asker(work)), await snapshotsBelow(node, work)])
}

/**
 * Macros of the project that take part in building, whatever the model's SQL says: those that replace dbt's own, all that
 * they name, and the variables if one of them asks for any.
 */
const macroHashes = new WeakMap<DbtProject, string>()
function buildingMacros(project: DbtProject): string {
  const known = macroHashes.get(project)
  if (known !== undefined) return known
  const found = new Set(project.macros.filter(({ macroName }) => builds.test(macroName)))
  for (const { text } of found) {
    const words = new Set(text.match(/\w+/g))
    for (const macro of project.macros)
      if (words.has(macro.macroName.replace(/^(default|duckdb)__/, ''))) found.add(macro)
  }
  const texts = [...found].flatMap(({ text, uniqueId }) => [uniqueId, text])
  const { options, packages } = project
  const asksVars = texts.some((text) => /\bvar\s*\(/.test(text))
  const vars = asksVars ? JSON.stringify([options.vars, [...packages.values()].map((each) => each.vars)]) : ''
  const hash = texts.length === 0 ? '' : hashOf(...texts, vars)
  macroHashes.set(project, hash)
  return hash
}
const builds =
  /^(default__|duckdb__)?(materialization_|create_|get_create_|get_incremental_|get_merge|get_delete|get_insert|snapshot_|run_hooks|persist_docs|apply_grants|get_test_sql|should_)/

/** A template that changes something while it compiles cannot be compiled just to look. */
function onlyQuestions(work: Work): ReturnType<typeof asker> {
  const ask = asker(work)
  return (request) => {
    if (request.kind === 'statement') throw new Failure('SQL_UNSUPPORTED', 'the template changes something')
    return ask(request)
  }
}

/** The version of the node's table or view as the run sees it; null where there is none. */
async function leftBehind(node: DbtNode, { project, changes }: Work): Promise<string | null> {
  if (!isTable(node) || !(changes as Work['changes'] | undefined)) return null
  const loaded = await changes.load(lakeName(project, node))
  return loaded ? versionOf(loaded).content : null
}
