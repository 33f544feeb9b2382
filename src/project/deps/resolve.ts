// Which packages, at which versions: those that the project wishes, and those that they wish in turn.
//
// Each wish is fetched into a working folder as soon as it is met, because only its own files say what it is called and
// what it needs. A package that is wished for again later takes both wishes: of the hub the newest within all bounds.

import { cp, mkdir } from 'node:fs/promises'
import { basename, join, relative, resolve, sep } from 'node:path'
import { Failure } from '../../base/failure.ts'
import { diskFiles } from '../dbt/files.ts'
import { readPackageFiles, type PackageWish } from '../dbt/package-files.ts'
import { profileGlobals } from '../dbt/vars.ts'
import { readYamlText, renderYaml } from '../dbt/yaml-file.ts'
import { versionProblem } from '../dbt/require-version.ts'
import { checkOut } from './git.ts'
import { fetchArchive, hubPackage, withoutSecret, type Hub } from './hub.ts'
import { compareVersions, isPrerelease, newestWithin } from './versions.ts'

export type Resolving = {
  /** The project's folder: local packages are named from there, those of packages too. */
  dir: string
  /** Where packages are put while nobody looks. */
  work: string
  hub: Hub
  vars: Record<string, unknown>
  env: Readonly<Record<string, string | undefined>>
  /** The dbt that packages must allow; undefined: no matter. */
  dbtVersion: string | undefined
  warn(message: string): void
}

/** A package whose files lie in `folder`; `entry` is what package-lock.yml says of it. */
export type Settled = {
  name: string
  folder: string
  entry: Record<string, unknown>
  /** `version 1.3.0`, `revision 0a1b…`, `<local @ packages/x>`. */
  from: string
  /** What lines call it: `dbt-labs/dbt_utils`, an address, a path. */
  title: string
  isLocal: boolean
  /** Of the hub: the newest that there is. */
  newest: string | undefined
}

/** More would be a chain that never ends. */
const packagesMax = 500

/** @throws Failure PROJECT_INVALID when wishes contradict each other */
export async function resolveWishes(wishes: readonly PackageWish[], resolving: Resolving): Promise<Settled[]> {
  const merged = new Map<string, PackageWish>()
  const settled = new Map<string, Settled>()
  let pending = [...wishes]
  for (let round = 0; pending.length > 0; round++) {
    const found: PackageWish[] = []
    for (const wish of pending) {
      const key = keyOf(wish)
      const before = merged.get(key)
      const whole = before ? both(before, wish) : wish
      merged.set(key, whole)
      const known = settled.get(key)
      const one = known && sameWish(before!, whole) ? known : await settle(whole, resolving)
      settled.set(key, one)
      if (settled.size > packagesMax)
        throw new Failure('PROJECT_INVALID', `there are more than ${packagesMax} packages`)
      if (one !== known) found.push(...(await wishesOf(one, resolving)))
    }
    if (round > packagesMax) throw new Failure('PROJECT_INVALID', 'packages need each other without end')
    pending = found
  }
  return [...settled.values()]
}

const keyOf = (wish: PackageWish): string => {
  switch (wish.kind) {
    case 'hub':
      return `hub ${wish.package}`
    case 'git':
      return `git ${wish.url.replace(/\.git$/, '')} ${wish.subdirectory ?? ''}`
    case 'local':
      return `local ${wish.path}`
    case 'tarball':
      return `tarball ${wish.url}`
  }
}

const sameWish = (a: PackageWish, b: PackageWish): boolean =>
  a === b || (a.kind === 'hub' && b.kind === 'hub' ? a.versions.join() === b.versions.join() : a.kind !== 'hub')

function both(a: PackageWish, b: PackageWish): PackageWish {
  if (a.kind === 'hub' && b.kind === 'hub')
    return { ...a, versions: [...new Set([...a.versions, ...b.versions])], prerelease: a.prerelease || b.prerelease }
  if (a.kind === 'git' && b.kind === 'git') {
    const revisions = new Set([a.revision, b.revision].filter((each) => each !== undefined))
    if (revisions.size > 1)
      throw new Failure(
        'PROJECT_INVALID',
        `${withoutSecret(a.url)} is wished for at ${[...revisions].join(' and at ')}`,
        { place: b.place },
      )
    return { ...a, revision: a.revision ?? b.revision }
  }
  return a
}

async function settle(wish: PackageWish, resolving: Resolving): Promise<Settled> {
  const folder = join(resolving.work, crypto.randomUUID())
  await mkdir(folder, { recursive: true })
  switch (wish.kind) {
    case 'hub':
      return fromHub(wish, folder, resolving)
    case 'git':
      return fromGit(wish, folder, resolving)
    case 'local':
      return fromLocal(wish, resolving)
    case 'tarball': {
      await fetchArchive(resolving.hub, wish.url, folder, `the package ${wish.name}`)
      const url = withoutSecret(wish.url)
      const entry = { tarball: url, name: wish.name }
      return {
        name: safeName(wish.name),
        folder,
        entry,
        from: `tarball (url: ${url})`,
        title: wish.name,
        isLocal: false,
        newest: undefined,
      }
    }
  }
}

