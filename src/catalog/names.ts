// A table's full name. The catalog is the environment: `dev_analytics.raw.sales` is the table `sales` of the namespace
// `raw` in the environment whose catalog is `dev_analytics`.

import { Failure } from '../base/failure.ts'

export type TableName = { catalog: string; namespace: string; name: string }

export const showName = ({ catalog, namespace, name }: TableName): string => `${catalog}.${namespace}.${name}`
export const sameName = (a: TableName, b: TableName): boolean => showName(a) === showName(b)

/** What names may be made of: they become folders and parts of SQL, and every engine has to accept them. */
const legal = /^[A-Za-z0-9_][A-Za-z0-9_ .-]{0,127}$/

/** REQUEST_INVALID unless every part may be used as a folder and in any engine's SQL. Dots would read as separators. */
export function checkName(name: TableName): TableName {
  for (const part of [name.catalog, name.namespace, name.name])
    if (!legal.test(part) || part.includes('.') || part.trim() !== part)
      throw new Failure('REQUEST_INVALID', `"${part}" cannot be part of a table's name`, {
        hint: 'Use letters, digits, underscores and hyphens, at most 128 of them.',
      })
  return name
}
