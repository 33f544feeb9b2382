// The engines of others, as one thing that runs a piece of Python and answers (`peer.py`).

import { execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Served } from '../rck/served.ts'

export type Peer = {
  version: string
  /** What the code left in `answer`. The error's message is the engine's own. */
  run<Answer = unknown>(code: string): Promise<Answer>
  /** A warehouse of the served catalog, under this name. */
  connect(name: string, served: Served, warehouse: string): Promise<void>
  stop(): void
}

type Told = { answer?: unknown; error?: string }

async function open(python: string, ...args: string[]): Promise<Peer> {
  const child = spawn(python, [join(import.meta.dirname, 'peer.py'), ...args], { stdio: ['pipe', 'pipe', 'ignore'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  let last: Promise<unknown> = Promise.resolve()
  async function ask(code: string): Promise<unknown> {
    child.stdin.write(`${JSON.stringify(code)}\n`)
    const { value, done } = await lines.next()
    if (done) throw new Error(`${args[0]} ended`)
    const { answer, error } = JSON.parse(value as string) as Told
    if (error !== undefined) throw new Error(error)
    return answer
  }
  const run = <Answer>(code: string): Promise<Answer> => {
    const mine = last.then(() => ask(code))
    last = mine.catch(() => {})
    return mine as Promise<Answer>
  }
  return {
    version: await run<string>('answer = version'),
    run,
    connect: async (name, { uri, token }, warehouse) => {
      await run(`connect(${[name, uri, warehouse, token].map((text) => JSON.stringify(text)).join(', ')})`)
    },
    stop: () => void child.stdin.end(),
  }
}

/** Undefined without Java, Maven and Python, or a package index. */
export async function openSpark(line: '3.5' | '4'): Promise<Peer | undefined> {
  try {
    const installed = execFileSync(join(import.meta.dirname, '../reading/spark.sh'), [line], { encoding: 'utf8' })
    const [python, jar] = installed.trim().split('\n') as [string, string]
    return await open(python, 'spark', jar)
  } catch {
    return undefined
  }
}

/** Undefined where PYICEBERG_PYTHON names no Python with PyIceberg. */
export const openPyIceberg = async (): Promise<Peer | undefined> =>
  process.env['PYICEBERG_PYTHON'] === undefined ? undefined : open(process.env['PYICEBERG_PYTHON'], 'pyiceberg')
