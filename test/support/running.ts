// The example with its server and worker started, as `boathouse up --detach` leaves them, and somebody logged in.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Example } from './example.ts'
import { processTree, type ProcessInfo } from './processes.ts'

export type Running = {
  url: string
  /** Of the supervisor. */
  pid: number
  /** `name=value` of the session. */
  cookie: string
  /** A request of the one who is logged in. The caller reads the answer's status. */
  ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown, signal?: AbortSignal): Promise<Response>
  processes(): ProcessInfo[]
}

/** `cookie` is of an earlier start on the same port: the one-time link is printed at the first only. */
export async function startRunning(
  example: Example,
  options: { env?: Record<string, string>; port?: number; cookie?: string; load?: boolean } = {},
): Promise<Running> {
  const { env = {}, port = 0, cookie, load = false } = options
  const up = await example.boathouse(
    ['up', '--detach', ...(load ? ['--load'] : []), '--port', String(port), '--json'],
    { env },
  )
  if (up.code !== 0) throw new Error(`up: ${up.stdout}${up.stderr}`)
  // With --load the run answers first.
  const last = up.stdout.slice(up.stdout.lastIndexOf('\n{') + 1)
  const { url, link, pid } = JSON.parse(last) as { url: string; link: string | null; pid: number }
  const session = cookie ?? (await logIn(url, new URL(link!).searchParams.get('token')!))
  return {
    url,
    pid,
    cookie: session,
    ask: (method, path, body, signal) =>
      fetch(`${url}${path}`, {
        method,
        headers: {
          cookie: session,
          ...(method === 'GET' ? {} : { 'x-boathouse': '1' }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal ? { signal } : {}),
      }),
    processes: () => processTree(pid),
  }
}

/** By the one-time link, as people do it the first time; then the page asks for a password. */
async function logIn(url: string, token: string): Promise<string> {
  const post = async (path: string, body: unknown, cookie = '') => {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-boathouse': '1', cookie },
      body: JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }
  const answer = await post('/api/session/link', { token })
  const cookie = answer.headers.getSetCookie()[0]!.split(';')[0]!
  await post('/api/session/password', { password: 'seven oars and a heron' }, cookie)
  return cookie
}

/** The process that the supervisor keeps under this name now. */
export function childOf(example: Example, name: 'serve' | 'worker'): number | undefined {
  const file = join(example.dir, '.boathouse', 'run', 'up.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { children: Record<string, number> }).children[name]
}
