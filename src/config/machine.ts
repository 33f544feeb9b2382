// What the settings need to know of the machine: how much memory this process may really use, and whether a
// folder lies on a disk that can hold a database. Both come in from outside, so that a test can be any machine.

import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { dirname, join } from 'node:path'

export type Machine = {
  /** RAM, or the cgroup's limit when that is smaller. */
  memoryBytes: number
  threads: number
  /** The lines of /proc/self/mounts, in its format; undefined where the system cannot tell. */
  mounts: string | undefined
}

export function realMachine(): Machine {
  return { memoryBytes: Math.min(totalmem(), cgroupBytes()), threads: availableParallelism(), mounts: readMounts() }
}

/** The smallest memory limit of this process's control group and those above it (cgroup v2, then v1). */
function cgroupBytes(root = '/sys/fs/cgroup'): number {
  const own = /^0::(\/.*)$/m.exec(readText('/proc/self/cgroup') ?? '')?.[1] ?? '/'
  const limits = [Number(readText(join(root, 'memory/memory.limit_in_bytes')) ?? Infinity)]
  for (let path = own; ; path = dirname(path)) {
    const text = readText(join(root, path, 'memory.max'))?.trim()
    if (text && text !== 'max') limits.push(Number(text))
    if (path === '/') break
  }
  return Math.min(...limits.filter((limit) => limit > 0))
}

function readMounts(): string | undefined {
  if (process.platform === 'linux') return readText('/proc/self/mounts')
  if (process.platform !== 'darwin') return undefined
  try {
    // `//ann@nas/share on /Volumes/share (smbfs, nodev)` becomes the order of /proc/mounts.
    // Loaded here: on Linux no command waits for it.
    const { execFileSync } = process.getBuiltinModule('node:child_process')
    return execFileSync('/sbin/mount', { encoding: 'utf8' }).replace(
      /^(.+) on (\/.*) \((\w+).*\)$/gm,
      (_, device, folder, type) =>
        [device, folder, type].map((part: string) => part.replaceAll(' ', '\\040')).join(' '),
    )
  } catch {
    return undefined
  }
}

const network =
  /^(nfs\d?|cifs|smb\w*|9p|v9fs|drvfs|afs\w*|ceph|glusterfs|lustre|fuse\.(sshfs|glusterfs|rclone|s3fs|cifs|juicefs))$/

/** The type of the network (or 9p) file system that holds `folder`, which need not exist yet; undefined on a local disk. */
export function networkFileSystem(folder: string, mounts: string | undefined): string | undefined {
  const path = realFolder(folder)
  let held: { length: number; type: string } | undefined
  for (const line of mounts?.split('\n') ?? []) {
    const [, target, type] = line.split(' ').map((part) => part.replaceAll('\\040', ' '))
    if (!target || !type) continue
    const inside = target === '/' || path === target || path.startsWith(`${target}/`)
    // Of two mounts on one folder the later one is seen.
    if (inside && (!held || target.length >= held.length)) held = { length: target.length, type }
  }
  return held && network.test(held.type) ? held.type : undefined
}

function realFolder(folder: string): string {
  let existing = folder
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing)
  return existing === dirname(existing) ? folder : realpathSync(existing) + folder.slice(existing.length)
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
