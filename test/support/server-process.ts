// Starts a real server for a test, waits until it answers, and makes sure that it ends with the test.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const waitMs = 50

type Options = {
  command: string
  args: string[]
  /** Beside the variables of the test itself. */
  env?: Record<string, string>
  ready: () => Promise<boolean>
  /** Most tries of `ready`, one every 50 ms. */
  attemptsMax?: number
  stopSignal: NodeJS.Signals
}

export async function startServer(options: Options): Promise<{ stop(): Promise<void> }> {
  const { command, args, env, ready, attemptsMax = 200, stopSignal } = options
  const output: string[] = []
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => output.push(data.toString()))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const onExit = () => child.kill('SIGKILL')
  process.once('exit', onExit)
  const stop = async () => {
    process.off('exit', onExit)
    if (isRunning(child)) child.kill(stopSignal)
    await ended
  }
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (!isRunning(child)) break
    if (await ready().catch(() => false)) return { stop }
    await sleep(waitMs)
  }
  await stop()
  throw new Error(`${command} did not start:\n${output.join('')}`)
}

const isRunning = (child: ChildProcess) => child.exitCode === null && child.signalCode === null

/** The first of these files that exists; otherwise an error that says what to install. */
export function findBinary(candidates: string[], install: string): string {
  const found = candidates.find((path) => existsSync(path))
  if (!found) throw new Error(`${install} (looked for ${candidates.join(', ')})`)
  return found
}

export const onPath = (name: string): string[] =>
  (process.env['PATH'] ?? '').split(':').map((folder) => `${folder}/${name}`)
