// profiles.yml → the target of a run: under which database and schema names templates and compiled SQL see the lake.
//
// What a profile says about connecting (settings, secrets, extensions) means nothing here, since tables live in the lake; it is
// read so that mistakes are found, and then dropped, so that no secret goes further than this file. Paths are shown to templates.

import { isRecord } from '../../base/record.ts'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure, Failures, type Place } from '../../base/failure.ts'
import { didYouMean } from '../../base/suggest.ts'
import type { Config, Target } from './types.ts'
import { profileGlobals } from './vars.ts'
import { readYamlText, renderYaml } from './yaml-file.ts'

export type ProfileRequest = {
  /** The project's folder. */
  dir: string
  /** `--profiles-dir`: looked into instead of the project's folder and `~/.dbt`. */
  profilesDir?: string | undefined
  /** `--profile`, instead of what dbt_project.yml names. */
  profile?: string | undefined
  /** `--target`, instead of the profile's own. */
  target?: string | undefined
  /** `--threads`. */
  threads?: number | undefined
  vars: Config
  env: Readonly<Record<string, string | undefined>>
  /** The user's home folder. */
  home: string
}

export type Profile = {
  target: Omit<Target, 'catalog'>
  /** Where it was read. */
  file: string
  warnings: string[]
}

/** What only dbt-duckdb can do with a profile: said, because models that rely on it will miss it. */
const withoutMeaning = ['attach', 'plugins', 'filesystems', 'remote', 'secrets', 'extensions', 'module_paths']

/**
 * The target that a project's profile names; undefined when there is no profiles.yml or when the one of the home folder
 * does not know the profile. Looked for, in order: `profilesDir`, `DBT_PROFILES_DIR`, the project's folder, `~/.dbt`.
 * @throws Failures PROJECT_INVALID
 */
export async function readProfile(request: ProfileRequest): Promise<Profile | undefined> {
  const named = request.profilesDir ?? request.env['DBT_PROFILES_DIR']
  const found = await profilesFile(request)
  if (!found) {
    if (request.profilesDir === undefined) return undefined
    throw new Failure('PROJECT_INVALID', `there is no profiles.yml in ${request.profilesDir}`)
  }
  const profileName = request.profile ?? (await profileOfProject(request))
  if (profileName === undefined) return undefined
  const isHome = named === undefined && found.folder !== request.dir
  return profileIn(found.file, found.text, profileName, isHome, request)
}

/** What stands under `config:` of profiles.yml, where flags had their place before `flags:` of dbt_project.yml; {} where nothing does. */
export async function flagsOfProfiles(request: ProfilesPlace): Promise<Config> {
  const found = await profilesFile(request)
  if (!found?.text.includes('config')) return {}
  const { value } = readYamlText(found.file, found.text)
  const config = isRecord(value) ? value['config'] : undefined
  return isRecord(config) ? config : {}
}

type ProfilesPlace = Pick<ProfileRequest, 'dir' | 'profilesDir' | 'env' | 'home'>

async function profilesFile({ dir, profilesDir, env, home }: ProfilesPlace) {
  const named = profilesDir ?? env['DBT_PROFILES_DIR']
  return firstOf(named === undefined ? [dir, join(home, '.dbt')] : [named])
}

async function firstOf(folders: readonly string[]) {
  for (const folder of folders) {
    const file = join(folder, 'profiles.yml')
    const text = await readFile(file, 'utf8').catch(() => undefined)
    if (text !== undefined) return { folder, file, text }
  }
  return undefined
}

