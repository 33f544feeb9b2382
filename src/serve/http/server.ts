// The HTTP server: opens the port, and closes so that nothing under way is cut off before its grace is over.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { Failure } from '../../base/failure.ts'
import { createApp } from './app.ts'
import { usualLimits, type HttpDeps, type HttpLimits } from './deps.ts'
import { openEventStreams } from './events.ts'
import { portHolder } from './port-holder.ts'
import type { HttpEnv } from './route.ts'
import { clearSpool } from './upload.ts'

export type HttpServer = {
  /** Opens the port. `url` is for people: the public address, or what to type on this machine. @throws PORT_TAKEN, CONFIG_INVALID */
  listen(): Promise<{ host: string; port: number; url: string }>
  /** Takes no more requests, ends event streams, waits for what is under way up to the grace, then cancels it. */
  close(): Promise<void>
  app: Hono<HttpEnv>
}

const [connectionsMax, keepAliveMs, uploadHoursMax, stalledMs] = [4_000, 30_000, 3, 60_000]

export function createHttpServer(deps: HttpDeps): HttpServer {
  const limits: HttpLimits = { ...usualLimits, ...deps.settings.limits }
  const { host, port, publicUrl, queryTimeoutMs, spoolDir } = deps.settings
  const stopping = new AbortController()
  const streams = openEventStreams(deps, limits)
  const app = createApp(deps, { limits, streams, stopping: stopping.signal })
  const server = createServer(
    // Who sends a header byte by byte is cut off; a body has its own deadline by route, and this is the longest upload.
    {
      headersTimeout: limits.headersMs,
      requestTimeout: uploadHoursMax * 3_600_000,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: Math.min(5_000, limits.headersMs),
    },
    getRequestListener(app.fetch, { overrideGlobalObjects: false }) as Parameters<typeof createServer>[1],
  )
  server.maxConnections = connectionsMax
  // No byte in either direction: longer than any query may think, so only a reader that stopped reading is meant.
  server.setTimeout(queryTimeoutMs + stalledMs)

  return {
    app,
    async listen() {
      await clearSpool(spoolDir, deps.clock.now())
      await open(server, host, port)
      const { port: opened } = server.address() as AddressInfo
      return { host, port: opened, url: publicUrl?.replace(/\/+$/, '') ?? localUrl(host, opened) }
    },
    async close() {
      streams.close()
      const closed = new Promise<void>((resolve) => (server.listening ? server.close(() => resolve()) : resolve()))
      server.closeIdleConnections()
      const cut = setTimeout(() => {
        stopping.abort(new Failure('QUERY_CANCELLED', 'the server is stopping'))
        // The cancelled ones may still say so.
        setTimeout(() => server.closeAllConnections(), 500).unref()
      }, limits.graceMs)
      // Connections become idle as their requests end.
      const sweep = setInterval(() => server.closeIdleConnections(), 50)
      await closed
      clearTimeout(cut)
      clearInterval(sweep)
      stopping.abort(new Failure('QUERY_CANCELLED', 'the server is stopping'))
    },
  }
}

async function open(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (error) {
    throw await listenFailure(error as NodeJS.ErrnoException, host, port)
  }
}

async function listenFailure(error: NodeJS.ErrnoException, host: string, port: number): Promise<Failure> {
  if (error.code === 'EADDRINUSE') {
    const holder = await portHolder(port)
    return new Failure('PORT_TAKEN', `port ${port} on ${host} is taken${holder ? ` by ${holder}` : ''}`, {
      cause: error,
      hint: 'Stop it, or choose another port: BOATHOUSE_HTTP_PORT=8621, or http.port in boathouse.yml.',
    })
  }
  if (error.code === 'EACCES')
    return new Failure(
      'CONFIG_INVALID',
      `http.port: port ${port} needs rights that this user has not, for example http.port: 8620`,
      { cause: error },
    )
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new Failure(
      'CONFIG_INVALID',
      `http.host: ${host} is no address of this machine, for example http.host: 127.0.0.1`,
      { cause: error },
    )
  return new Failure('INTERNAL', `cannot listen on ${host}:${port}: ${error.message}`, { cause: error })
}

/** What to type in a browser on this machine. */
function localUrl(host: string, port: number): string {
  const name = ['0.0.0.0', '::', '127.0.0.1', '::1'].includes(host)
    ? 'localhost'
    : host.includes(':')
      ? `[${host}]`
      : host
  return `http://${name}:${port}`
}
