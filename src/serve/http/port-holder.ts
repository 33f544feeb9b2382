// Who listens on a port, so that "port taken" can say by whom. Linux tells it under /proc, macOS by lsof; elsewhere, and
// for processes of other users, nobody is named.

import { execFile } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { promisify } from 'node:util'

/** For example `process 4711 (node server.js)`; undefined when it cannot be told. */
export async function portHolder(port: number): Promise<string | undefined> {
  try {
    return process.platform === 'linux'
      ? await byProc(port)
      : process.platform === 'darwin'
        ? await byLsof(port)
        : undefined
  } catch {
    return undefined // it is only a help
  }
}

async function byProc(port: number): Promise<string | undefined> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  )
  const inodes = new Set(tables.flatMap((table) => listeningInodes(table, port)))
  if (inodes.size === 0) return undefined
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const fds = await readdir(`/proc/${pid}/fd`).catch(() => [])
    for (const fd of fds) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
      if (inode === undefined || !inodes.has(inode)) continue
      const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim()
      return `process ${pid} (${command.slice(0, 120) || 'unknown command'})`
    }
  }
  return 'a process of another user'
}

/** Columns of /proc/net/tcp: number, local address:port in hex, remote, state (0A is listening), …, the inode is the tenth. */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(suffix) && columns[3] === '0A')
    .flatMap((columns) => columns[9] ?? [])
}

async function byLsof(port: number): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], {
    timeout: 2_000,
  })
  const [pid, command] = [/^p(\d+)$/m.exec(stdout)?.[1], /^c(.+)$/m.exec(stdout)?.[1]]
  return pid === undefined ? undefined : `process ${pid} (${command ?? 'unknown command'})`
}
