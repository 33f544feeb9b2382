// deps: the packages that packages.yml names.

import { Failure } from '../../../base/failure.ts'
import { addPackage, installPackages, type DepsEvent, type NewPackage } from '../../../project/deps/index.ts'
import { openSettings, type Session } from './open.ts'
import { dbtVersion } from '../../../project/dbt/index.ts'
import { warnOrFail } from './warnings.ts'

const usualHub = 'https://hub.getdbt.com/'

export async function deps(session: Session): Promise<number> {
  const { flags, log, dir, written, context } = session
  const { env } = openSettings(session)
  const added = flags.text('add-package')
  if (added !== undefined) {
    const one = newPackage(added, flags.text('source') ?? 'hub')
    const file = await addPackage(dir, one)
    log.info(`Added new package ${one.name}${one.version === undefined ? '' : `@${one.version}`} to ${file}`, {
      name: 'DepsAddPackage',
      code: 'M033',
    })
  }
  const outdated: string[] = []
  await installPackages({
    dir,
    projectName: typeof written['name'] === 'string' ? written['name'] : '',
    packagesFolder: packagesFolder(written),
    vars: flags.mapping('vars'),
    env,
    hubUrl: env['DBT_PACKAGE_HUB_URL'] || usualHub,
    dbtVersion: flags.is('version-check', true) ? dbtVersion : undefined,
    upgrade: flags.is('upgrade') || added !== undefined,
    lockOnly: flags.is('lock'),
    signal: context.signal,
    onEvent: (event) => say(session, event, outdated),
  })
  if (outdated.length === 0) return 0
  log.gap()
  log.info(
    `Updates available for packages: [${outdated.map((one) => `'${one}'`).join(', ')}]                 \nUpdate your versions in packages.yml, then run dbt deps`,
    { name: 'DepsNotifyUpdatesAvailable', code: 'M019', data: { packages: outdated } },
  )
  return 0
}

function say(session: Session, event: DepsEvent, outdated: string[]): void {
  const { log } = session
  switch (event.kind) {
    case 'none':
      return log.info('Warning: No packages were found in packages.yml', { name: 'DepsNoPackagesFound', code: 'M013' })
    case 'locked':
      return log.info(`Updating lock file in file path: ${event.file}`, { name: 'DepsLockUpdating', code: 'M031' })
    case 'warning':
      return warnOrFail(session, event.message, 'DepsUnpinned', 'M034')
    case 'installed':
      log.info(`Installing ${event.title}`, {
        name: 'DepsStartPackageInstall',
        code: 'M014',
        data: { package_name: event.title },
      })
      log.info(`Installed from ${event.from}`, {
        name: 'DepsInstallInfo',
        code: 'M015',
        data: { version_name: event.from },
      })
      if (event.newer !== undefined) {
        outdated.push(event.title)
        log.info(`Updated version available: ${event.newer}`, { name: 'DepsUpdateAvailable', code: 'M016' })
      } else if (event.isHub) log.info('Up to date!', { name: 'DepsUpToDate', code: 'M017' })
  }
}

function packagesFolder(written: Record<string, unknown>): string {
  const folder = written['packages-install-path'] ?? written['modules-path'] ?? 'dbt_packages'
  const isInside =
    typeof folder === 'string' && !folder.includes('..') && !folder.startsWith('/') && folder !== '' && folder !== '.'
  if (!isInside)
    throw new Failure(
      'PROJECT_INVALID',
      `"packages-install-path" is ${JSON.stringify(folder)}; it must be a folder inside the project`,
    )
  return folder
}

/** `dbt-labs/dbt_utils@1.3.0`; the last @ counts, for addresses of git have one of their own. */
function newPackage(text: string, source: string): NewPackage {
  const at = text.lastIndexOf('@')
  const isSplit = at > 0 && !text.slice(at).includes('/') && !text.slice(at).includes(':')
  const name = isSplit ? text.slice(0, at) : text
  return { name, version: isSplit ? text.slice(at + 1) : undefined, source: source as NewPackage['source'] }
}