async function profileOfProject({ dir, env, vars }: ProfileRequest): Promise<string | undefined> {
  const text = await readFile(join(dir, 'dbt_project.yml'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const located = readYamlText('dbt_project.yml', text)
  const written = isRecord(located.value) ? located.value['profile'] : undefined
  if (written === undefined || written === null) return undefined
  const failures: Failure[] = []
  const rendered = renderYaml(
    written,
    () => located.at(['profile']),
    profileGlobals(env, vars),
    () => false,
    failures,
  )
  if (failures.length > 0) throw new Failures(failures)
  return String(rendered)
}

function profileIn(
  file: string,
  text: string,
  profileName: string,
  isHome: boolean,
  request: ProfileRequest,
): Profile | undefined {
  const located = readYamlText(file, text)
  const wrong = (message: string, path: readonly PropertyKey[], hint?: string) =>
    new Failure('PROJECT_INVALID', message, { place: located.at(path), ...(hint !== undefined && { hint }) })
  const profiles = isRecord(located.value) ? located.value : {}
  const profile = profiles[profileName]
  if (!isRecord(profile)) {
    if (isHome) return undefined
    const known = Object.keys(profiles).filter((key) => key !== 'config')
    throw wrong(`profiles.yml has no profile "${profileName}"${didYouMean(profileName, known)}`, [])
  }
  // Only the chosen target is rendered: variables that others need may be missing.
  const failures: Failure[] = []
  const globals = profileGlobals(request.env, request.vars)
  const render = (value: unknown, path: readonly PropertyKey[]) =>
    renderYaml(
      value,
      (inner) => located.at([...path, ...inner]),
      globals,
      () => false,
      failures,
    )
  const name = request.target ?? String(render(profile['target'] ?? 'default', [profileName, 'target']))
  const outputs = profile['outputs']
  if (!isRecord(outputs)) throw wrong(`the profile "${profileName}" has no outputs`, [profileName])
  const output = outputs[name]
  if (!isRecord(output)) {
    throw wrong(
      `the profile "${profileName}" has no target "${name}"${didYouMean(name, Object.keys(outputs))}`,
      [profileName, 'outputs'],
      'Name another one with --target, or add it under "outputs".',
    )
  }
  const path = [profileName, 'outputs', name]
  const rendered = render(output, path) as Config
  if (failures.length > 0) throw new Failures(failures)
  const at = (key: string): Place => located.at([...path, key])
  return { file, ...targetOf(rendered, { profileName, name, threads: request.threads, at }) }
}

function targetOf(
  output: Config,
  from: { profileName: string; name: string; threads: number | undefined; at(key: string): Place },
): Pick<Profile, 'target' | 'warnings'> {
  const { profileName, name, at } = from
  const wrong = (message: string, key: string) => new Failure('PROJECT_INVALID', message, { place: at(key) })
  const { type } = output
  if (typeof type !== 'string') throw wrong(`the target "${name}" of the profile "${profileName}" has no type`, 'type')
  const warnings: string[] = []
  if (type !== 'duckdb') {
    warnings.push(
      `the profile "${profileName}" is for ${type}; the project is built in the lake, in DuckDB's SQL, and target.type is duckdb`,
    )
  }
  for (const key of withoutMeaning) {
    if (output[key] !== undefined && output[key] !== null)
      warnings.push(`"${key}" of the target "${name}" has no meaning here: tables live in the lake`)
  }
  const threads = from.threads ?? output['threads'] ?? 1
  if (typeof threads !== 'number' || !Number.isInteger(threads) || threads < 1)
    throw wrong(`"threads" of the target "${name}" must be a whole number from 1`, 'threads')
  const text = (keys: readonly string[]) => {
    const key = keys.find((each) => output[each] !== undefined && output[each] !== null)
    return key === undefined ? undefined : String(output[key])
  }
  const schema = text(['schema', 'dataset']) ?? 'main'
  const database =
    type === 'duckdb' ? duckdbDatabase(output, wrong) : (text(['database', 'dbname', 'catalog', 'project']) ?? 'main')
  const paths = type === 'duckdb' ? { path: text(['path']), externalRoot: text(['external_root']) } : {}
  return { target: { name, database, type: 'duckdb', schema, profile: profileName, threads, ...paths }, warnings }
}

/** dbt-duckdb's rule: the stem of the file, and `database` may only repeat it or name an attached one. */
function duckdbDatabase(output: Config, wrong: (message: string, key: string) => Failure): string {
  const derived = databaseOfPath(output['path'])
  const given = output['database']
  if (given === undefined || given === null) return derived
  const attached = Array.isArray(output['attach']) ? output['attach'].filter(isRecord).map(({ alias }) => alias) : []
  if (given !== derived && !attached.includes(given) && output['remote'] === undefined) {
    throw wrong(`"database" is ${String(given)}, but the path makes it ${derived}; leave "database" out`, 'database')
  }
  return String(given)
}

function databaseOfPath(path: unknown): string {
  if (path === undefined || path === null || path === ':memory:') return 'memory'
  const [, scheme, rest] = /^(?:([a-z][a-z0-9+.-]*):(?:\/\/)?)?([^?#]*)/i.exec(String(path))!
  const base = rest!.replace(/^.*\//, '')
  if (scheme === 'md' || scheme === 'motherduck') return base.replace(/\.[^.]*$/, '') || 'my_db'
  return base.replace(/^\.+/, '').split('.')[0]! || 'memory'
}
