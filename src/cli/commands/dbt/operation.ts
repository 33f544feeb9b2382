// run-operation: a macro of the project, or SQL that is typed, in a change set that is published when it went well.

import { Failure } from '../../../base/failure.ts'
import { assertWritable } from '../../../config/index.ts'
import { runMacro, runOperation as runStatement } from '../../../transform/index.ts'
import { writeArtifacts } from './artifacts.ts'
import { sayFound } from './lines.ts'
import { openLakeOf, openPlace, openProject, type Session } from './open.ts'

export async function runOperation(session: Session): Promise<number> {
  const { words, flags, log, context } = session
  const sql = flags.text('sql')
  const [macro, ...rest] = words
  if ((macro === undefined) === (sql === undefined) || rest.length > 0)
    throw new Failure('USAGE', 'run-operation takes the name of one macro, or --sql', {
      hint: "boathouse dbt run-operation MACRO --args '{name: value}'",
    })
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
  let isPublished = false
  try {
    const work = { project, lake: app.lake, changes, principal: app.principal, signal: context.signal }
    const result =
      macro === undefined
        ? await runStatement(inline(project.name, sql!), work)
        : await runMacro(macro, flags.mapping('args'), work)
    const isDone = result.status === 'success'
    if (isDone && (await changes.pending()).length > 0) {
      await changes.publish()
      isPublished = true
    }
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

const inline = (project: string, sql: string): Parameters<typeof runStatement>[0] => ({
  uniqueId: `operation.${project}.inline`,
  name: 'inline',
  package: project,
  when: 'on-run-start',
  index: 0,
  sql,
  dependsOn: [],
  file: '--sql',
  place: { file: '--sql', line: 1, column: 1 },
})
