// The project as it was: of a git reference, or what a state folder's manifest says of it.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { Failure } from '../../base/failure.ts'

const run = promisify(execFile)
const listBytesMax = 2 ** 26

/** A folder with the files of a git reference; it goes when it is disposed of. */
export type BaseFolder = AsyncDisposable & { dir: string; commit: string }

/** What a branch is compared with when nobody says: the target of the pull request, else the usual main branch. */
export async function usualReference(dir: string, env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const target = env['GITHUB_BASE_REF'] || env['CI_MERGE_REQUEST_TARGET_BRANCH_NAME']
  const candidates = [
    ...(target ? [`origin/${target}`, target] : []),
    'origin/HEAD',
    'origin/main',
    'origin/master',
    'main',
    'master',
  ]
  for (const candidate of candidates) {
    const found = await git(dir, ['rev-parse', '--verify', '--quiet', `${candidate}^{commit}`]).catch(() => undefined)
    if (found !== undefined) return candidate
  }
  throw new Failure('USAGE', 'there is no branch to compare with', {
    hint: 'Name one with --against REF, or the artifacts of an earlier run with --state DIR.',
  })
}

/** The files as they were where the branch left `reference`. Packages that are not in git are those of the working tree. */
export async function folderAt(dir: string, reference: string, packagesFolder: string): Promise<BaseFolder> {
  if (reference.startsWith('-')) throw new Failure('USAGE', `"${reference}" is no git reference`)
  const commit = await git(dir, ['merge-base', 'HEAD', reference]).catch(async () =>
    git(dir, ['rev-parse', '--verify', `${reference}^{commit}`]),
  )
  const root = await git(dir, ['rev-parse', '--show-toplevel'])
  const folder = await mkdtemp(join(tmpdir(), 'boathouse-base-'))
  const dispose = () => rm(folder, { recursive: true, force: true })
  try {
    const archive = join(folder, 'files.tar')
    const inside = relative(await realpath(root), await realpath(dir))
    await git(root, [
      'archive',
      '--format=tar',
      `--output=${archive}`,
      commit,
      ...(inside === '' ? [] : ['--', inside]),
    ])
    await run('tar', ['-xf', archive, '-C', folder])
    await rm(archive)
    const base = join(folder, inside)
    const [own, here] = [join(base, packagesFolder), join(dir, packagesFolder)]
    if (!existsSync(own) && existsSync(here) && existsSync(dirname(own))) await symlink(here, own, 'dir')
    return { dir: base, commit, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

async function git(dir: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run('git', ['-C', dir, ...args], {
      maxBuffer: listBytesMax,
      env: { ...process.env, GIT_TERMINAL_PROMPT: '0' },
    })
    return stdout.trim()
  } catch (cause) {
    const { stderr = '', code } = cause as { stderr?: string; code?: unknown }
    const why = code === 'ENOENT' ? 'git is not installed' : stderr.trim().split('\n')[0] || 'git failed'
    throw new Failure('USAGE', `git ${args[0]}: ${why}`, {
      cause,
      hint: 'Run this in a git working copy with the history of the branch to compare with (fetch-depth: 0 in a workflow).',
    })
  }
}
