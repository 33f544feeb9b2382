// What dbt warns of, and what --warn-error makes of it.

import { Failure } from '../../../base/failure.ts'
import { handlingOf } from '../../../transform/index.ts'
import type { Session } from './open.ts'

/** A warning, or what --warn-error and --warn-error-options make of it: the end, or nothing. @throws USAGE */
export function warnOrFail(session: Pick<Session, 'flags' | 'log'>, text: string, name: string, code: string): void {
  const handling = handlingOf(session.flags.all(), { name, code })
  if (handling === 'error') throw new Failure('USAGE', text, { hint: `${name} is an error because of --warn-error.` })
  if (handling === 'warn') session.log.warn(text, { name, code })
}
