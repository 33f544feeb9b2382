// A REST catalog in memory with real users, tokens and records, asked without a network.

import { randomUUID } from 'node:crypto'
import { realClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { openEmbeddedCatalog, type Catalog, type Loaded } from '../../catalog/index.ts'
import { openGovern, takeOrRefuse, type Principal, type RateLimiter } from '../../govern/index.ts'
import { memoryFileIO } from '../../io/index.ts'
import { openMemoryRecords } from '../../records/index.ts'
import type { IcebergRestDeps, IcebergRestSettings, IcebergRestStorage } from './deps.ts'
import { icebergRest } from './rest.ts'

type Options = {
  settings?: Partial<IcebergRestSettings>
  storage?: Partial<IcebergRestStorage>
  /** A catalog in front of the real one, that fails as a test wants. */
  through?: (catalog: Catalog) => Catalog
  /** Requests of each principal; default: any. */
  perPrincipal?: RateLimiter
}
type Asked = {
  as?: 'admin' | 'reader' | 'nobody' | string
  body?: unknown
  text?: string
  headers?: Record<string, string>
}

export const schema = {
  type: 'struct',
  'schema-id': 0,
  fields: [
    { id: 1, name: 'id', required: true, type: 'long' },
    { id: 2, name: 'day', required: false, type: 'date' },
  ],
}
export const viewVersion = {
  'version-id': 1,
  'timestamp-ms': 1,
  'schema-id': 0,
  summary: {},
  representations: [{ type: 'sql', sql: 'select 1', dialect: 'spark' }],
  'default-namespace': ['raw'],
}

export async function openWorld({
  settings = {},
  storage = {},
  through = (catalog) => catalog,
  perPrincipal,
}: Options = {}) {
  const io = memoryFileIO()
  const records = await openMemoryRecords()
  const govern = openGovern({ records, cost: { logN: 4, r: 1, p: 1 } })
  const embedded = openEmbeddedCatalog({ records, io, clock: realClock })
  const purged: Loaded[] = []
  const folders: string[] = []
  const deps: IcebergRestDeps = {
    catalog: through(embedded),
    govern,
    records,
    io,
    clock: realClock,
    log: silentLog,
    settings: {
      name: 'sales',
      environments: [
        { name: 'dev', catalog: 'dev_analytics', protected: false },
        { name: 'prod', catalog: 'prod_analytics', protected: true },
      ],
      warehouses: ['free'],
      protectedWrites: false,
      ...settings,
    },
    storage: {
      root: 'file:///lake',
      locations: ['file:///shared'],
      exists: async (location) => (await io.stat(location)) !== undefined,
      makeFolders: async (location) => void folders.push(location),
      config: {},
      credentialsFor: async () => [],
      purge: async (dropped) => void purged.push(dropped),
      ...storage,
    },
  }
  const rest = icebergRest(deps)
  const users = {
    admin: await govern.users.create({ name: 'ada', role: 'admin' }),
    reader: await govern.users.create({ name: 'rob', role: 'reader' }),
  }
  const tokens = {
    admin: (await govern.tokens.create(users.admin.id, { name: 'spark' })).token,
    reader: (await govern.tokens.create(users.reader.id, { name: 'look' })).token,
  }

  /** `ask('GET /v1/config')`: status, headers, and the body as it was parsed. */
  async function ask(line: string, { as = 'admin', body, text, headers = {} }: Asked = {}) {
    const [method = '', path = ''] = line.split(' ')
    const token = as === 'admin' || as === 'reader' ? tokens[as] : as
    const request = new Request(`http://localhost/iceberg${path}`, {
      method,
      headers: { ...(as === 'nobody' ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...(body === undefined && text === undefined ? {} : { body: text ?? JSON.stringify(body) }),
    })
    const signal = new AbortController().signal
    const admit = ({ id }: Principal) => perPrincipal && takeOrRefuse(perPrincipal, id, 'requests')
    const answer = await rest.answer(request, { requestId: randomUUID(), signal, admit })
    const answered = await answer.text()
    return {
      status: answer.status,
      headers: answer.headers,
      // oxlint-disable-next-line typescript/no-explicit-any -- answers have the shape that each test looks at
      body: (answered === '' ? undefined : JSON.parse(answered)) as any,
    }
  }

  return {
    ask,
    rest,
    records,
    govern,
    users,
    tokens,
    purged,
    folders,
    io,
    catalog: embedded,
    async [Symbol.asyncDispose]() {
      await govern.close()
      await records.close()
    },
  }
}

export type World = Awaited<ReturnType<typeof openWorld>>

/** A namespace `raw` in the environment dev with a table `t` and a view `v`. */
export async function filled(world: World, base = '/v1/dev_analytics'): Promise<void> {
  await world.ask(`POST ${base}/namespaces`, { body: { namespace: ['raw'] } })
  await world.ask(`POST ${base}/namespaces/raw/tables`, { body: { name: 't', schema } })
  await world.ask(`POST ${base}/namespaces/raw/views`, {
    body: { name: 'v', schema, 'view-version': viewVersion, properties: {} },
  })
}
