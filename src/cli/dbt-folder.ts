// A folder that has dbt_project.yml and no boathouse.yml: what stands in the place of its settings.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse as parseYaml } from 'yaml'

const usual: Readonly<Record<string, string>> = { test: 'staging' }

/** The environment of a dbt target. */
export const environmentOfTarget = (target: string): string => usual[target] ?? identifier(target)

/** The target of an environment, where the profile has it. */
export const targetOfEnvironment = (environment: string): string =>
  Object.entries(usual).find(([, name]) => name === environment)?.[0] ?? environment

/** The nearest folder at or above `from` that holds a dbt_project.yml. */
export function dbtFolderOf(from: string): string | undefined {
  for (let dir = resolve(from); ; dir = dirname(dir)) {
    if (existsSync(join(dir, 'dbt_project.yml'))) return dir
    if (dir === dirname(dir)) return undefined
  }
}

const identifier = (text: string): string => {
  const plain = text.toLowerCase().replace(/[^a-z0-9_]+/g, '_')
  return /^[a-z_]/.test(plain) ? plain : `_${plain}`
}

/** Text of a boathouse.yml for the folder: its name, and an environment for each target of its profiles.yml. */
export function dbtFolderText(dir: string, environment?: string): string {
  const named = record(read(join(dir, 'dbt_project.yml')))['name']
  const name = identifier(typeof named === 'string' ? named : 'project').replace(/^_+/, '') || 'project'
  const targets = Object.values(record(read(join(dir, 'profiles.yml')))).flatMap((profile) =>
    Object.keys(record(record(profile)['outputs'])),
  )
  const environments = new Set(['dev', 'staging', 'prod', ...targets.map(environmentOfTarget)])
  if (environment !== undefined) environments.add(environment)
  return JSON.stringify({
    name,
    environments: Object.fromEntries(Array.from(environments, (one) => [one, `${one}_${name}`])),
  })
}

/** Mistakes in these files are told by whoever reads them for what they say. */
function read(file: string): unknown {
  try {
    return parseYaml(readFileSync(file, 'utf8'), { maxAliasCount: 100 })
  } catch {
    return {}
  }
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
