// The flags that say what is meant → unique ids.

import { Failure } from '../../../base/failure.ts'
import type { DbtProject } from '../../../project/dbt/index.ts'
import {
  contractBreaks,
  defaultSelector,
  readState,
  selectNodes,
  type PreviousState,
} from '../../../transform/index.ts'
import { stateFolder, type Session } from './open.ts'
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
  const compares = [...wanted, ...flags.words('exclude')].some((each) => /\bstate:(?:un)?modified/.test(each))
  if (state && compares) warnOfBreaks(session, project, state)
  log.say('debug', `selected ${ids.length} nodes`)
  return { ids, state }
}

/** @throws MODEL_INVALID for a model with versions: such a change is for a new one */
function warnOfBreaks(session: Session, project: DbtProject, state: PreviousState): void {
  for (const { name, file, isVersioned, reasons } of contractBreaks(project, state)) {
    const list = reasons.map((reason) => `\n  - ${reason}`).join('')
    const seen = 'While comparing to previous project state, dbt detected a breaking change to an'
    if (isVersioned)
      throw new Failure('MODEL_INVALID', `${seen} enforced contract.${list}`, {
        place: { file },
        hint: 'Make an additive change instead, or create a new version of the model.',
      })
    const text = `Breaking change to contracted, unversioned model ${name} (${file})\n${seen} unversioned model.${list}`
    warnOrFail(session, text, 'UnversionedBreakingChange', 'I071')
  }
}

/** The artifacts of --state; undefined without it. */
export function stateOf(session: Session): PreviousState | undefined {
  const { flags, targetDir } = session
  const dir = flags.text('state')
  return dir === undefined ? undefined : readState(stateFolder(session, dir), targetDir)
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
