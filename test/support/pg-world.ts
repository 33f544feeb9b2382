// A lake with a PostgreSQL server in front of it, and people who may log in.

import { realClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { openWorld } from '../../src/lake/world.ts'
import { createPgServer, type PgSettings } from '../../src/serve/pgwire/index.ts'

export const password = 'seven oars and a heron'

export type PgWorld = Awaited<ReturnType<typeof openPgWorld>>

const usual: PgSettings = {
  host: '127.0.0.1',
  port: 0,
  tls: undefined,
  plaintext: false,
  auth: 'scram',
  connectionsMax: 60,
  queryTimeoutMs: 30_000,
  timeZone: 'UTC',
}

export async function openPgWorld(more: Partial<PgSettings> = {}) {
  const world = await openWorld()
  const { lake, govern } = world
  const [dev, prod] = [
    { name: 'dev', catalog: 'dev_analytics', protected: false },
    { name: 'prod', catalog: 'prod_analytics', protected: true },
  ]
  for (const [name, role] of [
    ['ada', 'admin'],
    ['rob', 'reader'],
    ['mia', 'member'],
  ] as const) {
    await govern.users.create({ name, role })
    await govern.users.setPassword(name, password)
  }
  const errors: unknown[] = []
  const serverWith = (more: Partial<PgSettings>) =>
    createPgServer({
      project: 'sales',
      databases: [dev, prod],
      current: dev,
      currentNamed: false,
      version: '1.2.3',
      lake,
      govern,
      clock: realClock,
      log: { ...silentLog, error: (event, fields) => void errors.push({ event, ...fields }), child: () => silentLog },
      settings: { ...usual, ...more },
    })
  const server = serverWith(more)
  const { port } = await server.listen()
  return {
    ...world,
    server,
    port,
    /** Another server of the same lake. */
    async serve(others: Partial<PgSettings>) {
      const another = serverWith(others)
      return { ...(await another.listen()), close: () => another.close() }
    },
    /** Failures that nobody expected: bugs. */
    errors,
    url: (user = 'ada', database = 'dev', at = port) =>
      `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${at}/${database}`,
    async close() {
      await server.close()
      await world.close()
    },
  }
}
