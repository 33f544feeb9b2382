// The lines of nodes that start and end, in dbt's words.

import { relationNameOf, type DbtNode, type DbtProject } from '../../../project/dbt/index.ts'
import {
  headOf,
  isBad,
  messageOf,
  pathInTarget,
  type BatchProgress,
  type NodeResult,
  type Position,
  type Step,
} from '../../../transform/index.ts'
import { relative, join } from 'node:path'
import { repr } from '../../../jinja/index.ts'
import { counted } from '../../output.ts'
import { kindWords } from './found.ts'
import { progressLine, type Colour, type DbtLog, type Level } from './log.ts'
import type { Place, Session } from './open.ts'

const relationOf = (project: DbtProject, { database, schema, alias }: DbtNode): string =>
  [...(database === project.target.database ? [] : [database]), schema, alias].join('.')

/** What a node is called in lines: `sql table model main.orders`. */
function described(
  project: DbtProject,
  { kind, node: id, name }: Pick<Step, 'kind' | 'node' | 'name'>,
  index: number,
): string {
  const node = project.nodes.get(id)
  const relation = node ? relationOf(project, node) : name
  switch (kind) {
    case 'model':
      return `sql ${String(node?.config['materialized'] ?? 'table')} model ${relation}`
    case 'seed':
      return `seed file ${relation}`
    case 'snapshot':
    case 'function':
      return `${kind} ${relation}`
    case 'unit_test':
      return `unit_test ${project.unitTests.get(id)?.model ?? ''}::${name}`
    case 'operation': {
      const operation = project.operations.get(id)
      // By its place among all hooks of its kind.
      return `hook: ${operation ? `${operation.package}.${operation.when}.${index - 1}` : name}`
    }
    case 'saved_query':
      return `saved query ${name}`
    default:
      return `${kind} ${name}`
  }
}

export function sayStart(log: DbtLog, project: DbtProject, step: Step, { index, total }: Position): void {
  // Nothing is done for them.
  if (step.kind === 'saved_query' || step.kind === 'exposure') return
  const description = described(project, step, index)
  const text = `START ${description}`
  log.info(progressLine(log, text, 'RUN', { index, total, isCut: step.kind === 'operation' }), {
    name: step.kind === 'operation' ? 'LogHookStartLine' : 'LogStartLine',
    code: step.kind === 'operation' ? 'Q032' : 'Q011',
    data: { index, total, description, node_info: nodeInfo(project, step.node, 'started') },
  })
}

const batchWords = {
  started: ['START', 'RUN', undefined],
  success: ['OK created', 'SUCCESS', 'green'],
  error: ['ERROR creating', 'ERROR', 'red'],
  skipped: ['SKIP', 'SKIPPED', 'yellow'],
} as const

/** One batch of a microbatch model: `Batch 1 of 3 OK created batch 2026-01-31 of main.orders … [SUCCESS in 0.10s]`. */
export function sayBatch(log: DbtLog, project: DbtProject, node: DbtNode, batch: BatchProgress): void {
  const { name, status, index, total, ms } = batch
  const [verb, word, colour] = batchWords[status]
  const description = `batch ${name} of ${relationOf(project, node)}`
  const line = progressLine(log, `${verb} ${description}`, colour ? log.paint(colour, word) : word, {
    index,
    total,
    ...(status === 'success' || status === 'error' ? { seconds: ms / 1000 } : {}),
  })
  const data = {
    description,
    batch_index: index,
    total_batches: total,
    node_info: nodeInfo(project, node.uniqueId, status),
    ...(status !== 'started' && { status, execution_time: ms / 1000 }),
  }
  const event =
    status === 'started' ? { name: 'LogStartBatch', code: 'Q045' } : { name: 'LogBatchResult', code: 'Q046' }
  log.say(status === 'error' ? 'error' : 'info', `Batch ${line}`, { ...event, data })
}

type Said = { text: string; status: string; colour: Colour; level: Level; event: string; code: string }

