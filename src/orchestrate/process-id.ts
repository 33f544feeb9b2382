// Whether the process that a row names still lives. A pid alone cannot say: it is used again, and in a container it
// means another process than outside.

import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

export type ProcessId = {
  /** The machine since its last start, and the process space in it. */
  host: string
  pid: number
  /** The moment the process began, in the kernel's words; the pid where the system does not tell. */
  key: string
}

export const ownProcess = (): ProcessId => ({
  host: hostKey(),
  pid: process.pid,
  key: startOf(process.pid) ?? String(process.pid),
})

/** True and false are certain; undefined means that it cannot be seen from here. */
export function isAlive({ host, pid, key }: ProcessId): boolean | undefined {
  if (host !== hostKey()) return undefined
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return processKey(pid) === key
}

/** As `ProcessId.key`, of any process on this machine. */
export const processKey = (pid: number): string => startOf(pid) ?? String(pid)

let known: string | undefined
function hostKey(): string {
  known ??= [
    hostname(),
    ifReadable(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    ifReadable(() => readlinkSync('/proc/self/ns/pid')),
  ]
    .filter((part) => part !== undefined)
    .join('/')
  return known
}

/** Field 22 of /proc/PID/stat (proc(5)), counted after the command, which may hold blanks and parentheses. A zombie has ended. */
function startOf(pid: number): string | undefined {
  const fields = ifReadable(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
    ?.replace(/^.*\)\s/s, '')
    .split(' ')
  return fields && (fields[0] === 'Z' ? 'ended' : fields[19])
}

function ifReadable(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
