import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { findBinary, onPath, startServer } from './server-process.ts'

export type TestRedis = { url: string; port: number; stop(): Promise<void> }

/** A fresh Redis on loopback that stores nothing. `port` restarts one where another was. */
export async function startRedis({ port }: { port?: number } = {}): Promise<TestRedis> {
  const command = findBinary(onPath('redis-server'), 'Redis is not installed: apt-get install redis-server')
  const folder = await mkdtemp(join(tmpdir(), 'boathouse-redis-'))
  const listen = port ?? (await freePort())
  const args = ['--port', String(listen), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  const server = await startServer({ command, args, ready: () => answers(listen), stopSignal: 'SIGTERM' })
  const stop = async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
  return { url: `redis://127.0.0.1:${listen}`, port: listen, stop }
}

function answers(port: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
  socket.once('data', (data) => {
    socket.destroy()
    resolve(data.toString().startsWith('+PONG'))
  })
  socket.once('error', reject)
  return promise
}