async function fromHub(
  wish: Extract<PackageWish, { kind: 'hub' }>,
  folder: string,
  resolving: Resolving,
): Promise<Settled> {
  const { hub, dbtVersion, warn } = resolving
  const found = await hubPackage(hub, wish.package)
  if (found.movedTo) warn(`The package ${wish.package} has moved: write ${found.movedTo} instead.`)
  const fitting = found.versions.filter(
    ({ requires }) => dbtVersion === undefined || !requires || versionProblem(requires, dbtVersion) === undefined,
  )
  const names = fitting.map(({ version }) => version)
  const version = newestWithin(names, wish.versions, { prereleases: wish.prerelease })
  if (version === undefined) {
    const all = names.toSorted(compareVersions).slice(-8).join(', ')
    throw new Failure(
      'PROJECT_INVALID',
      `the hub has no version of ${wish.package} within ${wish.versions.join(' and ')}; there ${all === '' ? 'is none for this dbt' : `are: ${all}`}`,
      {
        place: wish.place,
        hint: '--no-version-check also takes versions that ask for another dbt.',
      },
    )
  }
  const { tarball } = fitting.find((one) => one.version === version)!
  await fetchArchive(hub, tarball, folder, `${wish.package} ${version}`)
  const name = await nameOf(folder, wish.package, resolving)
  const newest = names
    .filter((one) => wish.prerelease || !isPrerelease(one))
    .toSorted(compareVersions)
    .at(-1)
  return {
    name,
    folder,
    entry: { package: wish.package, version, name },
    from: `version ${version}`,
    title: wish.package,
    isLocal: false,
    newest,
  }
}

async function fromGit(
  wish: Extract<PackageWish, { kind: 'git' }>,
  folder: string,
  resolving: Resolving,
): Promise<Settled> {
  const { url, subdirectory, revision = 'HEAD' } = wish
  const shown = withoutSecret(url)
  if (['HEAD', 'main', 'master'].includes(revision))
    resolving.warn(
      `The git package "${shown}" is not pinned, using ${revision} (default branch): its next change may break this project.`,
    )
  const commit = await checkOut(url, revision, folder, resolving.hub.signal)
  const inside = resolve(folder, subdirectory ?? '.')
  if (inside !== folder && !inside.startsWith(folder + sep))
    throw new Failure('PROJECT_INVALID', `the subdirectory ${subdirectory} is not inside the repository`, {
      place: wish.place,
    })
  const name = await nameOf(inside, shown, resolving)
  const entry = { git: shown, revision: commit, name, ...(subdirectory === undefined ? {} : { subdirectory }) }
  return { name, folder: inside, entry, from: `revision ${commit}`, title: shown, isLocal: false, newest: undefined }
}

async function fromLocal({ path }: Extract<PackageWish, { kind: 'local' }>, resolving: Resolving): Promise<Settled> {
  const folder = resolve(resolving.dir, path)
  const name = await nameOf(folder, path, resolving)
  return {
    name,
    folder,
    entry: { local: path, name },
    from: `<local @ ${path}>`,
    title: path,
    isLocal: true,
    newest: undefined,
  }
}

/** What its dbt_project.yml calls it. */
async function nameOf(folder: string, title: string, { vars, env }: Resolving): Promise<string> {
  const text = await diskFiles(folder).read('dbt_project.yml')
  if (text === undefined) throw new Failure('PROJECT_INVALID', `${title} has no dbt_project.yml, so it is no package`)
  const located = readYamlText('dbt_project.yml', text)
  const written = (located.value as { name?: unknown } | null)?.name
  const rendered = renderYaml(
    written,
    () => located.at(['name']),
    profileGlobals(env, vars),
    () => false,
    [],
  )
  if (typeof rendered !== 'string' || rendered === '')
    throw new Failure('PROJECT_INVALID', `the dbt_project.yml of ${title} has no name`)
  return safeName(rendered)
}

/** It becomes a folder. */
function safeName(name: string): string {
  if (/^[\w.-]+$/.test(name) && !/^\.+$/.test(name)) return name
  throw new Failure('PROJECT_INVALID', `${JSON.stringify(name)} cannot be the name of a package`)
}

async function wishesOf({ folder, title }: Settled, { vars, env }: Resolving): Promise<PackageWish[]> {
  try {
    return (await readPackageFiles(diskFiles(folder), '', { vars, env })).wishes
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw error.with({ message: `in the package ${title}: ${error.message}` })
  }
}

/** Puts a package where the project reads it; a local one is linked, so that edits of it count at once. */
export async function putInto(
  target: string,
  final: string,
  { name, folder, isLocal }: Settled,
  link: (to: string, at: string) => Promise<void>,
): Promise<void> {
  const at = join(target, name)
  if (isLocal) {
    // The link is made in a working folder and moved: it leads from where it will be.
    const linked = await link(relative(final, folder), at).then(
      () => true,
      () => false,
    )
    if (linked) return
  }
  await cp(folder, at, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !['.git', 'target', 'logs'].includes(basename(path)) || path === folder,
  })
}
