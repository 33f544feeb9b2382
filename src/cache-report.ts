// How well the file cache of each running process does, where `boathouse status` finds it. Part of the composition root.

import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CacheFigures } from './cli/app.ts'
import type { FileCache } from './io/index.ts'

const everyMs = 5_000
const nameOf = (pid: number) => `cache-${pid}.json`

/** Writes the figures down while they change, until the answered function is called. */
export function reportCache(files: FileCache, folder: string): () => Promise<void> {
  let last = ''
  const write = async () => {
    const { hits, misses, bytes, evictions } = files.stats()
    const text = JSON.stringify({ hits, misses, bytes, evictions } satisfies CacheFigures)
    if (text === last) return
    last = text
    await mkdir(folder, { recursive: true })
    const path = join(folder, nameOf(process.pid))
    await writeFile(`${path}.tmp`, text)
    await rename(`${path}.tmp`, path)
  }
  // A figure that is not written is no reason to fail what people asked for.
  const timer = setInterval(() => void write().catch(() => {}), everyMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await rm(join(folder, nameOf(process.pid)), { force: true })
  }
}

/** Of all processes that run; `bytes` is what the folder that they share holds. Undefined when none has a cache. */
export async function cacheFigures(folder: string): Promise<CacheFigures | undefined> {
  const all: CacheFigures[] = []
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = /^cache-(\d+)\.json$/.exec(name)?.[1]
    if (pid === undefined || !isAlive(Number(pid))) continue
    const text = await readFile(join(folder, name), 'utf8').catch(() => undefined)
    if (text !== undefined) all.push(JSON.parse(text) as CacheFigures)
  }
  if (all.length === 0) return undefined
  const sum = (of: (one: CacheFigures) => number) => all.reduce((total, one) => total + of(one), 0)
  return {
    hits: sum(({ hits }) => hits),
    misses: sum(({ misses }) => misses),
    evictions: sum(({ evictions }) => evictions),
    bytes: Math.max(...all.map(({ bytes }) => bytes)),
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
