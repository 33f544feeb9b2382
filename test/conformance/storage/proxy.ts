// Stands between a program under test and a service, hands everything through as it is, and sees what was asked. It can
// swallow an answer: then the service has done what it was asked to, and whoever asked does not know.

import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Exchange = { method: string; path: string }
export type Proxy = {
  /** The service's address, with this proxy's host and port. */
  uri: string
  seen: Exchange[]
  /** Called when the service has answered. False: the answer is not handed on. */
  onAnswer: (exchange: Exchange) => boolean
  close(): Promise<void>
}

export async function openProxy(service: string): Promise<Proxy> {
  const { hostname, port, pathname } = new URL(service)
  const server: Server = createServer((asked, answer) => {
    const exchange = { method: asked.method!, path: asked.url! }
    proxy.seen.push(exchange)
    // The name of the host goes through too: it is signed.
    const passed = httpRequest(
      { hostname, port, method: exchange.method, path: exchange.path, headers: asked.headers },
      (answered) => {
        if (!proxy.onAnswer(exchange)) {
          answered.resume()
          asked.socket.destroy()
          return
        }
        answer.writeHead(answered.statusCode!, answered.headers)
        answered.pipe(answer)
        answered.on('error', () => answer.destroy())
      },
    )
    passed.on('error', () => asked.socket.destroy())
    // Who asks may be killed at any moment.
    asked.on('error', () => passed.destroy())
    answer.on('error', () => {})
    asked.pipe(passed)
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const proxy: Proxy = {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname === '/' ? '' : pathname}`,
    seen: [],
    onAnswer: () => true,
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
  return proxy
}
