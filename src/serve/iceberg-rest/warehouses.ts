// Which part of the lake a client sees. An environment is a warehouse with namespaces of one level, so that its tables
// can be named in SQL; other warehouses nest as they like; the root warehouse, which a client gets that names none,
// holds all of them, each as a first level.

import { Failure } from '../../base/failure.ts'
import { levelsOf, namespaceOf, type Catalog } from '../../catalog/index.ts'
import type { IcebergRestSettings } from './deps.ts'

/** What the levels of a namespace mean: a catalog of the root warehouse, a namespace, or nothing that can be. */
export type Place = { kind: 'catalog'; catalog: string } | { kind: 'namespace'; catalog: string; namespace: string }

export type Warehouse = {
  /** In the path of a request, as the client asked for it; undefined for the root warehouse, whose paths have none. */
  prefix: string | undefined
  /** The catalog that it is; undefined for the root warehouse, where catalogs are the first level. */
  catalog: string | undefined
  place(levels: readonly string[]): Promise<Place | undefined>
  /** The levels that a client of this warehouse knows the namespace by. */
  levelsOf(at: { catalog: string; namespace: string }): string[]
  /** Catalogs that are the first level; undefined when there is only one catalog and it has no level. */
  catalogs(): Promise<string[]> | undefined
}

export type Warehouses = {
  /** By `?warehouse=`: the name of an environment, of its catalog, of another warehouse, or of the project. */
  named(name: string | undefined): Promise<Warehouse>
  /** By the prefix in a path. @throws NOT_FOUND */
  prefixed(prefix: string | undefined): Promise<Warehouse>
  /** What may be done where: how `govern` knows the environment of a catalog. */
  environmentOf(catalog: string): { name: string; protected: boolean; named: boolean } | undefined
}

export function openWarehouses(catalog: Pick<Catalog, 'catalogs'>, settings: IcebergRestSettings): Warehouses {
  const { environments, name: rootName, warehouses, protectedWrites } = settings
  // Looked up each time: forks come and go while the server runs.
  const isFlat = (name: string) => environments.some((one) => one.catalog === name)

  async function all(): Promise<string[]> {
    return [
      ...new Set([...environments.map((one) => one.catalog), ...warehouses, ...(await catalog.catalogs())]),
    ].sort()
  }

  function one(name: string, prefix = name): Warehouse {
    return {
      prefix,
      catalog: name,
      place: async (levels) =>
        levels.length === 0 || (isFlat(name) && levels.length > 1)
          ? undefined
          : { kind: 'namespace', catalog: name, namespace: namespaceOf(levels) },
      levelsOf: ({ namespace }) => levelsOf(namespace),
      catalogs: () => undefined,
    }
  }

  const root: Warehouse = {
    prefix: undefined,
    catalog: undefined,
    async place([first, ...levels]) {
      if (first === undefined || !(await all()).includes(first)) return undefined
      if (levels.length === 0) return { kind: 'catalog', catalog: first }
      return one(first).place(levels)
    },
    levelsOf: ({ catalog: first, namespace }) => [first, ...levelsOf(namespace)],
    catalogs: all,
  }

  async function known(name: string): Promise<Warehouse> {
    const environment = environments.find((entry) => entry.name === name)
    if (environment) return one(environment.catalog, name)
    if (isFlat(name) || warehouses.includes(name) || (await catalog.catalogs()).includes(name)) return one(name)
    throw new Failure('NOT_FOUND', `Warehouse does not exist: ${name}`, { restType: 'NoSuchWarehouseException' })
  }

  return {
    async named(name) {
      if (name === undefined || name === '') return root
      const isOther = environments.some((entry) => entry.name === name) || (await all()).includes(name)
      return name === rootName && !isOther ? root : known(name)
    },
    prefixed: async (prefix) => (prefix === undefined ? root : known(prefix)),
    environmentOf(name) {
      const found = environments.find((entry) => entry.catalog === name)
      return found && { name: found.name, protected: found.protected, named: protectedWrites }
    },
  }
}
