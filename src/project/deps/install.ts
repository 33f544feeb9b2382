// `dbt deps`: packages.yml → package-lock.yml → dbt_packages/.
//
// Everything is fetched beside the folder of packages; then the folder is replaced in one move, so that a run that reads
// it sees all of the old or all of the new.

import { access, mkdir, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../base/failure.ts'
import { diskFiles } from '../dbt/files.ts'
import { readPackageFiles, type PackageWish } from '../dbt/package-files.ts'
import { lockText, wishesHash, writtenPackages } from './lock.ts'
import { putInto, resolveWishes, type Settled } from './resolve.ts'
import { writeFile } from 'node:fs/promises'

export type DepsOptions = {
  /** The folder of dbt_project.yml. */
  dir: string
  /** Of that project: no package may be called so. */
  projectName: string
  /** Relative to `dir`: `dbt_packages`. */
  packagesFolder: string
  vars: Record<string, unknown>
  env: Readonly<Record<string, string | undefined>>
  hubUrl: string
  dbtVersion: string | undefined
  /** Settle anew although the lock still holds. */
  upgrade: boolean
  /** Only write the lock. */
  lockOnly: boolean
  signal?: AbortSignal | undefined
  fetch?: typeof fetch
  onEvent(event: DepsEvent): void
}

export type DepsEvent =
  | { kind: 'none' }
  | { kind: 'locked'; file: string }
  | { kind: 'installed'; title: string; from: string; newer: string | undefined; isHub: boolean }
  | { kind: 'warning'; message: string }

/** @throws Failures PROJECT_INVALID, NOT_FOUND, STORAGE_FAILED; then the packages are as they were */
export async function installPackages(options: DepsOptions): Promise<Settled[]> {
  const { dir, onEvent, packagesFolder, upgrade, lockOnly } = options
  const files = await readPackageFiles(diskFiles(dir), '', options)
  if (files.projects.length > 0)
    onEvent({
      kind: 'warning',
      message: `Other projects (${files.projects.join(', ')}) are a service of dbt Cloud; their models are not read.`,
    })
  if (files.file === undefined || files.wishes.length === 0) {
    onEvent({ kind: 'none' })
    return []
  }
  const hash = wishesHash(await writtenPackages(join(dir, files.file)), [])
  const holds = !upgrade && files.locked?.hash === hash
  const wishes: readonly PackageWish[] = holds ? files.locked!.wishes : files.wishes
  const final = join(dir, packagesFolder)
  const work = `${final}.${crypto.randomUUID()}.tmp`
  try {
    await mkdir(work, { recursive: true })
    const settled = await resolveWishes(wishes, {
      ...options,
      work: join(work, 'fetched'),
      hub: { url: options.hubUrl, fetch: options.fetch ?? fetch, signal: options.signal },
      warn: (message) => onEvent({ kind: 'warning', message }),
    })
    checkNames(settled, options.projectName)
    if (!holds) {
      const lock = join(dir, 'package-lock.yml')
      await writeFile(
        `${lock}.tmp`,
        lockText(
          settled.map(({ entry }) => entry),
          hash,
        ),
      )
      await rename(`${lock}.tmp`, lock)
      onEvent({ kind: 'locked', file: lock })
    }
    if (lockOnly) return settled
    const made = join(work, 'made')
    await mkdir(made)
    for (const one of settled) {
      await putInto(made, final, one, (to, at) => symlink(to, at, 'dir'))
      const newer = one.newest !== undefined && one.newest !== one.entry['version'] ? one.newest : undefined
      onEvent({ kind: 'installed', title: one.title, from: one.from, newer, isHub: one.entry['package'] !== undefined })
    }
    await replace(made, final, join(work, 'old'))
    return settled
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function checkNames(settled: readonly Settled[], projectName: string): void {
  const seen = new Map<string, Settled>()
  for (const one of settled) {
    const other = seen.get(one.name)
    if (other)
      throw new Failure('PROJECT_INVALID', `two packages are called "${one.name}": ${other.title} and ${one.title}`)
    if (one.name === projectName)
      throw new Failure('PROJECT_INVALID', `the package ${one.title} is called "${one.name}", as the project itself is`)
    seen.set(one.name, one)
  }
}

async function replace(made: string, final: string, old: string): Promise<void> {
  const isThere = await access(final).then(
    () => true,
    () => false,
  )
  if (isThere) await rename(final, old)
  await rename(made, final)
}
