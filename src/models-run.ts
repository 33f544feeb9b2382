// One build of the dbt project as a durable step: planned, done node by node, resumed after a kill. Part of the
// composition root.
//
// What a killed attempt left is taken over only where it is certain: the tables of sources, and of nodes that are noted as
// done and still are as they left them. Anything else in the change set (a node half done, a table that hooks wrote to)
// means that the nodes are begun again from what is published. Nobody has seen any of it.

import { isTable } from './project/dbt/index.ts'
import { createHash } from 'node:crypto'
import { Failure, Failures } from './base/failure.ts'
import type { Clock } from './base/clock.ts'
import type { Log } from './base/log.ts'
import { showName } from './catalog/index.ts'
import { systemPrincipal } from './govern/index.ts'
import type { ChangeSet, Lake } from './lake/index.ts'
import { openNodeJournal } from './models-journal.ts'
import { openNodeStates } from './models-states.ts'
import type { BuildInput, LiveBuild } from './cli/dbt-run.ts'
import type { Records } from './records/index.ts'
import type { StepContext } from './orchestrate/index.ts'
import {
  checkProject,
  isBad,
  plan,
  runPlan,
  type CheckWork,
  type DbtProject,
  type NodeResult,
  type Plan,
} from './transform/index.ts'

export type BuildParts = {
  lake: Lake
  /** Reads the project as the input wants it; undefined when there is none. */
  load(input: BuildInput, environment: { name: string; catalog: string }): Promise<DbtProject | undefined>
  records: Records
  clock: Pick<Clock, 'now'>
}

type BuildOptions = { context: StepContext; changes: ChangeSet | undefined; live?: LiveBuild | undefined }

/** Does what the input says; throws MODEL_INVALID, TEST_FAILED and the like unless it is to be published in any case. */
export async function runBuild(
  input: BuildInput,
  { context, changes, live }: BuildOptions,
  { lake, load, records, clock }: BuildParts,
): Promise<Record<string, unknown>> {
  const environment = { name: context.environment, catalog: context.catalog }
  const project = live?.project ?? (await load(input, environment))
  if (!project) throw new Failure('MODEL_INVALID', 'dbt_project.yml is gone from the project')
  const planned = live?.plan ?? planOf(project, input)
  if (input.check) await checkBefore(planned, { project, lake, principal: systemPrincipal, changes }, context)
  const journal = await openNodeJournal(planned, context, fingerprintOf(project))
  const isSafe = !changes || (await settleLeftovers(changes, project, journal.left, context))
  if (!isSafe) context.log.warn('begun again: what a killed attempt left cannot be told apart')
  // Tests alone read what is published: there are no changes to read through.
  const { signal } = context
  const { batches, batchesUntil } = input
  const work = {
    project,
    lake,
    changes: changes as ChangeSet,
    principal: systemPrincipal,
    signal,
    batches,
    batchesUntil,
  }
  const { catalog, runId } = context
  const states = input.stateAware ? await openNodeStates(records, { lake, catalog, runId, clock }) : undefined
  const results = await runPlan(planned, work, {
    states,
    threads: input.threads,
    failFast: input.failFast,
    done: isSafe ? journal.done : new Map(),
    onStart: (step, position) => {
      journal.started(step)
      live?.onStart?.(step, position)
    },
    record: async (result) => journal.ended(result, changes && (await leftBy(result, project, changes))),
    ...(live?.onBatch && { onBatch: live.onBatch }),
    onResult: (result, position) => {
      tell(context.log, result)
      live?.onResult?.(result, position)
    },
  }).finally(() => journal.settled())
  await states?.save()
  live?.results.push(...results)
  const bad = results.filter(isBad)
  if (bad.length > 0 && input.publish !== 'always') throw failureOf(bad)
  return { ...countsOf(results), ...(bad.length > 0 && { failed: problemsOf(bad) }) }
}

/** Every mistake of what is planned, before any of it runs. @throws Failures */
async function checkBefore(
  { steps, start }: Plan,
  work: Pick<CheckWork, 'project' | 'lake' | 'principal' | 'changes'>,
  { log, signal }: Pick<StepContext, 'log' | 'signal'>,
): Promise<void> {
  const { nodes } = work.project
  const only = new Set(steps.map(({ node }) => node))
  // Hooks may make tables that a model reads: what is not there before they ran is no mistake then.
  const haveHooks = start.length > 0 || [...only].some((id) => (nodes.get(id)?.hooks.pre.length ?? 0) > 0)
  const { failures, partly } = await checkProject({ ...work, only, awaited: () => haveHooks, signal })
  for (const { name, because, place } of partly) log.debug('checked in part', { model: name, because, place })
  if (failures.length > 0) throw failures.length === 1 ? failures[0]! : new Failures(failures)
}

