// A peer in a process of its own that stays: its start is not part of any figure. One line of JSON is a question, one
// line the answer.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** Figures by name; times are in milliseconds, as the peer itself took them. */
export type Figures = Record<string, number>

export type Peer = {
  ask(command: string, argument?: Record<string, unknown>): Promise<Figures>
  close(): Promise<void>
}

export function startPeer(command: string, args: readonly string[], env: Record<string, string> = {}): Peer {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return {
    async ask(what, argument = {}) {
      child.stdin.write(`${JSON.stringify({ command: what, ...argument })}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error(`${command} ${args.join(' ')} ended at "${what}"`)
      return JSON.parse(value) as Figures
    },
    async close() {
      child.stdin.end()
      await ended
    },
  }
}
