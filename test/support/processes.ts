// What the processes of a running Boathouse are and what memory they hold, read from /proc: Linux only.

import { readdirSync, readFileSync } from 'node:fs'

export type ProcessInfo = {
  pid: number
  parent: number
  /** `up`, `serve`, `worker`, or an engine host by its class: `interactive host`. */
  name: string
}

/** The process and everything below it that runs now. */
export function processTree(root: number): ProcessInfo[] {
  const parents = new Map<number, number>()
  for (const entry of readdirSync('/proc')) {
    const parent = /^\d+$/.test(entry) ? parentOf(Number(entry)) : undefined
    if (parent !== undefined) parents.set(Number(entry), parent)
  }
  const found: ProcessInfo[] = []
  const add = (pid: number) => {
    if (!parents.has(pid)) return
    found.push({ pid, parent: parents.get(pid)!, name: nameOf(pid) })
    for (const [child, parent] of parents) if (parent === pid) add(child)
  }
  add(root)
  return found
}

/** Bytes of one process that are its own, and its part of what it shares with others. 0 when it is gone. */
export function pssBytes(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024
}

/** Undefined when it ended, even if nobody has collected it yet. */
function parentOf(pid: number): number | undefined {
  const [, state, parent] = /^\d+ \(.*\) (\w) (\d+)/s.exec(read(`/proc/${pid}/stat`)) ?? []
  return parent === undefined || state === 'Z' ? undefined : Number(parent)
}

function nameOf(pid: number): string {
  const words = read(`/proc/${pid}/cmdline`).split('\0')
  const script = words.findIndex((word) => /\.ts$|\/host\.mjs$/.test(word))
  if (/\/host\.(ts|mjs)$/.test(words[script] ?? '')) {
    const folder = /"tempDirectory":"[^"]*\/(\w+)-[^"/]*"/.exec(read(`/proc/${pid}/environ`))
    return `${folder?.[1] ?? 'engine'} host`
  }
  return words[script + 1] ?? ''
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Processor time of one process so far, in clock ticks. */
export function cpuTicks(pid: number): number {
  const [, user, system] = /^\d+ \(.*\) \w(?: -?\d+){10} (\d+) (\d+)/s.exec(read(`/proc/${pid}/stat`)) ?? []
  return Number(user ?? 0) + Number(system ?? 0)
}
