// What stands around a command line and bears upon it: variables under old or reserved names, flags in profiles.yml.

import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { Failure } from '../../../base/failure.ts'
import { deprecations, flagsOfProfiles } from '../../../project/dbt/index.ts'
import { flagTable } from './flag-table.ts'
import { renamedVariables } from './flags.ts'
import type { Session } from './open.ts'
import { deprecate } from './warnings.ts'

type Variables = Readonly<Record<string, string | undefined>>

/** Variables of dbt that are no flags. */
const others = 'NO_PRINT DEFER_TO_STATE FAVOR_STATE_MODE ARTIFACT_STATE_PATH INVOCATION_ENV RECORDED_FILE_PATH'
const alsoKnown = `${others} TEST_STATE_MODIFIED PACKAGE_HUB_URL DOWNLOAD_DIR PP_FILE_DIFF_TEST PP_TEST`
const knownVariables = new Set([...alsoKnown.split(' '), ...Object.values(flagTable).flatMap(({ env }) => env ?? [])])

/** Templates see a variable of dbt under its old name and under the one of today, which goes before the other. */
export function withBothNames<Given extends Variables>(variables: Given): Given {
  const named: Record<string, string | undefined> = { ...variables }
  for (const name of knownVariables) {
    const value = variables[`DBT_ENGINE_${name}`] ?? variables[`DBT_${name}`]
    if (value !== undefined) named[`DBT_ENGINE_${name}`] = named[`DBT_${name}`] = value
  }
  return named as Given
}

/** @throws USAGE where the names are errors by --warn-error */
export function tellVariables(session: Session, variables: Variables): void {
  for (const [old, name] of Object.entries(renamedVariables))
    if (variables[old]) deprecate(session, deprecations.renamedVariable(old, name))
  for (const name of Object.keys(variables))
    if (name.startsWith('DBT_ENGINE_') && !knownVariables.has(name.slice('DBT_ENGINE_'.length)))
      deprecate(session, deprecations.reservedVariable(name))
}

/** `config:` of profiles.yml, which holds flags as `flags:` of dbt_project.yml does. @throws PROJECT_INVALID for both */
export async function takeProfileFlags(session: Session, env: Variables): Promise<void> {
  const { flags, dir, written, context } = session
  const profilesDir = flags.text('profiles-dir') && resolve(context.dir, flags.text('profiles-dir')!)
  const found = await flagsOfProfiles({ dir, profilesDir, env, home: homedir() }).catch(() => ({}))
  if (Object.keys(found).length === 0) return
  if (Object.keys(written['flags'] ?? {}).length > 0)
    throw new Failure(
      'PROJECT_INVALID',
      "Do not specify both 'config' in profiles.yml and 'flags' in dbt_project.yml; keep 'flags'",
    )
  flags.readProject(found)
  deprecate(session, deprecations.flagsOfProfile())
}
