// A folder that has dbt_project.yml and no boathouse.yml: what stands in the place of its settings.

import { recordOf } from '../base/record.ts'
import { findProjectDir } from '../config/index.ts'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse as parseYaml } from 'yaml'

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

/** Text of a boathouse.yml for the folder: its name, and an environment for each target of its profiles.yml. */
export function dbtFolderText(dir: string, environment?: string): string {
  const named = recordOf(read(join(dir, 'dbt_project.yml')))['name']
  const name = identifier(typeof named === 'string' ? named : 'project').replace(/^_+/, '') || 'project'
  const targets = Object.values(recordOf(read(join(dir, 'profiles.yml')))).flatMap((profile) =>
    Object.keys(recordOf(recordOf(profile)['outputs'])),
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
