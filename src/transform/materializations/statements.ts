// What templates send to the database: scripts of any statements, run one after the other through the lake's door, in the
// change set of the run.

import { Failure } from '../../base/failure.ts'
import { placeAt, splitStatements, type QueryOptions } from '../../lake/index.ts'
import type { Answer } from '../../project/dbt/index.ts'
import { rowsOf, type Work } from '../work.ts'
import { isStatement } from './is-statement.ts'
import { noteMacro } from './sql-macros.ts'

/** The change set is the transaction: it begins with the run and is published, or not, at its end. */
const transactional = /^(?:begin|commit|rollback|abort|end|start)\b/i
/** What has no meaning for Iceberg tables, or for an engine that others use too. */
const withoutMeaning =
  /^(?:(?:create\s+(?:unique\s+)?|drop\s+)index|(?:create\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+)?|alter\s+|drop\s+)sequence|set|reset|pragma|install|load|analyze|vacuum|checkpoint)\b/i

/** Rights are given by name and hold at once: they are no part of a change set. */
const aboutRights = /^(?:grant|revoke|show\s+(?:grants|roles)|(?:create|drop)\s+role)\b/i

export type Sending = {
  lake: Pick<Work['lake'], 'query'>
  options: QueryOptions
  onWarning(message: string): void
}

/** Runs a script; answers what the last statement answers that asks something. Failures carry their place in `sql`. */
export async function runScript(sql: string, { lake, options, onWarning }: Sending): Promise<Answer> {
  let answer: Answer = { columns: [], rows: [] }
  for (const { sql: statement, start } of splitStatements(sql)) {
    if (transactional.test(statement)) continue
    if (withoutMeaning.test(statement)) {
      const [, word = '', kind = ''] =
        /^(\w+)(?:\s+(?:or|replace|temp|temporary|unique))*(\s+(?:index|sequence))?/i.exec(statement)!
      onWarning(`${word.toUpperCase()}${kind.toUpperCase().replace(/\s+/, ' ')} does nothing here and was left out`)
      continue
    }
    if (noteMacro(statement, options.changes)) continue
    const { changes: _, ...outside } = options
    const done = await rowsOf(lake, statement, aboutRights.test(statement) ? outside : options).catch(
      (error: unknown) => {
        throw error instanceof Failure ? movedBy(error, placeAt(sql, start)) : error
      },
    )
    if (!isStatement(statement)) answer = done
  }
  return answer
}

/** The same failure, its place counted from where the statement begins in the script. */
function movedBy(failure: Failure, from: { line: number; column: number }): Failure {
  const { code, message, hint, cause, context, place } = failure
  if (place?.line === undefined || place.file !== undefined) return failure
  const column =
    place.column === undefined ? undefined : place.line === 1 ? place.column + from.column - 1 : place.column
  return new Failure(code, message, {
    ...context,
    hint,
    cause,
    place: { ...place, line: place.line + from.line - 1, ...(column !== undefined && { column }) },
  })
}
