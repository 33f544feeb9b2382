// The flags that say what is meant → unique ids.

import type { DbtProject } from '../../../project/dbt/index.ts'
import { defaultSelector, readState, selectNodes, type PreviousState } from '../../../transform/index.ts'
import { resolve } from 'node:path'
import type { Session } from './open.ts'
import { warnOrFail } from './warnings.ts'

export type Chosen = {
  /** Unique ids in building order, before `--resource-type`. */
  ids: string[]
  state: PreviousState | undefined
}

/** What the flags select; a criterion that matches nothing is a warning. @throws Failure USAGE for what is no selector */
export function chosenBy(session: Session, project: DbtProject): Chosen {
  const { flags, log } = session
  const state = stateOf(session)
  const wanted = [...flags.words('select'), ...flags.words('models')]
  const named = flags.text('selector')
  const isPlain = wanted.length + flags.words('exclude').length === 0
  if (named !== undefined && !isPlain)
    warnOrFail(
      session,
      'The --select and --exclude arguments are being ignored for node selection because --selector is provided',
      'SelectExcludeIgnoredWithSelectorWarning',
      'Z064',
    )
  const { ids, unmatched } = selectNodes(project, {
    select: wanted,
    exclude: flags.words('exclude'),
    selector: named ?? (isPlain ? defaultSelector(project) : undefined),
    // Only what was said: a selector may say otherwise.
    indirect: flags.text('indirect-selection') as 'eager' | undefined,
    state,
  })
  for (const text of unmatched)
    warnOrFail(
      session,
      `The selection criterion '${text}' does not match any enabled nodes`,
      'NoNodesForSelectionCriteria',
      'M030',
    )
  log.say('debug', `selected ${ids.length} nodes`)
  return { ids, state }
}

/** The artifacts of --state; undefined without it. */
export function stateOf({ flags, context, targetDir }: Session): PreviousState | undefined {
  const dir = flags.text('state')
  return dir === undefined ? undefined : readState(resolve(context.dir, dir), targetDir)
}

/** Kinds that --resource-type and --exclude-resource-type leave, of those that a command knows. */
export function kindsLeft({ flags }: Session, all: readonly string[], usual: readonly string[] = all): Set<string> {
  const wanted = flags
    .words('resource-type')
    .flatMap((each) => (each === 'all' ? all : each === 'default' ? usual : [each]))
  const kept = new Set(wanted.length > 0 ? wanted : usual)
  for (const each of flags.words('exclude-resource-type')) kept.delete(each)
  return kept
}
