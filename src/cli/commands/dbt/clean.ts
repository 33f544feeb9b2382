// clean: the folders of clean-targets; those outside of the project only where --no-clean-project-files-only says so.

import { realpath, rm } from 'node:fs/promises'
import { join, normalize, relative, resolve, sep } from 'node:path'
import { Failure } from '../../../base/failure.ts'
import { deprecations } from '../../../project/dbt/index.ts'
import type { Session } from './open.ts'
import { deprecate } from './warnings.ts'

/** What is never meant, whatever a list says. */
const kept = ['.', '.git', '.boathouse', 'models', 'seeds', 'macros', 'snapshots', 'tests', 'analyses']
const sourceKeys = ['model', 'source', 'seed', 'data', 'macro', 'snapshot', 'test', 'analysis'].map(
  (kind) => `${kind}-paths`,
)

export async function clean(session: Session): Promise<number> {
  const { flags, log, dir, written, targetDir } = session
  const texts = (key: string): string[] => [written[key] ?? []].flat().map(String)
  const targets = texts('clean-targets')
  const sources = new Set([...kept, ...sourceKeys.flatMap(texts).map((path) => normalize(path))])
  if (targets.includes('dbt_modules') && written['packages-install-path'] !== 'dbt_modules')
    deprecate(session, deprecations.oldPackagesPath())
  const root = await realpath(dir)
  for (const target of targets.length > 0 ? targets : [targetDir]) {
    const path = resolve(dir, target)
    const real = await realpath(path).catch(() => undefined)
    const inside = relative(root, real ?? resolve(root, target))
    const isOutside = inside.startsWith('..') || resolve(root, inside) !== resolve(root, `.${sep}${inside}`)
    const isAbove = resolve(root, inside) !== root && `${root}${sep}`.startsWith(join(resolve(root, inside), sep))
    if (isAbove || (isOutside && flags.is('clean-project-files-only', true)))
      throw new Failure(
        'PROJECT_INVALID',
        `dbt will not clean the following directories outside the project: ${target}`,
        {
          hint: 'Take it out of clean-targets, or pass --no-clean-project-files-only where it does not hold the project.',
        },
      )
    if (sources.has(inside === '' ? '.' : inside) || inside.startsWith('.boathouse'))
      throw new Failure('PROJECT_INVALID', `dbt will not clean the following source paths: ${target}`, {
        hint: 'They hold what cannot be made again: take them out of clean-targets.',
      })
    log.info(`Checking ${path}/*`, { name: 'CheckCleanPath', code: 'Z012' })
    if (real !== undefined) await rm(real, { recursive: true, force: true })
    log.info(`Cleaned ${path}/*`, { name: 'ConfirmCleanPath', code: 'Z013' })
  }
  log.info('Finished cleaning all paths.', { name: 'FinishedCleanPaths', code: 'Z015' })
  return 0
}
