// Pointers that last as long as the process. Each call takes effect at once, at the moment it is made.

import { namespacesAbove, showName, type TableName } from './names.ts'
import {
  namespaceMissing,
  namespaceNotEmpty,
  pageOfNames,
  propertiesChanged,
  swapConflict,
  type Pointer,
  type Pointers,
} from './pointers.ts'

export function memoryPointers(): Pointers {
  const entries = new Map<string, Pointer>()
  const declared = new Map<string, Map<string, Record<string, string>>>()
  const declaredIn = (catalog: string) => declared.get(catalog) ?? new Map<string, Record<string, string>>()

  const list = (catalog: string, namespace?: string) =>
    [...entries.values()]
      .filter(({ name }) => name.catalog === catalog && (namespace === undefined || name.namespace === namespace))
      .sort((a, b) => (showName(a.name) < showName(b.name) ? -1 : 1))

  function namespaces(catalog: string): string[] {
    const own = [...declaredIn(catalog).keys(), ...list(catalog).map(({ name }) => name.namespace)]
    return [...new Set(own.flatMap((one) => [...namespacesAbove(one), one]))].sort()
  }

  function declare(catalog: string, namespace: string, properties: Record<string, string>) {
    declared.set(catalog, declaredIn(catalog).set(namespace, properties))
  }

  return {
    async catalogs() {
      return [...declared.keys()].sort()
    },
    async namespaces(catalog) {
      return namespaces(catalog)
    },
    async namespace(catalog, namespace) {
      return namespaces(catalog).includes(namespace) ? { ...declaredIn(catalog).get(namespace) } : undefined
    },
    async createNamespace(catalog, namespace, properties = {}) {
      if (declaredIn(catalog).has(namespace)) return false
      declare(catalog, namespace, { ...properties })
      return true
    },
    async updateNamespace(catalog, namespace, change) {
      if (!namespaces(catalog).includes(namespace)) throw namespaceMissing(catalog, namespace)
      const before = declaredIn(catalog).get(namespace) ?? {}
      const changed = propertiesChanged(before, change)
      const kept = Object.entries(before).filter(([key]) => !changed.removed.includes(key))
      declare(catalog, namespace, { ...Object.fromEntries(kept), ...change.set })
      return changed
    },
    async dropNamespace(catalog, namespace) {
      if (!namespaces(catalog).includes(namespace)) return false
      const hasChild = namespaces(catalog).some((one) => one.startsWith(`${namespace}.`))
      if (hasChild || list(catalog, namespace).length > 0) throw namespaceNotEmpty(catalog, namespace)
      declaredIn(catalog).delete(namespace)
      return true
    },
    async list(catalog, namespace) {
      return list(catalog, namespace)
    },
    async names(catalog, namespace, page) {
      const found = list(catalog, namespace).filter(({ kind }) => kind === page.kind)
      return pageOfNames(
        found.map(({ name }) => name.name),
        page,
      )
    },
    async pointer(name: TableName) {
      return entries.get(showName(name))
    },
    async pointers(names) {
      return names.flatMap((name) => entries.get(showName(name)) ?? [])
    },
    async pointersTo(locations) {
      return [...entries.values()].filter(({ location }) => locations.includes(location))
    },
    async swap(swaps) {
      const next = new Map(entries)
      for (const swap of swaps) {
        const { name, kind, from, to, namespaceMustExist } = swap
        const key = showName(name)
        if ((next.get(key)?.location ?? null) !== from) throw swapConflict(swap)
        if (from === null && namespaceMustExist && !namespaces(name.catalog).includes(name.namespace))
          throw namespaceMissing(name.catalog, name.namespace)
        if (to === null) next.delete(key)
        else next.set(key, { name, kind, location: to })
      }
      entries.clear()
      for (const [key, pointer] of next) entries.set(key, pointer)
    },
  }
}
