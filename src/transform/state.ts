// Which nodes need not be done again: what they are made of is what they were made of when they last went well.
//
//   compiled SQL, configs, macros that build ─┐
//   versions of all that is read ─────────────┴─▶ fingerprint ─┬─ as it is noted, and the table is as it was left: unchanged
//                                                              └─ else it is done, and noted with what it left behind
//
// The notes are in the records. A rollback, another writer, a change of the project or of the data below makes a node be done
// again, because its table is not in the version that is noted. SQL that answers differently each time (`now()`) is never
// unchanged, unless the node's `meta.boathouse.volatile` is false. Hooks of a node that is unchanged are not run.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../base/failure.ts'
import { versionOf, type Lake, type Version } from '../lake/index.ts'
import { isTable, type DbtNode, type DbtProject } from '../project/dbt/index.ts'
import { Compiler } from './compile.ts'
import { asker } from './materialize.ts'
import { functionsWrittenOut } from './materializations/functions.ts'
import { lakeName } from './materializations/target.ts'
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
  if (['success', 'pass', 'warn'].includes(result.status)) {
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

type Fingerprint = { text: string; sql: string | undefined }

/** Undefined: nobody can tell whether the node would come out the same. */
async function fingerprintOf(
  node: DbtNode,
  work: Work,
  { versions }: Pick<NodeStates, 'versions'>,
): Promise<Fingerprint | undefined> {
  const { flags } = work.project.options
  if (flags.fullRefresh || flags.empty || node.kind === 'function' || !isKnown(node)) return undefined
  const about = JSON.stringify([
    node.config,
    node.columns.map(({ name, description, dataType, constraints }) => [name, description, dataType, constraints]),
    node.description,
    node.constraints,
    [node.database, node.schema, node.alias],
    [...node.hooks.pre, ...node.hooks.post].map(({ sql }) => sql),
    buildingMacros(work.project),
  ])
  if (node.kind === 'seed') {
    const rows = await readFile(join(work.project.dir, node.file)).catch(() => undefined)
    return rows && { text: hashOf(about, rows), sql: undefined }
  }
  try {
    const compiled = await new Compiler(work.project, onlyQuestions(work)).compile(node)
    // What it calls is part of it.
    const sql = await functionsWrittenOut(statementOf(compiled), work)
    const { volatile, read } = await versions(sql, queryOptions(work))
    if (volatile && !mayBeStale(node)) return undefined
    const self = [lakeName(work.project, node)].map(
      ({ catalog, namespace, name }) => `${catalog}.${namespace}.${name}`,
    )[0]!
    // What it leaves behind is looked at by itself. A view needs to be made anew only when what it reads has other columns.
    const part = ({ table, shape, content }: Version) => [
      table,
      node.config['materialized'] === 'view' ? shape : content,
    ]
    const inputs = read.filter(({ table }) => table.toLowerCase() !== self.toLowerCase()).map(part)
    return { text: hashOf(about, sql, JSON.stringify(inputs.sort())), sql: compiled.sql }
  } catch (error) {
    if (error instanceof Failure) return undefined // doing it says what is wrong
    throw error
  }
}

const hashOf = (...parts: (string | Uint8Array)[]): string =>
  parts.reduce((hash, part) => hash.update(part).update('\u0000'), createHash('sha256')).digest('hex')

const knownKinds = ['table', 'view', 'incremental', 'snapshot', 'seed', 'test']
const isKnown = ({ config, kind }: DbtNode): boolean => knownKinds.includes(String(config['materialized'] ?? kind))

const mayBeStale = ({ config }: DbtNode): boolean => {
  const { boathouse } = (config['meta'] ?? {}) as { boathouse?: { volatile?: unknown } }
  return boathouse?.volatile === false
}

/** Macros of the project that take part in building, whatever the model's SQL says: those that replace dbt's own. */
const macroHashes = new WeakMap<DbtProject, string>()
function buildingMacros(project: DbtProject): string {
  const known = macroHashes.get(project)
  if (known !== undefined) return known
  const texts = project.macros.flatMap(({ macroName, text, uniqueId }) =>
    builds.test(macroName) ? [uniqueId, text] : [],
  )
  const hash = texts.length === 0 ? '' : hashOf(...texts)
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
