// What dbt warns of, and what --warn-error makes of it.

import { Failure } from '../../../base/failure.ts'
import { handlingOf } from '../../../transform/index.ts'
import type { Deprecation } from '../../../project/dbt/index.ts'
import type { Session } from './open.ts'

/** A warning, or what --warn-error and --warn-error-options make of it: the end, or nothing. @throws USAGE */
export function warnOrFail(
  session: Pick<Session, 'flags' | 'log'>,
  text: string,
  name: string,
  code: string,
  data: Record<string, unknown> = {},
): void {
  if (isTold(session, text, { name, code })) session.log.warn(text, { name, code, data })
}

/** False: it is silenced. @throws USAGE where it is an error */
function isTold({ flags }: Pick<Session, 'flags'>, text: string, event: Deprecation['event']): boolean {
  const isAll = 'require_all_warnings_handled_by_warn_error'
  const handling = handlingOf({ ...flags.all(), [isAll]: flags.behaviour(isAll) }, event)
  if (handling === 'error')
    throw new Failure('USAGE', text, { hint: `${event.name} is an error because of --warn-error.` })
  return handling === 'warn'
}

/** Spaces in a name are told as other warnings are, each with its place. */
export const isDeprecation = ({ code }: Deprecation['event']): boolean => code.startsWith('D') && code !== 'D014'

/** An old spelling: the first of a kind is told, or all with --show-all-deprecations; all are counted. @throws USAGE */
export function deprecate(session: Session, { message, event }: Deprecation): void {
  const { deprecations, flags } = session
  const before = deprecations.get(event.name) ?? 0
  deprecations.set(event.name, before + 1)
  if (before === 0 || flags.is('show-all-deprecations')) tellOld(session, message, event)
}

/** How many old spellings of each kind there were. To be called when the command has done its work. @throws USAGE */
export function tellDeprecations(session: Session): void {
  const { deprecations, flags } = session
  if (deprecations.size === 0) return
  const counts = Array.from(deprecations, ([name, n]) => `- ${name}: ${n} occurrence${n === 1 ? '' : 's'}`)
  const hint = flags.is('show-all-deprecations')
    ? []
    : [
        'To see all deprecation instances instead of just the first occurrence of each, run command again with the `--show-all-deprecations` flag.',
      ]
  tellOld(session, ['Summary of encountered deprecations:', ...counts, ...hint].join('\n'), {
    name: 'DeprecationsSummary',
    code: 'D028',
  })
}

function tellOld(session: Session, message: string, event: Deprecation['event']): void {
  if (!isTold(session, message, event)) return
  const { log, verb } = session
  const text = `[${log.paint('yellow', 'WARNING')}][${event.name}]: Deprecated functionality\n${message}`
  // The answer of `ls` is read by programs.
  if (verb === 'ls') log.record('warn', text, event)
  else log.say('warn', text, event)
}
