import { z } from 'zod'
import { Failure } from '../../base/failure.ts'
import { done, Levels, parseBody, Properties, type Call, type Handler, type Rest } from './call.ts'
import { knows, may } from './rights.ts'
import { pageAsked, pageOf } from './paging.ts'

const CreateNamespace = z.object({ namespace: Levels, properties: Properties.nullish() })
const UpdateProperties = z.object({ removals: z.array(z.string()).nullish(), updates: Properties.nullish() })

export const listNamespaces: Handler = async (call, rest) => {
  const { warehouse, query } = call
  const parent = query.get('parent')
  const above = parent === null || parent === '' ? [] : parent.split('\u001f')
  if (above.some((level) => level === '')) throw new Failure('REQUEST_INVALID', 'parent: a level is empty')
  if (above.length > 0) await namespaceAt(call, rest, above)
  const first = warehouse.catalogs()
  const found =
    above.length === 0 && first
      ? (await first).filter((catalog) => knows(call, { catalog })).map((name) => [name])
      : await below(call, rest, warehouse.catalog ?? above[0]!, above)
  const { after, size } = pageAsked(query)
  const key = (levels: string[]) => levels.join('\u001f')
  const left = found.filter((levels) => after === undefined || key(levels) > after)
  const sorted = left.sort((a, b) => (key(a) < key(b) ? -1 : 1))
  const { items, ...next } = pageOf(sorted, key, size)
  return { status: 200, body: { namespaces: items, ...next } }
}

async function below(call: Call, { catalog }: Rest, name: string, above: string[]): Promise<string[][]> {
  const all = (await catalog.namespaces(name))
    .filter((namespace) => knows(call, { catalog: name, namespace }))
    .map((namespace) => call.warehouse.levelsOf({ catalog: name, namespace }))
  return all.filter(
    (levels) => levels.length === above.length + 1 && above.every((level, index) => levels[index] === level),
  )
}

export const createNamespace: Handler = async (call, rest) => {
  const { namespace: levels, properties } = parseBody(CreateNamespace, call.body)
  const place = await call.warehouse.place(levels)
  const isTaken = new Failure('ALREADY_EXISTS', `Namespace already exists: ${levels.join('.')}`)
  if (place?.kind === 'catalog') throw isTaken
  if (!place)
    throw new Failure(
      'REQUEST_INVALID',
      call.warehouse.catalogs() && levels.length === 1
        ? `${levels[0]} is no environment: they are made by \`boathouse env create\``
        : `namespaces have one level here, not ${levels.length}: ${levels.join('.')}`,
    )
  may(call, rest, 'create', place)
  const made = await rest.catalog.createNamespace(place.catalog, place.namespace, properties ?? {})
  if (!made) throw isTaken
  return { status: 200, body: { namespace: levels, properties: properties ?? {} } }
}

export const loadNamespace: Handler = async (call, rest) => {
  const { place, properties } = await namespaceAt(call, rest, call.params.namespace)
  // Trino takes a new table's location from here. Without one it has the table made first, and then finds the folder
  // that must be empty with a metadata file in it.
  const location = place.kind === 'namespace' ? { location: rest.locations.of(place) } : {}
  return { status: 200, body: { namespace: call.params.namespace, properties: { ...location, ...properties } } }
}

export const namespaceExists: Handler = async (call, rest) => {
  await namespaceAt(call, rest, call.params.namespace)
  return done
}

export const updateProperties: Handler = async (call, rest) => {
  const { removals, updates } = parseBody(UpdateProperties, call.body)
  const [remove, set] = [[...new Set(removals ?? [])], updates ?? {}]
  const twice = remove.find((key) => Object.hasOwn(set, key))
  if (twice !== undefined)
    throw new Failure('REQUEST_INVALID', `the property ${twice} is to be both set and removed`, {
      restStatus: 422,
      restType: 'UnprocessableEntityException',
    })
  const place = await ownNamespace(call, rest)
  may(call, rest, 'alter', place)
  const body = await rest.catalog.updateNamespace(place.catalog, place.namespace, { set, remove })
  return { status: 200, body }
}

export const dropNamespace: Handler = async (call, rest) => {
  const place = await ownNamespace(call, rest)
  may(call, rest, 'drop', place)
  if (!(await rest.catalog.dropNamespace(place.catalog, place.namespace))) throw noNamespace(call.params.namespace)
  return done
}

/** One that can be changed: the environments that the root warehouse nests are made and dropped elsewhere. */
async function ownNamespace(call: Call, rest: Rest) {
  const { place } = await namespaceAt(call, rest, call.params.namespace)
  if (place.kind === 'namespace') return place
  throw new Failure('UNSUPPORTED', `${place.catalog} is an environment and not changed as a namespace`, {
    hint: 'See `boathouse env --help`.',
  })
}

/** @throws NAMESPACE_NOT_FOUND */
export async function namespaceAt(call: Call, rest: Rest, levels: readonly string[]) {
  const place = await call.warehouse.place(levels)
  if (!place) throw noNamespace(levels)
  may(call, rest, 'read', place)
  const properties = place.kind === 'catalog' ? {} : await rest.catalog.namespace(place.catalog, place.namespace)
  if (!properties) throw noNamespace(levels)
  return { place, properties }
}

const noNamespace = (levels: readonly string[]) =>
  new Failure('NAMESPACE_NOT_FOUND', `Namespace does not exist: ${levels.join('.')}`)

/** The names of a kind that lie in a namespace, as clients list them. */
export function listEntries(kind: 'table' | 'view'): Handler {
  return async (call, rest) => {
    const { place } = await namespaceAt(call, rest, call.params.namespace)
    const { after, size } = pageAsked(call.query)
    const names = place.kind === 'catalog' ? [] : await knownNames(call, rest, { ...place, kind, after, size })
    const { items, ...next } = pageOf(names, (name) => name, size)
    const identifiers = items.map((name) => ({ namespace: call.params.namespace, name }))
    return { status: 200, body: { identifiers, ...next } }
  }
}

type Listing = { catalog: string; namespace: string; kind: 'table' | 'view'; after: string | undefined; size: number }
const readAtOnce = 1_000

/** Names that the client may know, as many as it asked for and at least one more if there is one. */
async function knownNames(call: Call, rest: Rest, { catalog, namespace, kind, after, size }: Listing) {
  const known: string[] = []
  let last = after
  while (known.length <= size) {
    const names = await rest.catalog.names(catalog, namespace, { kind, after: last, limit: readAtOnce })
    known.push(...names.filter((name) => knows(call, { catalog, namespace, name })))
    if (names.length < readAtOnce) break
    last = names.at(-1)
  }
  return known
}
