// Which rule of which table rows break: clients of PostgreSQL ask the error for it, not its words.

import { Failure } from '../../base/failure.ts'
import type { TableName } from '../../catalog/index.ts'
import { rethrowEngine } from '../answers/engine-failure.ts'

/** For a failure's context. */
export const broken = ({ namespace, name }: TableName, rule: { constraint: string } | { column: string }) => ({
  broken: { schema: namespace, table: name, ...rule },
})

/** What one is told of a row that does not meet a check; the engine says it where it meets the row. */
export const checkBroken = ({ name: table }: TableName, check: string) =>
  `new row for relation "${table}" violates check constraint "${check}"`
const checkOf = /^new row for relation "[^]*" violates check constraint "([^]*)"$/

/** Of rows that are written into `target`. */
export const rethrowBroken =
  (target: TableName) =>
  (error: unknown): never => {
    try {
      return rethrowEngine(error)
    } catch (failure) {
      if (!(failure instanceof Failure) || failure.context['broken']) throw failure
      const [constraint, column] = [checkOf.exec(failure.message)?.[1], failure.context['lacking']]
      if (constraint !== undefined) throw failure.with(broken(target, { constraint }))
      throw typeof column === 'string' ? failure.with(broken(target, { column })) : failure
    }
  }
