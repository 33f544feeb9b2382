// One request on its way: who asks, in which warehouse, for what, and what came of it.

import { z } from 'zod'
import { Failure } from '../../base/failure.ts'
import {
  type Catalog,
  type CommitOptions,
  type EntryKind,
  type Loaded,
  showName,
  type TableName,
} from '../../catalog/index.ts'
import type { Policy, Principal } from '../../govern/index.ts'
import type { IcebergRestDeps } from './deps.ts'
import type { Locations } from './locations.ts'
import type { Warehouse, Warehouses } from './warehouses.ts'

export type Call = {
  method: string
  principal: Principal
  /** What decides about rights, of when the request came. */
  policy: Policy
  warehouse: Warehouse
  params: Params
  query: URLSearchParams
  headers: Headers
  body: unknown
  /** Of the change that this call makes. */
  commit: CommitOptions
  /** Full names of what is changed, for the audit. */
  touched: string[]
  log: IcebergRestDeps['log']
}
export type Params = { namespace: string[]; table: string; view: string }

/** What handlers share. */
export type Rest = {
  deps: IcebergRestDeps
  catalog: Catalog
  warehouses: Warehouses
  locations: Locations
}

export type Answer = {
  status: number
  body?: unknown
  headers?: Record<string, string>
  /** What the answer shows: asked again, it is loaded again instead of being kept. */
  shows?: { name: TableName; kind: EntryKind }
}
export type Handler = (call: Call, rest: Rest) => Promise<Answer>

export const done: Answer = { status: 204 }

/** The body as `schema` has it. @throws REQUEST_INVALID naming the field */
export function parseBody<Body>(schema: z.ZodType<Body>, body: unknown): Body {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const field = ['body', ...(issue?.path ?? []).map(String)].join('.').slice(0, 200)
  throw new Failure('REQUEST_INVALID', `${field}: ${issue?.message ?? 'not understood'}`)
}

export const Levels = z.array(z.string().min(1)).min(1)
export const Identifier = z.object({ namespace: Levels, name: z.string().min(1) })
export const Properties = z.record(z.string(), z.string())

/** The full name of what a client calls `name` in a namespace. Undefined: nothing can be there. */
export async function findName(
  warehouse: Warehouse,
  { namespace: levels, name }: z.infer<typeof Identifier>,
): Promise<TableName | undefined> {
  const place = await warehouse.place(levels)
  return place?.kind === 'namespace' ? { catalog: place.catalog, namespace: place.namespace, name } : undefined
}

/** As `findName`, for something that is there. @throws TABLE_NOT_FOUND */
export async function nameOf(call: Pick<Call, 'warehouse'>, at: z.infer<typeof Identifier>, kind: EntryKind) {
  const name = await findName(call.warehouse, at)
  if (name) return name
  throw noSuch(kind, [...at.namespace, at.name])
}

/** As `findName`, for something new. @throws NAMESPACE_NOT_FOUND, REQUEST_INVALID */
export async function newNameOf(
  call: Pick<Call, 'warehouse'>,
  rest: Pick<Rest, 'catalog'>,
  at: z.infer<typeof Identifier>,
): Promise<TableName> {
  const name = await findName(call.warehouse, at)
  if (!name || (await rest.catalog.namespace(name.catalog, name.namespace)) === undefined)
    throw new Failure('NAMESPACE_NOT_FOUND', `Namespace does not exist: ${at.namespace.join('.')}`)
  return name
}

export const noSuch = (kind: EntryKind, levels: readonly string[]): Failure =>
  new Failure('TABLE_NOT_FOUND', `${kind === 'view' ? 'View' : 'Table'} does not exist: ${levels.join('.')}`, { kind })

export async function loadedOf(name: TableName, kind: EntryKind, { catalog }: Pick<Rest, 'catalog'>): Promise<Loaded> {
  const loaded = await catalog.load(name, { kind })
  if (!loaded) throw new Failure('TABLE_NOT_FOUND', `there is no ${kind} ${showName(name)}`, { name, kind })
  return loaded
}
