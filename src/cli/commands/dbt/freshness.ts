// source freshness: how old the data of sources is; sources.json says so to other tools.

import { join, resolve } from 'node:path'
import { behaviourFlag, deprecations, type DbtProject } from '../../../project/dbt/index.ts'
import {
  freshnessSources,
  isBad,
  plan,
  runAround,
  runFreshness,
  sourcesArtifact,
  writeJson,
  type FreshnessResult,
  type Plan,
  type Work,
} from '../../../transform/index.ts'
import { invocationOf } from './artifacts.ts'
import { sayFound } from './found.ts'
import { sayResult, sayStart, sayThreads } from './lines.ts'
import { progressLine, type DbtLog, type Level } from './log.ts'
import { openLakeOf, openPlace, openProject, type Place, type Session } from './open.ts'
import { chosenBy } from './selection.ts'
import { deprecate } from './warnings.ts'

export async function sourceFreshness(session: Session): Promise<number> {
  const { log, flags, targetDir, context } = session
  const place = await openPlace(session)
  const project = await openProject(session, place)
  sayFound(log, project)
  const sources = freshnessSources(project, chosenBy(session, project).ids)
  const started = performance.now()
  const app = await openLakeOf(session, place)
  sayThreads(log, place.target.threads, place.target.name)
  const results: FreshnessResult[] = []
  const look = async (changes?: Work['changes']) => {
    const work = {
      project,
      lake: app.lake,
      principal: app.principal,
      signal: context.signal,
      ...(changes && { changes }),
    }
    results.push(
      ...(await runFreshness(sources, work, {
        threads: place.target.threads,
        onStart: ({ source, name }, position) =>
          log.info(progressLine(log, `START freshness of ${source}.${name}`, 'RUN', position), {
            name: 'LogStartLine',
            code: 'Q011',
          }),
        onResult: (result, position) => say(log, result, position),
      })),
    )
  }
  const hooks = hooksOf(session, project)
  const isDone = hooks ? await aroundHooks(session, place, project, hooks, look) : await look().then(() => true)
  log.gap()
  const file = flags.text('output')
  if (file !== undefined) deprecate(session, deprecations.freshnessOutput(file))
  const path = file === undefined ? join(targetDir, 'sources.json') : resolve(context.dir, file)
  if (flags.is('write-json', true))
    writeJson(path, sourcesArtifact(project, results, invocationOf(session), performance.now() - started))
  log.info('Done.', { name: 'FreshnessCheckComplete', code: 'Q003' })
  return isDone && results.every(({ status }) => status !== 'error' && status !== 'runtime error') ? 0 : 1
}

/** The project's operations, which run around the look at sources as well, unless it says otherwise. */
function hooksOf(session: Session, project: DbtProject): Plan | undefined {
  const hooks = plan(project, 'run', [])
  if (hooks.start.length + hooks.end.length === 0) return undefined
  if (behaviourFlag(project, 'source_freshness_run_project_hooks') !== false) return hooks
  deprecate(session, deprecations.hooksOfFreshness())
  return undefined
}

/** What they write is published when all of them went well. */
async function aroundHooks(
  session: Session,
  place: Place,
  project: DbtProject,
  hooks: Plan,
  look: (changes: Work['changes']) => Promise<void>,
): Promise<boolean> {
  const { log, context } = session
  const { lake, principal } = await openLakeOf(session, place)
  const { catalog, writable } = place.environment
  const changes = await lake.openChanges({ catalog, principal, environmentNamed: writable })
  let isPublished = false
  try {
    const results = await runAround(
      hooks,
      { project, lake, changes, principal, signal: context.signal },
      {
        onStart: (step, position) => sayStart(log, project, step, position),
        onResult: (result, position) => sayResult(log, project, result, position),
      },
      () => look(changes),
    )
    const isDone = !results.some(isBad)
    if (isDone && (await changes.pending()).length > 0) {
      await changes.publish()
      isPublished = true
    }
    for (const { message } of results.filter(isBad)) log.error(message, { name: 'RunResultError', code: 'Z024' })
    return isDone
  } finally {
    if (!isPublished) await changes.discard()
  }
}

const words: Readonly<Record<string, { text: string; colour: 'green' | 'yellow' | 'red'; level: Level }>> = {
  pass: { text: 'PASS', colour: 'green', level: 'info' },
  warn: { text: 'WARN', colour: 'yellow', level: 'warn' },
  error: { text: 'ERROR STALE', colour: 'red', level: 'error' },
}
const broken = { text: 'ERROR', colour: 'red', level: 'error' } as const

function say(log: DbtLog, result: FreshnessResult, position: { index: number; total: number }): void {
  const { name, status, message, executionMs, code } = result
  const { text, colour, level } = words[status] ?? broken
  const line = progressLine(log, `${text} freshness of ${name}`, log.paint(colour, text), {
    ...position,
    seconds: executionMs / 1000,
  })
  log.say(level, line, { name: 'LogFreshnessResult', code: 'Q018', data: { status, unique_id: result.uniqueId } })
  if (status === 'runtime error') log.say('error', `  ${code ?? ''} ${message}`)
}
