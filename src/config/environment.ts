// Which environment a command works in, and whether it may write there. Being on the branch `main` is not enough
// to change production: a protected environment is written only when a person named it.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Failure } from '../base/failure.ts'
import type { Config } from './load.ts'
import { didYouMean } from '../base/suggest.ts'

export type Environment = {
  name: string
  catalog: string
  protected: boolean
  /** False for a protected environment that neither `--env` nor BOATHOUSE_ENV names. */
  writable: boolean
  chosenBy: '--env' | 'BOATHOUSE_ENV' | 'branch' | 'boathouse.yml' | 'default'
}

/**
 * The environment of one command. `flag` is the value of `--env`.
 * @throws Failure USAGE when the flag names none of the project's environments
 */
export function resolveEnvironment(config: Config, { flag }: { flag?: string | undefined } = {}): Environment {
  const { name, chosenBy } = flag ? { name: flag, chosenBy: '--env' as const } : config.environment
  const entry = config.environments[name]
  if (!entry) {
    const known = Object.keys(config.environments)
    const message = `there is no environment ${name}${didYouMean(name, known, 0)}`
    throw new Failure('USAGE', message, { hint: `The environments of ${config.name} are ${known.join(', ')}.` })
  }
  const named = chosenBy === '--env' || chosenBy === 'BOATHOUSE_ENV'
  return { name, ...entry, writable: named || !entry.protected, chosenBy }
}

/** Whether the project's file has it. Forks are known to the records only, and are added when those are open. */
export const isEnvironment = (config: Config, name: string): boolean => Object.hasOwn(config.environments, name)

/** @throws Failure FORBIDDEN when the environment is protected and nobody named it */
export function assertWritable({ name, writable }: Environment): void {
  if (writable) return
  throw new Failure('FORBIDDEN', `the environment ${name} is protected and was not named`, {
    hint: `Say that you mean it: --env ${name}, or BOATHOUSE_ENV=${name}.`,
  })
}

/** The environment that `by_branch` gives a branch: its exact name first, then patterns with `*` in their order. */
export function environmentOfBranch(byBranch: Record<string, string>, branch: string | undefined): string | undefined {
  if (branch !== undefined && Object.hasOwn(byBranch, branch)) return byBranch[branch]
  const patterns = Object.keys(byBranch).filter((pattern) => pattern.includes('*'))
  const fits = (pattern: string) => pattern === '*' || (branch !== undefined && asRegExp(pattern).test(branch))
  const found = patterns.find((pattern) => pattern !== '*' && fits(pattern)) ?? patterns.find(fits)
  return found === undefined ? undefined : byBranch[found]
}

const asRegExp = (pattern: string) =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  )

/** The branch that `dir` is on, read from .git/HEAD; undefined outside git and on a detached head. */
export function gitBranch(dir: string): string | undefined {
  for (let folder = resolve(dir); ; folder = dirname(folder)) {
    const git = join(folder, '.git')
    if (existsSync(git)) return branchOf(git, folder)
    if (folder === dirname(folder)) return undefined
  }
}

function branchOf(git: string, folder: string): string | undefined {
  try {
    return /^ref: refs\/heads\/(.+)$/m.exec(readFileSync(join(gitFolder(git, folder), 'HEAD'), 'utf8'))?.[1]?.trim()
  } catch {
    return undefined
  }
}

/** In a worktree or a submodule `.git` is a file that names the folder. */
function gitFolder(git: string, folder: string): string {
  try {
    const named = /^gitdir: (.+)$/m.exec(readFileSync(git, 'utf8'))?.[1]?.trim()
    return named ? resolve(folder, named) : git
  } catch {
    return git
  }
}
