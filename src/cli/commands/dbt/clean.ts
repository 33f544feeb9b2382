// clean: the folders of clean-targets, and nothing outside the project.

import { realpath, rm } from 'node:fs/promises'
import { relative, resolve, sep } from 'node:path'
import { Failure } from '../../../base/failure.ts'
import { deprecations } from '../../../project/dbt/index.ts'
import type { Session } from './open.ts'
import { deprecate } from './warnings.ts'

/** What is never meant, whatever a list says. */
const kept = ['.', '.git', '.boathouse', 'models', 'seeds', 'macros', 'snapshots', 'tests', 'analyses']

export async function clean(session: Session): Promise<number> {
  const { flags, log, dir, written, targetDir } = session
  if (!flags.is('clean-project-files-only', true))
    throw new Failure('UNSUPPORTED', 'nothing outside the project is deleted', {
      hint: 'Delete other folders by hand.',
    })
  const listed = written['clean-targets'] ?? []
  const targets = (Array.isArray(listed) ? listed : [listed]).map(String)
  if (targets.includes('dbt_modules') && written['packages-install-path'] !== 'dbt_modules')
    deprecate(session, deprecations.oldPackagesPath())
  const root = await realpath(dir)
  for (const target of targets.length > 0 ? targets : [targetDir]) {
    const path = resolve(dir, target)
    const real = await realpath(path).catch(() => undefined)
    const inside = relative(root, real ?? resolve(root, target))
    if (inside.startsWith('..') || resolve(root, inside) !== resolve(root, `.${sep}${inside}`))
      throw new Failure('PROJECT_INVALID', `clean-targets names ${target}, which lies outside the project`)
    if (kept.includes(inside === '' ? '.' : inside) || inside.startsWith('.boathouse'))
      throw new Failure('PROJECT_INVALID', `clean-targets names ${target}, which holds what cannot be made again`)
    log.info(`Checking ${path}/*`, { name: 'CheckCleanPath', code: 'Z012' })
    if (real !== undefined) await rm(real, { recursive: true, force: true })
    log.info(`Cleaned ${path}/*`, { name: 'ConfirmCleanPath', code: 'Z013' })
  }
  log.info('Finished cleaning all paths.', { name: 'FinishedCleanPaths', code: 'Z015' })
  return 0
}
