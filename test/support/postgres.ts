import { execFile } from 'node:child_process'
import { chown, glob, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { freePort } from './free-port.ts'
import { findBinary, onPath, startServer } from './server-process.ts'

const run = promisify(execFile)

export type TestPostgres = { url: string; stop(): Promise<void> }

/** A fresh PostgreSQL on loopback with an empty database. PostgreSQL refuses root, so root runs it as the user `postgres`. */
export async function startPostgres(): Promise<TestPostgres> {
  const installed = (await Array.fromAsync(glob('/usr/lib/postgresql/*/bin/initdb'))).sort().toReversed()
  const initdb = findBinary(
    [...installed, ...onPath('initdb')],
    'PostgreSQL is not installed: apt-get install postgresql',
  )
  const folder = await mkdtemp(join(tmpdir(), 'boathouse-postgres-'))
  const as = await asOrdinaryUser(folder)
  const data = join(folder, 'data')
  await run(
    ...as(initdb, ['-D', data, '-U', 'boathouse', '--auth=trust', '--encoding=UTF8', '--no-sync', '--no-instructions']),
  )
  const port = await freePort()
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    'fsync=off',
    'max_connections=50',
  ]
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]
  const url = `postgres://boathouse@127.0.0.1:${port}/postgres`
  const [command, commandArgs] = as(join(dirname(initdb), 'postgres'), args)
  // SIGINT is PostgreSQL's fast shutdown.
  const server = await startServer({ command, args: commandArgs, ready: () => answers(url), stopSignal: 'SIGINT' })
  const stop = async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
  return { url, stop }
}

type AsUser = (command: string, args: string[]) => [command: string, args: string[]]

async function asOrdinaryUser(folder: string): Promise<AsUser> {
  if (process.getuid?.() !== 0) return (command, args) => [command, args]
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'postgres'])).stdout)),
  )
  await chown(folder, uid!, gid!)
  const identity = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
  return (command, args) => ['setpriv', [...identity, command, ...args]]
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  await client.end()
  return true
}
