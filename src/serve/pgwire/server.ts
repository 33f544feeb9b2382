// The PostgreSQL server: opens the port, takes connections up to a bound, and lets a second connection cancel what a
// first one runs.

import { randomInt } from 'node:crypto'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import { asFailure, Failure } from '../../base/failure.ts'
import type { Principal } from '../../govern/index.ts'
import type { Backends } from './backend-calls.ts'
import type { PgDeps } from './deps.ts'
import { isLocal, logIn } from './log-in.ts'
import * as say from './messages.ts'
import { runSession, type Cancellable } from './session.ts'
import { Gone, ProtocolViolation, Wire } from './socket.ts'
import { sqlStateOf } from './sqlstate.ts'

export type PgServer = {
  /** @throws PORT_TAKEN, CONFIG_INVALID */
  listen(): Promise<{ host: string; port: number }>
  /** Takes no more; what runs is cancelled after the grace. */
  close(): Promise<void>
  status(): { connections: number }
}

const [logInMs, graceMs] = [30_000, 2_000]

export function createPgServer(deps: PgDeps): PgServer {
  const { settings, log } = deps
  const stopping = new AbortController()
  const sockets = new Set<Socket>()
  const running = new Map<number, { key: number; principal: Principal; session: Cancellable }>()
  let tls: SecureContext | undefined
  let nextId = 1

  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}) // a client that goes away in the middle is no event
    socket.on('close', () => sockets.delete(socket))
    void serve(socket).catch((error: unknown) => {
      log.error('a SQL connection failed unexpectedly', { error: (error as Error).message })
      socket.destroy()
    })
  })

  async function serve(socket: Socket): Promise<void> {
    let wire = new Wire(socket)
    const late = setTimeout(() => socket.destroy(), logInMs)
    try {
      if (sockets.size > settings.connectionsMax)
        throw new Failure('ENGINE_BUSY', `sorry, too many clients already: at most ${settings.connectionsMax}`, {
          hint: 'Close some, use a pool, or raise `pg.connections`.',
        })
      const entered = await logIn(wire, deps, tls)
      clearTimeout(late)
      if ('cancel' in entered) {
        const { id, key } = entered.cancel
        const found = running.get(id)
        if (found && found.key === key) found.session.cancel()
        return
      }
      wire = entered.wire
      const id = nextId++
      const key = randomInt(-(2 ** 31), 2 ** 31)
      const session: Cancellable = { cancel: () => {}, terminate: () => {} }
      const { principal } = entered.identity
      running.set(id, { key, principal, session })
      try {
        await runSession(deps, entered, {
          id,
          key,
          session,
          backends: backendsOf(principal),
          stopping: stopping.signal,
        })
      } finally {
        running.delete(id)
      }
    } catch (error) {
      if (error instanceof Gone) return
      const failure =
        error instanceof ProtocolViolation
          ? new Failure('REQUEST_INVALID', `this is not PostgreSQL's protocol: ${error.message}`)
          : asFailure(error)
      if (failure.code === 'INTERNAL') log.error('a SQL connection failed', { error: failure.message })
      const sqlState = error instanceof ProtocolViolation ? '08P01' : sqlStateOf(failure)
      const text = failure.code === 'INTERNAL' ? 'unexpected error' : failure.message
      wire.send(say.errorResponse({ severity: 'FATAL', sqlState, message: text, hint: failure.hint }))
    } finally {
      clearTimeout(late)
      wire.end()
    }
  }

  const backendsOf = (asker: Principal): Backends => ({
    signal(id, does) {
      const found = running.get(id)
      if (!found) return false
      if (found.principal.id !== asker.id && asker.role !== 'admin')
        throw new Failure('FORBIDDEN', 'the connection is of another user')
      found.session[does]()
      return true
    },
  })

  return {
    async listen() {
      const { host, port } = settings
      if (settings.tls) tls = context(settings.tls)
      else if (!isLoopbackName(host) && !settings.plaintext)
        throw new Failure('CONFIG_INVALID', `pg.host: ${host} is reached by other machines, and there is no TLS`, {
          hint: 'Set pg.tls_cert and pg.tls_key, or pg.plaintext: true where the network is trusted.',
        })
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen({ host, port }, () => {
          server.off('error', reject)
          resolve()
        })
      }).catch((error: NodeJS.ErrnoException) => {
        throw listenFailure(error, host, port)
      })
      return { host, port: (server.address() as AddressInfo).port }
    },
    async close() {
      const closed = new Promise<void>((resolve) => (server.listening ? server.close(() => resolve()) : resolve()))
      stopping.abort()
      const cut = setTimeout(() => sockets.forEach((socket) => socket.destroy()), graceMs)
      await closed
      clearTimeout(cut)
    },
    status: () => ({ connections: sockets.size }),
  }
}

const isLoopbackName = (host: string) => host === 'localhost' || isLocal(host)

function context({ cert, key }: { cert: string; key: string }): SecureContext {
  try {
    return createSecureContext({ cert, key, minVersion: 'TLSv1.2' })
  } catch (cause) {
    throw new Failure('CONFIG_INVALID', 'pg.tls_cert and pg.tls_key are not a certificate and its key', { cause })
  }
}

function listenFailure(error: NodeJS.ErrnoException, host: string, port: number): Failure {
  if (error.code === 'EADDRINUSE')
    return new Failure('PORT_TAKEN', `port ${port} on ${host} is taken`, {
      cause: error,
      hint: 'Stop who holds it, or choose another port: BOATHOUSE_PG_PORT=5440, or pg.port in boathouse.yml.',
    })
  return new Failure('CONFIG_INVALID', `pg.host, pg.port: cannot listen on ${host}:${port}: ${error.message}`, {
    cause: error,
  })
}