export function sayResult(log: DbtLog, project: DbtProject, result: NodeResult, { index, total }: Position): void {
  const { text, status, colour, level, event, code } = saidOf(project, result, index)
  const timed = result.status === 'skipped' ? {} : { seconds: result.executionMs / 1000 }
  const line = progressLine(log, text, log.paint(colour, status), {
    index,
    total,
    isCut: result.kind === 'operation',
    ...timed,
  })
  const data = {
    index,
    total,
    execution_time: result.executionMs / 1000,
    status: result.status,
    node_info: nodeInfo(project, result.uniqueId, result.status),
    ...groupInfo(project, result.uniqueId),
    ...(result.failures === undefined ? {} : { num_failures: result.failures }),
    ...fieldsOf(project, result, { index, total }),
  }
  log.say(level, line, { name: event, code, data })
}

/** What events say besides, by the kind of node; of a model that went well the status is what the database said. */
function fieldsOf(project: DbtProject, result: NodeResult, { index, total }: Position): Record<string, unknown> {
  const { kind, name, uniqueId, status } = result
  const node = project.nodes.get(uniqueId)
  const said = messageOf(project, result) ?? result.message
  switch (status === 'skipped' || status === 'no-op' ? undefined : kind) {
    case 'model':
      return {
        description: described(project, { kind: 'model', node: uniqueId, name }, index),
        ...(status !== 'error' && { status: said }),
      }
    case 'test':
    case 'unit_test':
      return { name, num_models: total }
    case 'seed':
      return { schema: node?.schema, relation: node?.alias, result_message: said }
    case 'snapshot':
      return { description: `${node?.schema}.${node?.alias}`, result_message: said }
    default:
      return {}
  }
}

function saidOf(project: DbtProject, result: NodeResult, index: number): Said {
  const { kind, status, name, uniqueId, failures } = result
  const what = described(project, { kind: kind as Step['kind'], node: uniqueId, name }, index)
  const bad: Pick<Said, 'status' | 'colour' | 'level'> = { status: 'ERROR', colour: 'red', level: 'error' }
  const good: Pick<Said, 'status' | 'colour' | 'level'> = {
    status: messageOf(project, result) ?? 'OK',
    colour: 'green',
    level: 'info',
  }
  if (status === 'skipped') {
    const node = project.nodes.get(uniqueId)
    const isTable = kind === 'model' || kind === 'seed' || kind === 'snapshot'
    const skipped =
      isTable && node ? `relation ${node.schema}.${node.alias}` : kind === 'operation' ? what : `${kind} ${name}`
    if (result.code !== undefined)
      return {
        ...bad,
        text: `SKIP ${skipped} due to ephemeral model status 'error'`,
        status: 'ERROR SKIP',
        event: 'LogSkipBecauseError',
        code: 'Z034',
      }
    return {
      text: `SKIP ${skipped}`,
      status: 'SKIP',
      colour: 'yellow',
      level: 'info',
      event: 'SkippingDetails',
      code: 'Q034',
    }
  }
  if (status === 'no-op')
    return {
      text: `NO-OP ${what}`,
      status: 'NO-OP',
      colour: 'yellow',
      level: 'info',
      event: 'LogNodeNoOpResult',
      code: 'Q019',
    }
  switch (kind) {
    case 'test':
    case 'unit_test': {
      const tested = kind === 'unit_test' ? what.slice('unit_test '.length) : name
      const event = { event: 'LogTestResult', code: 'Q007' }
      if (status === 'pass') return { text: `PASS ${tested}`, status: 'PASS', colour: 'green', level: 'info', ...event }
      if (status === 'warn')
        return {
          text: `WARN ${failures} ${tested}`,
          status: `WARN ${failures}`,
          colour: 'yellow',
          level: 'warn',
          ...event,
        }
      if (status === 'fail')
        return {
          text: `FAIL ${failures ?? 1} ${tested}`,
          status: `FAIL ${failures ?? 1}`,
          colour: 'red',
          level: 'error',
          ...event,
        }
      return { text: `ERROR ${tested}`, ...bad, ...event }
    }
    case 'seed': {
      const event = { event: 'LogSeedResult', code: 'Q016' }
      return status === 'success'
        ? { text: `OK loaded ${what}`, ...good, ...event }
        : { text: `ERROR loading ${what}`, ...bad, ...event }
    }
    case 'snapshot': {
      const event = { event: 'LogSnapshotResult', code: 'Q015' }
      return status === 'success'
        ? { text: `OK snapshotted ${what}`, ...good, ...event }
        : { text: `ERROR snapshotting ${what}`, ...bad, ...event }
    }
    case 'operation': {
      const event = { event: 'LogHookEndLine', code: 'Q033' }
      return status === 'success'
        ? { text: `OK ${what}`, ...good, status: 'OK', ...event }
        : { text: `ERROR ${what}`, ...bad, ...event }
    }
    default: {
      const event =
        kind === 'function' ? { event: 'LogFunctionResult', code: 'Q047' } : { event: 'LogModelResult', code: 'Q012' }
      if (status === 'success') return { text: `OK created ${what}`, ...good, ...event }
      if (status === 'partial success')
        return {
          text: `PARTIALLY created ${what}`,
          status: result.message.toUpperCase(),
          colour: 'yellow',
          level: 'error',
          ...event,
        }
      return { text: `ERROR creating ${what}`, ...bad, ...event }
    }
  }
}

