// run-operation: a macro of the project, or SQL that is typed, in a change set that is published when it went well.

import { Failure } from '../../../base/failure.ts'
import { assertWritable } from '../../../config/index.ts'
import type { DbtProject } from '../../../project/dbt/index.ts'
import { runMacro, runOperation as runStatement, type NodeResult } from '../../../transform/index.ts'
import { writeArtifacts } from './artifacts.ts'
import type { DbtFlags } from './flags.ts'
import { sayFound } from './found.ts'
import { progressLine, type DbtLog } from './log.ts'
import { openLakeOf, openPlace, openProject, type Session } from './open.ts'

export async function runOperation(session: Session): Promise<number> {
  const { words, flags, log, context } = session
  const sql = flags.text('sql')
  const [macro] = words
  const mistake = mistakeIn(words, flags)
  if (mistake !== undefined)
    throw new Failure('USAGE', mistake, { hint: "boathouse dbt run-operation MACRO --args '{name: value}'" })
  const place = await openPlace(session)
  assertWritable(place.environment)
  const project = await openProject(session, place)
  sayFound(log, project)
  const app = await openLakeOf(session, place)
  const { environment } = place
  const changes = await app.lake.openChanges({
    catalog: environment.catalog,
    principal: app.principal,
    environmentNamed: environment.writable,
  })
  const started = performance.now()
  if (macro === undefined) log.info(progressLine(log, 'START executing inline_query', 'RUN', { index: 1, total: 1 }))
  let isPublished = false
  try {
    const work = { project, lake: app.lake, changes, principal: app.principal, signal: context.signal }
    const result =
      macro === undefined
        ? await runStatement(inline(project, sql!), work)
        : await runMacro(macro, flags.mapping('args'), work)
    const isDone = result.status === 'success'
    if (isDone && (await changes.pending()).length > 0) {
      await changes.publish()
      isPublished = true
    }
    if (macro === undefined) sayInline(log, result)
    await writeArtifacts(session, project, [result], performance.now() - started, { isPublished: true, macro })
    if (isDone) return 0
    log.error(
      `Encountered an error while running operation: ${result.code ?? ''} ${result.message}${result.hint ? `\n  ${result.hint}` : ''}`,
      { name: 'RunningOperationCaughtError', code: 'Q001' },
    )
    return result.code === 'NOT_FOUND' ? 2 : 1
  } finally {
    if (!isPublished) await changes.discard()
  }
}

function sayInline(log: DbtLog, { status, executionMs }: NodeResult): void {
  const timed = { index: 1, total: 1, seconds: executionMs / 1000 }
  if (status === 'success') log.info(progressLine(log, 'OK executed inline_query', log.paint('green', 'OK'), timed))
  else log.say('error', progressLine(log, 'ERROR executing inline_query', log.paint('red', 'ERROR'), timed))
}

/** In dbt's words. */
function mistakeIn([macro, ...rest]: readonly string[], flags: DbtFlags): string | undefined {
  const hasSql = flags.text('sql') !== undefined
  if (macro === undefined && !hasSql) return 'Either a macro name or --sql must be passed to run-operation'
  if (macro !== undefined && hasSql) return 'Cannot specify both a macro name and --sql for run-operation'
  if (hasSql && flags.given('args')) return '--args cannot be used with --sql; pass arguments directly in the SQL'
  return rest.length === 0
    ? undefined
    : `run-operation takes the name of one macro, found "${rest.join(' ')}" behind it`
}

const inline = ({ name, target }: DbtProject, sql: string): Parameters<typeof runStatement>[0] => ({
  uniqueId: `sql_operation.${name}.inline_query`,
  name: 'inline_query',
  package: name,
  database: target.database,
  schema: target.schema,
  alias: 'inline_query',
  when: 'on-run-start',
  index: 0,
  sql,
  config: {},
  unrenderedConfig: {},
  checksum: { name: 'none', checksum: '' },
  macros: [],
  dependsOn: [],
  file: '--sql',
  place: { file: '--sql', line: 1, column: 1 },
})
