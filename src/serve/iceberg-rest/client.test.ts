// Our REST client on our REST server, over real HTTP: what every catalog promises holds through both.

import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { realClock } from '../../base/clock.ts'
import { catalogSuite } from '../../catalog/catalog-suite.ts'
import { openRestCatalog, type TableName } from '../../catalog/index.ts'
import { openWorld } from './world.testing.ts'

const location = ({ catalog, namespace, name }: TableName) =>
  `file:///lake/${[catalog, namespace, name].map(encodeURIComponent).join('/')}`

async function served(environmentAs: 'warehouse' | 'namespace', log: 'token' | 'credential') {
  const world = await openWorld()
  const signal = new AbortController().signal
  const answer = (request: Request) => world.rest.answer(request, { requestId: randomUUID(), signal, admit() {} })
  const server = createServer(
    getRequestListener(answer, { overrideGlobalObjects: false }) as Parameters<typeof createServer>[1],
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const catalog = await openRestCatalog({
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/iceberg`,
    environmentAs,
    clock: realClock,
    ...(log === 'token' ? { token: world.tokens.admin } : { credential: `spark:${world.tokens.admin}` }),
  })
  async function close() {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await world[Symbol.asyncDispose]()
  }
  return { catalog, name: 'free', location, close }
}

catalogSuite('the REST client in one warehouse, by token', () => served('warehouse', 'token'))
catalogSuite('the REST client in the root warehouse, by OAuth2', () => served('namespace', 'credential'))