function nodeInfo(project: DbtProject, id: string, status: string): Record<string, unknown> {
  const node = project.nodes.get(id)
  return {
    unique_id: id,
    resource_type: node?.kind ?? id.split('.')[0],
    node_name: node?.name ?? id.split('.').at(-1),
    node_path: node?.path ?? '',
    materialized: node ? String(node.config['materialized'] ?? '') : '',
    node_status: status,
    node_checksum: node?.checksum.checksum ?? '',
    meta: node?.config['meta'] ?? {},
    node_relation: node
      ? { database: node.database, schema: node.schema, alias: node.alias, relation_name: relationNameOf(node) ?? '' }
      : {},
  }
}

/** The group of a node, or of what a test is about; events say who owns it. */
function groupInfo(project: DbtProject, id: string): Record<string, unknown> {
  const node = project.nodes.get(id)
  const tested = node?.test?.kind === 'generic' ? project.nodes.get(node.test.attachedTo ?? '') : undefined
  const name = node?.group ?? tested?.group
  const group = [...project.groups.values()].find((each) => each.name === name)
  if (!group) return {}
  const owner = Object.entries(group.owner).map(([key, value]) => [
    key,
    Array.isArray(value) ? repr(value) : String(value),
  ])
  return { group: { name: group.name, package_name: group.package, owner: Object.fromEntries(owner) as unknown } }
}

const isWrong = (result: NodeResult): boolean => isBad(result) && result.status !== 'partial success'

/** What was done in how long, what went wrong, and the counts. */
export function sayEnd(session: Session, project: DbtProject, results: readonly NodeResult[], elapsedMs: number): void {
  const { log } = session
  const counts = new Map<string, number>()
  for (const { kind, uniqueId } of results) {
    const node = project.nodes.get(uniqueId)
    const what = kind === 'model' ? `${String(node?.config['materialized'])} model` : (kindWords[kind] ?? kind)
    counts.set(what, (counts.get(what) ?? 0) + 1)
  }
  const listed = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => counted(count, what))
  log.gap()
  log.info(`Finished running ${listed.join(', ')} in ${inWords(elapsedMs / 1000)}.`, {
    name: 'FinishedRunningStats',
    code: 'E040',
    data: { execution_time: elapsedMs / 1000 },
  })
  const bad = results.filter(isWrong)
  const warned = results.filter(({ status }) => status === 'warn')
  const partial = results.filter(({ status }) => status === 'partial success')
  log.gap()
  log.info(summary(log, bad.length, partial.length, warned.length), {
    name: 'EndOfRunSummary',
    code: 'Z030',
    data: { num_errors: bad.length, num_warnings: warned.length },
  })
  for (const result of [...bad, ...partial]) sayProblem(session, project, result, 'error')
  for (const result of warned) sayProblem(session, project, result, 'warn')
  const stats = statsOf(results)
  log.gap()
  log.info(
    `Done. PASS=${stats.pass} WARN=${stats.warn} ERROR=${stats.error} SKIP=${stats.skip} NO-OP=${stats.noop} REUSED=${stats.reused} TOTAL=${stats.total}`,
    { name: 'StatsLine', code: 'Z023', data: { stats } },
  )
}

