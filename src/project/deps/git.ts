// Packages from git, by the git command: one revision, nothing else of the history, and never a question on the terminal.

import { spawn } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../base/failure.ts'
import { withoutSecret } from './hub.ts'

const errorBytesMax = 20_000

/** Puts the files of a revision into `into`; gives its commit. @throws Failure STORAGE_FAILED with what git says */
export async function checkOut(url: string, revision: string, into: string, signal?: AbortSignal): Promise<string> {
  // Both would be options of git.
  if (url.startsWith('-') || revision.startsWith('-') || /[\s\0]/.test(revision))
    throw new Failure(
      'PROJECT_INVALID',
      `git: ${JSON.stringify(url)} at ${JSON.stringify(revision)} is no repository and revision`,
    )
  await mkdir(into, { recursive: true })
  const git = (...args: string[]) => runGit(args, into, url, signal)
  await git('init', '--quiet')
  await fetchRevision(git, url, revision)
  await git('checkout', '--quiet', '--detach', 'FETCH_HEAD')
  const commit = (await git('rev-parse', 'HEAD')).trim()
  await rm(join(into, '.git'), { recursive: true, force: true })
  return commit
}

type Git = (...args: string[]) => Promise<string>

/** A tag goes before a branch of the same name, as in dbt. */
async function fetchRevision(git: Git, url: string, revision: string): Promise<void> {
  const isCommit = /^[0-9a-f]{40}$/.test(revision)
  const names =
    revision === 'HEAD' || isCommit ? [revision] : [`refs/tags/${revision}`, `refs/heads/${revision}`, revision]
  let first: unknown
  for (const name of names) {
    try {
      await git('fetch', '--quiet', '--depth', '1', '--no-tags', url, name)
      return
    } catch (error) {
      first ??= error
    }
  }
  // Some servers give a commit only with its history; a short commit is not known by name at all.
  if (!/^[0-9a-f]{7,40}$/.test(revision)) throw first
  await git('fetch', '--quiet', url, '+refs/heads/*:refs/remotes/origin/*')
  await git('update-ref', '--no-deref', 'FETCH_HEAD', `${revision}^{commit}`)
}

function runGit(args: readonly string[], cwd: string, url: string, signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        LC_ALL: 'C',
        GIT_TERMINAL_PROMPT: '0',
        GIT_ASKPASS: 'true',
        GIT_SSH_COMMAND: process.env['GIT_SSH_COMMAND'] ?? 'ssh -oBatchMode=yes',
        // Addresses such as ext::COMMAND run programs.
        GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
      },
      ...(signal ? { signal } : {}),
    })
    let [out, error] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (error = (error + chunk.toString()).slice(-errorBytesMax)))
    child.on('error', (cause) =>
      reject(
        signal?.aborted
          ? cause
          : new Failure('STORAGE_FAILED', `git cannot be run: ${cause.message}`, {
              cause,
              hint: 'Install git, or put the packages into dbt_packages/.',
            }),
      ),
    )
    child.on('close', (code) => {
      if (code === 0) return resolve(out)
      const said = error.replaceAll(url, withoutSecret(url)).trim().split('\n').slice(-3).join(' ')
      reject(
        new Failure('STORAGE_FAILED', `git could not fetch ${withoutSecret(url)}: ${said}`, {
          hint: 'Check the address, the revision and your access to the repository.',
        }),
      )
    })
  })
}
