// source freshness: how old the data of sources is; sources.json says so to other tools.

import { join, resolve } from 'node:path'
import {
  freshnessSources,
  runFreshness,
  sourcesArtifact,
  writeJson,
  type FreshnessResult,
} from '../../../transform/index.ts'
import { invocationOf } from './artifacts.ts'
import { sayFound, sayThreads } from './lines.ts'
import { progressLine, type DbtLog, type Level } from './log.ts'
import { openLakeOf, openPlace, openProject, type Session } from './open.ts'
import { chosenBy } from './selection.ts'

export async function sourceFreshness(session: Session): Promise<number> {
  const { log, flags, targetDir, context } = session
  const place = await openPlace(session)
  const project = await openProject(session, place)
  sayFound(log, project)
  const sources = freshnessSources(project, chosenBy(session, project).ids)
  const started = performance.now()
  const app = await openLakeOf(session, place)
  sayThreads(log, place.target.threads, place.target.name)
  const work = { project, lake: app.lake, principal: app.principal, signal: context.signal }
  const results = await runFreshness(sources, work, {
    threads: place.target.threads,
    onStart: ({ source, name }, position) =>
      log.info(progressLine(log, `START freshness of ${source}.${name}`, 'RUN', position), {
        name: 'LogStartLine',
        code: 'Q011',
      }),
    onResult: (result, position) => say(log, result, position),
  })
  log.gap()
  const file = flags.text('output')
  const path = file === undefined ? join(targetDir, 'sources.json') : resolve(context.dir, file)
  if (flags.is('write-json', true))
    writeJson(path, sourcesArtifact(project, results, invocationOf(session), performance.now() - started))
  log.info('Done.', { name: 'FreshnessCheckComplete', code: 'Q003' })
  return results.some(({ status }) => status === 'error' || status === 'runtime error') ? 1 : 0
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