function summary(log: DbtLog, errors: number, partial: number, warnings: number): string {
  const warned = counted(warnings, 'warning')
  const partly = `${partial} partial ${partial === 1 ? 'success' : 'successes'}`
  if (errors > 0) return log.paint('red', `Completed with ${counted(errors, 'error')}, ${partly}, and ${warned}:`)
  if (partial > 0) return log.paint('yellow', `Completed with ${partly} and ${warned}`)
  if (warnings > 0) return log.paint('yellow', `Completed with ${warned}:`)
  return log.paint('green', 'Completed successfully')
}

/** What went wrong in a node, where, and where its SQL lies. */
export function sayProblem(
  { log, dir, targetDir }: Session,
  project: DbtProject,
  result: NodeResult,
  level: 'error' | 'warn',
): void {
  const { kind, name, uniqueId, code, hint, place, compiledSql } = result
  const node = project.nodes.get(uniqueId)
  const file = node?.fileInPackage ?? place?.file ?? ''
  log.gap()
  const about = { node_info: nodeInfo(project, uniqueId, result.status), ...groupInfo(project, uniqueId) }
  log[level](`in ${kind} ${name} (${file})`, {
    name: level === 'warn' ? 'RunResultWarning' : 'RunResultFailure',
    code: level === 'warn' ? 'Z021' : 'Z022',
    data: { resource_type: kind, node_name: name, path: file, ...about },
  })
  const where =
    place?.file && place.line !== undefined
      ? ` at ${place.file}:${place.line}${place.column === undefined ? '' : `:${place.column}`}`
      : ''
  const lines = [
    ...(code === undefined ? [] : [headOf(project, result), `${code}${where}`]),
    ...(messageOf(project, result) ?? result.message).split('\n'),
    ...(code === undefined || !hint ? [] : [hint]),
  ]
  log.say(level, lines.map((line) => `  ${line}`).join('\n'), {
    name: 'RunResultError',
    code: 'Z024',
    data: { msg: messageOf(project, result) ?? result.message, ...about },
  })
  if (!node || compiledSql === undefined) return
  log.gap()
  const path = relative(dir, join(targetDir, pathInTarget('compiled', node)))
  log.info(`  compiled code at ${path}`, { name: 'SQLCompiledPath', code: 'Z026', data: { path, ...about } })
}

function statsOf(results: readonly NodeResult[]) {
  const stats = { pass: 0, warn: 0, error: 0, skip: 0, noop: 0, reused: 0, total: results.length }
  for (const { status } of results) stats[statOf[status]]++
  return stats
}
const statOf: Readonly<Record<NodeResult['status'], 'pass' | 'warn' | 'error' | 'skip' | 'noop'>> = {
  success: 'pass',
  pass: 'pass',
  warn: 'warn',
  fail: 'error',
  error: 'error',
  'runtime error': 'error',
  'partial success': 'error',
  skipped: 'skip',
  'no-op': 'noop',
}

/** `0 hours 1 minutes and 2.40 seconds (62.40s)`, as dbt says it. */
export function inWords(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)]
  return `${hours} hours ${minutes} minutes and ${(seconds % 60).toFixed(2)} seconds (${seconds.toFixed(2)}s)`
}

/** Which environment is written, and where that was decided. */
export function sayPlace(log: DbtLog, { environment, target, profile, config }: Place): void {
  const from = profile ? `target '${target.name}' of ${profile.file}` : `target '${target.name}'`
  log.info(`Environment ${environment.name} (catalog ${environment.catalog}), ${from}; state in ${config.stateDir}`, {
    name: 'AdapterRegistered',
    code: 'E034',
  })
}

export function sayThreads(log: DbtLog, threads: number, target: string): void {
  log.gap()
  log.info(`Concurrency: ${threads} threads (target='${target}')`, {
    name: 'ConcurrencyLine',
    code: 'Q027',
    data: { num_threads: threads, target_name: target },
  })
  log.gap()
}
