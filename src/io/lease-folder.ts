// A folder that belongs to one process as long as it lives, and is removed by others when it died.
//
// A process on the same machine (the same boot, the same container) is known by its id and the time it started, because
// ids are used again. About processes elsewhere, who share the folder as a volume, only a sign of life can be had: they
// touch their folder every minute.

import { createHash, randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

const signOfLifeMs = 60_000
const deadAfterMs = 15 * 60_000

type LeaseFolder = { path: string; close(): Promise<void> }

/** Makes the folder of this process below `leases`; `close` removes it. Those of processes that are gone are removed. */
export async function openLeaseFolder(leases: string): Promise<LeaseFolder> {
  await removeDeadLeases(leases)
  const path = join(leases, [place(), process.pid, startOf(process.pid) ?? '', randomUUID()].join('.'))
  await mkdir(path, { recursive: true })
  const living = setInterval(() => {
    const now = new Date()
    void utimes(path, now, now).catch(() => {}) // the next sign of life is a minute away
  }, signOfLifeMs)
  living.unref()
  return {
    path,
    async close() {
      clearInterval(living)
      await rm(path, { recursive: true, force: true })
    },
  }
}

/** Removes what processes left behind that are gone. */
export async function removeDeadLeases(leases: string): Promise<void> {
  for (const entry of await readdir(leases).catch(() => [])) {
    const path = join(leases, entry)
    const [at, pid, start] = entry.split('.')
    const dead = at === place() ? startOf(Number(pid)) !== start : (await silenceMs(path)) > deadAfterMs
    if (dead) await rm(path, { recursive: true, force: true })
  }
}

const silenceMs = async (path: string) =>
  Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now())

/** Where process ids mean the same processes as here: this boot of this machine, this container. */
function place(): string {
  const parts = [hostname(), textOf('/proc/sys/kernel/random/boot_id'), linkOf('/proc/self/ns/pid')]
  return createHash('sha256').update(parts.join(' ')).digest('hex').slice(0, 16)
}

/** When a process started, in ticks since boot; the empty text where the system does not tell; undefined when it is gone. */
function startOf(pid: number): string | undefined {
  const line = textOf(`/proc/${pid}/stat`)
  // The name of the program, in parentheses, may hold anything; the start is the 20th field after it.
  if (line !== undefined) return line.slice(line.lastIndexOf(')') + 2).split(' ')[19]
  try {
    process.kill(pid, 0)
    return ''
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? '' : undefined
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
