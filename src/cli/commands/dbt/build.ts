// run, build, test, seed, snapshot: a plan, done into one change set, published when it may be.

import { showDuration } from '../../../base/units.ts'
import { assertWritable } from '../../../config/index.ts'
import type { DbtProject } from '../../../project/dbt/index.ts'
import { isBad, plan, runPlan, type Command, type NodeResult } from '../../../transform/index.ts'
import type { App } from '../../app.ts'
import { writeArtifacts } from './artifacts.ts'
import { sayEnd, sayFound, sayResult, sayStart, sayThreads } from './lines.ts'
import { openLakeOf, openPlace, openProject, type Place, type Session } from './open.ts'
import { chosenBy, kindsLeft, warnOrFail } from './selection.ts'

export const build = (session: Session): Promise<number> => execute(session, 'build')
export const run = (session: Session): Promise<number> => execute(session, 'run')
export const test = (session: Session): Promise<number> => execute(session, 'test')
export const seed = (session: Session): Promise<number> => execute(session, 'seed')
export const snapshot = (session: Session): Promise<number> => execute(session, 'snapshot')

const kinds: Readonly<Record<'build' | 'test', readonly string[]>> = {
  build: ['model', 'seed', 'snapshot', 'test', 'unit_test', 'exposure', 'saved_query'],
  test: ['test', 'unit_test'],
}

/** `only`: these nodes instead of those that the flags select; `retry` says so. */
export async function execute(session: Session, command: Command, only?: readonly string[]): Promise<number> {
  const { log } = session
  const place = await openPlace(session)
  if (command !== 'test') assertWritable(place.environment)
  sayPlace(session, place)
  const project = await openProject(session, place)
  sayFound(log, project)
  const all = only ?? chosenBy(session, project).ids
  const left = command === 'build' || command === 'test' ? kindsLeft(session, kinds[command]) : undefined
  const ids = left ? all.filter((id) => left.has(id.split('.')[0]!)) : all
  const planned = plan(project, command, ids)
  if (planned.steps.length === 0) {
    warnOrFail(
      session,
      'Nothing to do. Try checking your model configs and model specification args',
      'NothingToDo',
      'Q035',
    )
    await writeArtifacts(session, project, [], 0)
    return 0
  }
  const threads = session.flags.is('single-threaded') ? 1 : place.target.threads
  sayThreads(log, threads, place.target.name)
  const app = await openLakeOf(session, place)
  const started = performance.now()
  const results = await doAndPublish(session, app, place, project, (changes) =>
    runPlan(
      planned,
      { project, lake: app.lake, changes, principal: app.principal, signal: session.context.signal },
      {
        threads,
        failFast: session.flags.is('fail-fast'),
        signal: session.context.signal,
        onStart: (step, position) => sayStart(log, project, step, position),
        onResult: (result, position) => sayResult(log, project, result, position),
      },
    ),
  )
  const elapsedMs = performance.now() - started
  await writeArtifacts(session, project, results, elapsedMs)
  sayEnd(session, project, results, elapsedMs)
  return results.some(isBad) ? 1 : 0
}

export function sayPlace({ log }: Session, { environment, target, profile, config }: Place): void {
  const from = profile ? `target '${target.name}' of ${profile.file}` : `target '${target.name}'`
  log.info(`Environment ${environment.name} (catalog ${environment.catalog}), ${from}; state in ${config.stateDir}`, {
    name: 'AdapterRegistered',
    code: 'E034',
  })
}

type Changes = Awaited<ReturnType<App['lake']['openChanges']>>

/** One change set for the command; readers see it when nothing failed, or when the user wants it in any case. */
export async function doAndPublish(
  session: Session,
  app: App,
  { environment }: Place,
  project: DbtProject,
  work: (changes: Changes) => Promise<NodeResult[]>,
): Promise<NodeResult[]> {
  const { log, flags } = session
  const changes = await app.lake.openChanges({
    catalog: environment.catalog,
    principal: app.principal,
    environmentNamed: environment.writable,
  })
  let isDone = false
  try {
    const results = await work(changes)
    const isRed = results.some(isBad)
    // What tests write are the rows that failed: those are wanted most when they did.
    const always = flags.text('publish') === 'always' || session.verb === 'test'
    if ((await changes.pending()).length === 0) return results
    if (isRed && !always) {
      log.warn(
        `Nothing was published: readers of ${environment.name} see the tables as they were. --publish always shows them what was built.`,
      )
      return results
    }
    const { id, tables } = await changes.publish()
    isDone = true
    log.say(
      'debug',
      `Published ${tables.length} tables as ${id} of ${project.name} ${showDuration(Date.now() - session.startedAt)} after the start`,
    )
    return results
  } finally {
    if (!isDone) await changes.discard()
  }
}
