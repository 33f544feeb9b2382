// A folder that has dbt_project.yml and no boathouse.yml: what stands in the place of its settings.

import { recordOf } from '../base/record.ts'
import { findProjectDir } from '../config/index.ts'
import { parseYaml } from '../project/index.ts'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'

const usual: Readonly<Record<string, string>> = { test: 'staging' }

/** The environment of a dbt target. */
export const environmentOfTarget = (target: string): string => usual[target] ?? identifier(target)

/** The target of an environment, where the profile has it. */
export const targetOfEnvironment = (environment: string): string =>
  Object.entries(usual).find(([, name]) => name === environment)?.[0] ?? environment

/** The nearest folder at or above `from` that holds a dbt_project.yml. */
export const dbtFolderOf = (from: string): string | undefined => findProjectDir(from, 'dbt_project.yml')

const identifier = (text: string): string => {
  const plain = text.toLowerCase().replace(/[^a-z0-9_]+/g, '_')
  return /^[a-z_]/.test(plain) ? plain : `_${plain}`
}

/** dbt_project.yml of the folder as it is written, not rendered. */
export const writtenProject = (dir: string): Readonly<Record<string, unknown>> =>
  recordOf(read(join(dir, 'dbt_project.yml')))

/**
 * Text of a boathouse.yml for the folder: its name, an environment for each target of its profiles.yml, and for those
 * that were built before. Commands work in that of the profile's own target, unless `--env` says otherwise.
 */
export function dbtFolderText(dir: string, environment?: string): string {
  const project = writtenProject(dir)
  const named = project['name']
  const name = identifier(typeof named === 'string' ? named : 'project').replace(/^_+/, '') || 'project'
  const profiles = profilesOf(dir)
  const targets = Object.values(profiles).flatMap((profile) => Object.keys(recordOf(recordOf(profile)['outputs'])))
  const seen = recordOf(read(seenFile(dir)))
  const own = seen['environment'] ?? ownEnvironment(recordOf(profiles[String(project['profile'])])['target'])
  const environments = new Set(['dev', 'staging', 'prod', ...targets.map(environmentOfTarget)])
  for (const one of [environment, own, ...[seen['environments']].flat()])
    if (typeof one === 'string') environments.add(identifier(one))
  return JSON.stringify({
    name,
    environments: Object.fromEntries(Array.from(environments, (one) => [one, `${one}_${name}`])),
    ...(typeof own === 'string' && { environment: identifier(own) }),
  })
}

/** Keeps for later commands what only this one was told (`--target`, `--profiles-dir`): see `dbtFolderText`. */
export function rememberEnvironment(dir: string, environment: string, { isOwn }: { isOwn: boolean }): void {
  const seen = recordOf(read(seenFile(dir)))
  const environments = new Set([seen['environments'] ?? []].flat()).add(environment)
  const now = { environment: isOwn ? environment : seen['environment'], environments: [...environments].sort() }
  if (JSON.stringify(now) === JSON.stringify(seen)) return
  mkdirSync(dirname(seenFile(dir)), { recursive: true })
  writeFileSync(seenFile(dir), JSON.stringify(now))
}

const seenFile = (dir: string): string => join(dir, '.boathouse', 'dbt-targets.json')

/** Where dbt looks, in its order. */
function profilesOf(dir: string): Record<string, unknown> {
  const named = process.env['DBT_PROFILES_DIR']
  for (const folder of named ? [named] : [dir, join(homedir(), '.dbt')]) {
    const found = read(join(folder, 'profiles.yml'))
    if (found !== undefined) return recordOf(found)
  }
  return {}
}

/** What a template in the profile says is known once a command of dbt has read it. */
const ownEnvironment = (target: unknown): string | undefined =>
  typeof target === 'string' && !target.includes('{{') ? environmentOfTarget(target) : undefined

/** By text: a command asks for the same few files several times. */
const parsed = new Map<string, unknown>()

/** Mistakes in these files are told by whoever reads them for what they say. */
function read(file: string): unknown {
  try {
    const text = readFileSync(file, 'utf8')
    if (!parsed.has(text)) parsed.set(text, parseYaml(file, text, anything, { onDuplicateKey: () => {} }).value)
    return parsed.get(text)
  } catch {
    return undefined
  }
}

const anything = z.unknown()
