// run, build, test, seed, snapshot: a plan, done as one durable run, published when it may be.

import { Failure } from '../../../base/failure.ts'
import { assertWritable } from '../../../config/index.ts'
import { fromProblem } from '../../../orchestrate/index.ts'
import type { DbtProject } from '../../../project/dbt/index.ts'
import {
  compileNode,
  inlinedIn,
  isBad,
  membersOf,
  plan,
  type Command,
  type NodeResult,
  type Plan,
} from '../../../transform/index.ts'
import type { BuildInput, PublishMode } from '../../dbt-run.ts'
import { writeArtifacts, writeBatch } from './artifacts.ts'
import { deferTo } from './defer.ts'
import { sayFound } from './found.ts'
import { sayBatch, sayEnd, sayPlace, sayResult, sayStart, sayThreads } from './lines.ts'
import { flagsOf, openLakeOf, openPlace, openProject, type Place, type Session } from './open.ts'
import { chosenBy, kindsLeft } from './selection.ts'
import { warnOrFail } from './warnings.ts'

export const build = (session: Session): Promise<number> => execute(session, 'build')
export const run = (session: Session): Promise<number> => execute(session, 'run')
export const test = (session: Session): Promise<number> => execute(session, 'test')
export const seed = (session: Session): Promise<number> => execute(session, 'seed')
export const snapshot = (session: Session): Promise<number> => execute(session, 'snapshot')

const kinds: Readonly<Record<'build' | 'test', readonly string[]>> = {
  build: ['model', 'function', 'seed', 'snapshot', 'test', 'unit_test', 'exposure', 'saved_query'],
  test: ['test', 'unit_test'],
}

/** What `retry` does again instead of what the flags select: nodes, and of some of them batches alone. */
export type Again = { ids: readonly string[] } & Pick<BuildInput, 'batches' | 'batchesUntil'>

export async function execute(session: Session, command: Command, again?: Again): Promise<number> {
  const { log } = session
  const place = await openPlace(session)
  if (command !== 'test') assertWritable(place.environment)
  sayPlace(log, place)
  const project = await openProject(session, place)
  sayFound(log, project)
  const all = again?.ids ?? chosenBy(session, project).ids
  const gone = again?.ids.find((id) => !id.startsWith('operation.') && !membersOf(project).byId.has(id))
  if (gone !== undefined)
    throw new Failure('NOT_FOUND', `Couldn't find ${gone.split('.')[0]} '${gone}', which is to be tried again`, {
      hint: 'It was taken out of the project: run the command anew.',
    })
  const left = command === 'build' || command === 'test' ? kindsLeft(session, kinds[command]) : undefined
  const ids = left ? all.filter((id) => left.has(id.split('.')[0]!)) : all
  const planned = plan(project, command, ids)
  const isEphemeral = (id: string) => project.nodes.get(id)?.config['materialized'] === 'ephemeral'
  const ephemeral = command === 'build' || command === 'run' ? ids.filter(isEphemeral) : []
  // To dbt, a model that is only read within others is something to do, so hooks run.
  if (planned.steps.length === 0 && ephemeral.length === 0) {
    warnOrFail(
      session,
      'Nothing to do. Try checking your model configs and model specification args',
      'NothingToDo',
      'Q035',
    )
    await writeArtifacts(session, project, [], 0)
    return 0
  }
  const started = performance.now()
  const { results, isPublished } = await perform(session, place, project, planned, {
    ids,
    ...(again && { again }),
  })
  const elapsedMs = performance.now() - started
  await compileEphemeral(session, place, project, ephemeral)
  await writeArtifacts(session, project, results, elapsedMs, { isPublished })
  sayEnd(session, project, results, elapsedMs)
  return results.some(isBad) ? 1 : 0
}

/** What nobody reads is compiled all the same, as by dbt; one that cannot be says so when it is read. */
async function compileEphemeral(
  session: Session,
  place: Place,
  project: DbtProject,
  ids: readonly string[],
): Promise<void> {
  const known = inlinedIn(project)
  const { lake, principal } = await openLakeOf(session, place)
  for (const id of ids)
    if (!known.has(id))
      await compileNode(id, { project, lake, principal, signal: session.context.signal }).catch(() => {})
}

async function perform(
  session: Session,
  place: Place,
  project: DbtProject,
  planned: Plan,
  { ids, again }: { ids: readonly string[]; again?: Again },
): Promise<{ results: readonly NodeResult[]; isPublished: boolean }> {
  const { flags, log, context } = session
  const { environment, target } = place
  const threads = flags.is('single-threaded') ? 1 : target.threads
  const app = await openLakeOf(session, place)
  await deferTo(
    session,
    app,
    project,
    planned.steps.map(({ node }) => node),
  )
  sayThreads(log, threads, target.name)
  const { run, results } = await app.dbtRun({
    environment,
    input: {
      command: planned.command,
      select: flags.words('select'),
      exclude: flags.words('exclude'),
      ids,
      ...(again && { batches: again.batches, batchesUntil: again.batchesUntil }),
      by: app.principal.name,
      publish: publishMode(session, place, project, planned),
      threads,
      failFast: flags.is('fail-fast'),
      stateAware: flags.is('state-aware') && !flags.is('force'),
      reading: { target, vars: flags.mapping('vars'), flags: flagsOf(session) },
    },
    live: {
      project,
      plan: planned,
      onStart: (step, position) => sayStart(log, project, step, position),
      onResult: (result, position) => sayResult(log, project, result, position),
      onBatch: (node, batch) => {
        sayBatch(log, project, node, batch)
        writeBatch(session, project, node, batch)
      },
    },
    signal: context.signal,
    onWait: (id) => log.info(`Run ${id} writes ${environment.name}; this one begins when it has ended.`),
  })
  const isRed = results.some(isBad)
  // What went wrong besides the nodes: another writer was faster, the disk is full.
  if (run.status !== 'succeeded' && run.failure && !isRed) throw fromProblem(run.failure)
  if (isRed && run.publicationId === null && planned.command !== 'test')
    log.warn(
      `Nothing was published: readers of ${environment.name} see the tables as they were. \`boathouse query --run ${run.id} "select …"\` shows what was built, --publish always publishes it.`,
    )
  return { results, isPublished: run.publicationId !== null || planned.command === 'test' }
}

/** What tests find is wanted most when they fail. */
function publishMode(
  { flags }: Session,
  { config }: Place,
  project: DbtProject,
  { command, start, steps, end }: Plan,
): PublishMode {
  if (command !== 'test') return (flags.text('publish') ?? config.dbt.publish) === 'always' ? 'always' : 'passed-only'
  // Hooks, and a project's own materialization of tests, may write whatever they like.
  if (start.length + end.length > 0) return 'always'
  if (project.macros.some(({ macroName }) => macroName.startsWith('materialization_test_'))) return 'always'
  const stores = ({ node }: { node: string }) => {
    const config = project.nodes.get(node)?.config ?? {}
    return config['store_failures'] === true || ['table', 'view'].includes(String(config['store_failures_as']))
  }
  return flags.is('store-failures') || steps.some(stores) ? 'always' : 'passed-only'
}
