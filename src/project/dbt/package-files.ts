// packages.yml, dependencies.yml and package-lock.yml: which packages a project wants, and from where.

import { isRecord } from '../../base/record.ts'
import { Failure, Failures, type Place } from '../../base/failure.ts'
import { didYouMean } from '../../base/suggest.ts'
import type { ProjectFiles } from './files.ts'
import type { ParseCache } from './parse-cache.ts'
import type { Config } from './types.ts'
import { profileGlobals } from './vars.ts'
import { readYamlText, renderYaml } from './yaml-file.ts'

export type PackageWish =
  | { kind: 'hub'; package: string; versions: string[]; prerelease: boolean; place: Place }
  | { kind: 'git'; url: string; revision: string | undefined; subdirectory: string | undefined; place: Place }
  | { kind: 'local'; path: string; place: Place }
  | { kind: 'tarball'; url: string; name: string; place: Place }

export type PackageFiles = {
  /** The file that says so: `packages.yml` or `dependencies.yml`; undefined when there is none. */
  file: string | undefined
  wishes: PackageWish[]
  /** Of dependencies.yml: other projects, which this product does not resolve. */
  projects: string[]
  /** What package-lock.yml has settled, in its order; undefined when there is none. */
  locked: { wishes: PackageWish[]; hash: string } | undefined
}

/**
 * Reads them below `folder` ('' for the project itself, else that of a package).
 * @throws Failures PROJECT_INVALID with each mistake
 */
export async function readPackageFiles(
  files: Pick<ProjectFiles, 'read'>,
  folder: string,
  { vars, env }: { vars: Config; env: Readonly<Record<string, string | undefined>> },
  cache?: ParseCache,
): Promise<PackageFiles> {
  const inside = (name: string) => (folder === '' ? name : `${folder}/${name}`)
  const failures: Failure[] = []
  const parse = async (name: string, isRendered: boolean) => {
    const text = await files.read(inside(name))
    if (text === undefined) return undefined
    const located = readYamlText(inside(name), text, undefined, cache)
    const globals = profileGlobals(env, vars)
    const value = isRendered ? renderYaml(located.value, located.at, globals, () => false, failures) : located.value
    const root = isRecord(value) ? value : {}
    const list = root['packages'] ?? []
    if (!Array.isArray(list)) {
      failures.push(new Failure('PROJECT_INVALID', '"packages" must be a list', { place: located.at(['packages']) }))
    }
    const wishes = (Array.isArray(list) ? (list as unknown[]) : []).flatMap((entry, index) => {
      const wish = wishOf(entry, located.at(['packages', index]), failures)
      return wish ? [wish] : []
    })
    return { root, wishes, hasPackages: root['packages'] !== undefined }
  }
  // dbt renders packages.yml, but not dependencies.yml, whose list wins when both have one.
  const dependencies = await parse('dependencies.yml', false)
  const packages = await parse('packages.yml', true)
  if (dependencies?.hasPackages && packages?.hasPackages) {
    failures.push(
      new Failure('PROJECT_INVALID', 'packages stand both in packages.yml and in dependencies.yml; keep one list', {
        place: { file: inside('packages.yml'), line: 1, column: 1 },
      }),
    )
  }
  const lock = await parse('package-lock.yml', true)
  if (failures.length > 0) throw new Failures(failures)
  const chosen = dependencies?.hasPackages ? dependencies : packages
  const projects = Array.isArray(dependencies?.root['projects']) ? (dependencies.root['projects'] as unknown[]) : []
  return {
    file: chosen && inside(chosen === dependencies ? 'dependencies.yml' : 'packages.yml'),
    wishes: chosen?.wishes ?? [],
    projects: projects.filter(isRecord).map(({ name }) => String(name)),
    locked: lock && {
      wishes: lock.wishes,
      hash: typeof lock.root['sha1_hash'] === 'string' ? lock.root['sha1_hash'] : '',
    },
  }
}

const keysOf = {
  package: ['package', 'version', 'install_prerelease', 'install-prerelease', 'name'],
  git: ['git', 'revision', 'subdirectory', 'warn-unpinned', 'warn_unpinned', 'name'],
  local: ['local', 'name'],
  tarball: ['tarball', 'name'],
}

function wishOf(entry: unknown, place: Place, failures: Failure[]): PackageWish | undefined {
  const wrong = (message: string) => {
    failures.push(new Failure('PROJECT_INVALID', message, { place }))
    return undefined
  }
  if (!isRecord(entry)) return wrong('each package is a mapping with one of: package, git, local, tarball')
  if (entry['private'] !== undefined)
    return wrong('"private" packages are a service of dbt Cloud; name the repository with "git"')
  const kinds = (['package', 'git', 'local', 'tarball'] as const).filter((key) => entry[key] !== undefined)
  const [kind] = kinds
  if (kind === undefined || kinds.length > 1)
    return wrong(
      `a package has exactly one of package, git, local, tarball; this one has ${kinds.join(' and ') || 'none'}`,
    )
  for (const key of Object.keys(entry)) {
    if (!keysOf[kind].includes(key)) return wrong(`unknown key "${key}"${didYouMean(key, keysOf[kind])}`)
  }
  const text = (key: string) => {
    const value = entry[key]
    return value === undefined || value === null || value === '' ? undefined : String(value)
  }
  const subject = text(kind)
  if (subject === undefined) return wrong(`"${kind}" is empty`)
  switch (kind) {
    case 'package': {
      const { version } = entry
      const versions = (Array.isArray(version) ? (version as unknown[]) : [version])
        .filter((each) => each !== undefined && each !== null && each !== '')
        .flatMap((each) => String(each).split(','))
        .map((each) => each.trim())
      if (versions.length === 0) return wrong(`"${subject}" has no version: a package of the hub needs one`)
      if (!/^[^/]+\/[^/]+$/.test(subject))
        return wrong(`"${subject}" has no namespace: packages of the hub are named owner/name, as dbt-labs/dbt_utils`)
      return { kind: 'hub', package: subject, versions, prerelease: entry['install_prerelease'] === true, place }
    }
    case 'git':
      return { kind: 'git', url: subject, revision: text('revision'), subdirectory: text('subdirectory'), place }
    case 'local':
      return { kind: 'local', path: subject, place }
    case 'tarball': {
      const name = text('name')
      if (name === undefined) return wrong('"name" is missing: a tarball does not say which package it is')
      return { kind: 'tarball', url: subject, name, place }
    }
  }
}
