// An HTTP server of a few lines, for clients whose real server cannot be had or does not misbehave.

import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export type TestRequest = { method: string; url: string; headers: IncomingHttpHeaders; body: string }
type TestAnswer = { status?: number; headers?: Record<string, string>; json?: unknown; text?: string }

/** Listens until the test ends. `undefined` is a 404. */
export async function answering(answer: (request: TestRequest) => TestAnswer | undefined): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    let body = ''
    incoming.on('data', (chunk: Buffer) => (body += chunk.toString()))
    incoming.on('end', () => {
      const request = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers, body }
      const { status = 200, headers = {}, json, text } = answer(request) ?? { status: 404 }
      outgoing.writeHead(status, headers).end(text ?? (json === undefined ? '' : JSON.stringify(json)))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