export const planOf = (project: DbtProject, { command, select, exclude, ids }: BuildInput): Plan =>
  plan(project, command, ids ?? { select: [...select], exclude: [...exclude] })

/** Of everything that nodes are made of: an attempt does not go on with what another version of the files made. */
function fingerprintOf({ nodes, macros, options }: DbtProject): string {
  const { fullRefresh, empty, storeFailures, others } = options.flags
  const asked = [options.vars, fullRefresh, empty, storeFailures, others, options.target]
  const hash = createHash('sha256').update(JSON.stringify(asked))
  for (const { uniqueId, rawSql, config } of nodes.values()) hash.update(JSON.stringify([uniqueId, rawSql, config]))
  for (const { uniqueId, text } of macros) hash.update(JSON.stringify([uniqueId, text]))
  return hash.digest('hex')
}

// ---- after a kill

/** The metadata file of the table that a node has written; undefined when it writes none. */
async function leftBy({ uniqueId }: NodeResult, project: DbtProject, changes: ChangeSet): Promise<string | undefined> {
  const name = nameOf(uniqueId, project)
  return name && (await changes.load(name))?.location
}

function nameOf(uniqueId: string, project: DbtProject) {
  const node = project.nodes.get(uniqueId)
  if (!node || !isTable(node)) return undefined
  const { target } = project
  const isOwn = node.database.toLowerCase() === target.database.toLowerCase()
  return { catalog: isOwn ? target.catalog : node.database, namespace: node.schema, name: node.alias }
}

/** Gives up what a killed attempt did not finish. False: nothing that nodes did is left. */
async function settleLeftovers(
  changes: ChangeSet,
  project: DbtProject,
  left: ReadonlyMap<string, string>,
  { outputsOf }: Pick<StepContext, 'outputsOf'>,
): Promise<boolean> {
  const pending = await changes.pending()
  if (pending.length === 0) return true
  const lower = (name: Parameters<typeof showName>[0]) => showName(name).toLowerCase()
  const loaded = new Set(
    outputsOf('ingest').flatMap((output) => {
      const { table } = (output ?? {}) as { table?: unknown }
      return typeof table === 'string' ? [table.toLowerCase()] : []
    }),
  )
  const isLoaded = (shown: string) => loaded.has(shown) || loaded.has(shown.split('.').slice(-2).join('.'))
  const nodes = new Map<string, string>()
  for (const { uniqueId } of project.nodes.values()) {
    const name = nameOf(uniqueId, project)
    if (name) nodes.set(lower(name), uniqueId)
  }
  const isDone = (shown: string, location: string | null) => {
    const node = nodes.get(shown)
    return node !== undefined && left.get(node) === location
  }
  const others = pending.filter(({ name }) => !isLoaded(lower(name)))
  // A node that is not noted as done may be half done; what belongs to no node may be of any of them.
  const isClear = others.every(({ name, location }) => {
    const node = nodes.get(lower(name))
    return node !== undefined && (!left.has(node) || left.get(node) === location)
  })
  await changes.keepOnly(({ name, location }) => isLoaded(lower(name)) || (isClear && isDone(lower(name), location)))
  return isClear
}

// ---- what is told

function tell(log: Log, { kind, name, status, message, place, failures, rows, executionMs, code }: NodeResult): void {
  const [because] = /unchanged since \S+/.exec(message) ?? []
  const fields = {
    [kind === 'test' ? 'test' : 'model']: name,
    message,
    because,
    durationMs: executionMs,
    rows,
    failures,
    code,
    place: place && { ...place },
  }
  const level = status === 'error' || status === 'fail' ? 'error' : status === 'warn' ? 'warn' : 'info'
  log[level](`${kind} ${status}`, Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)))
}

/** How many ended how: `{ success: 12, pass: 30 }`. */
function countsOf(results: readonly NodeResult[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status } of results) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

function failureOf(bad: readonly NodeResult[]): Failure {
  const failures = bad.map(({ status, kind, name, message, code, hint, place, compiledSql }) =>
    status === 'fail'
      ? new Failure('TEST_FAILED', `${message.trim()} in the test ${name}`, {
          ...(place ? { place } : {}),
          compiledSql,
        })
      : new Failure(
          (code ?? 'MODEL_INVALID') as 'MODEL_INVALID',
          `${kind === 'test' ? `the test ${name}: ` : ''}${message}`,
          { ...(place ? { place } : {}), ...(hint ? { hint } : {}), compiledSql },
        ),
  )
  return failures.length === 1 ? failures[0]! : new Failures(failures)
}

const problemsOf = (bad: readonly NodeResult[]) => bad.map(({ name, status }) => `${name} (${status})`)
