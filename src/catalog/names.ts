// A table's full name. The catalog is the environment: `dev_analytics.raw.sales` is the table `sales` of the namespace
// `raw` in the environment whose catalog is `dev_analytics`.
//
// A namespace of several levels is one text, its levels joined by dots, as Iceberg's JDBC catalog stores it. A dot
// inside a level is written `%2E` and a percent sign `%25`, so that the text has one meaning.

import { randomBytes } from 'node:crypto'
import { Failure } from '../base/failure.ts'
import { metadataTableName } from '../iceberg/index.ts'

export type TableName = { catalog: string; namespace: string; name: string }

/**
 * One text for one name: rights are decided by the parts and tables are found by this text, so `raw.sub` with `t` and `raw`
 * with `sub.t` must differ in it.
 */
export const showName = ({ catalog, namespace, name }: TableName): string =>
  `${shownPart(catalog)}.${namespace}.${shownPart(name)}`
const shownPart = (part: string) => (/[."]/.test(part) ? `"${part.replaceAll('"', '""')}"` : part)
export const sameName = (a: TableName, b: TableName): boolean => showName(a) === showName(b)

/** `levelsOf('a.b%2Ec')` is `['a', 'b.c']`. */
export const levelsOf = (namespace: string): string[] =>
  namespace.split('.').map((level) => level.replace(/%(2E|25)/g, (_, code) => (code === '2E' ? '.' : '%')))

/** The text that `levelsOf` reads back. */
export const namespaceOf = (levels: readonly string[]): string =>
  levels.map((level) => level.replaceAll('%', '%25').replaceAll('.', '%2E')).join('.')

/** The namespaces above this one, outermost first: `['a', 'a.b']` of `a.b.c`. */
export function namespacesAbove(namespace: string): string[] {
  const parts = namespace.split('.')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('.'))
}

/** What schemas and environments may be called. */
const plain = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_ -]*$/u
/** Behind a dollar sign these are what is known of a table: `sales$files`. */
const about = /^.*\$(.*)$/s
const bytesMax = 255
/** What is read under these names is ours, so a table of somebody else would be seen by nobody. */
const ownTable = /^system\.(?:audit|queries)$/i
export const isSystemSchema = (namespace: string): boolean => /^(?:information_schema|pg_catalog)$/i.test(namespace)

/** REQUEST_INVALID unless a table may be made that is called so: every engine can write the name between quotes, and a grant means it alone. */
export function checkName(full: TableName): TableName {
  const { catalog, namespace, name } = full
  for (const level of [namespace, catalog])
    if (!plain.test(level) || !isShort(level))
      throw new Failure('REQUEST_INVALID', `"${level}" cannot be the name of a schema`, {
        hint: `Use letters, digits, underscores, hyphens and blanks, at most ${bytesMax} bytes of them.`,
      })
  if (isSystemSchema(namespace) || ownTable.test(`${namespace}.${name}`))
    throw new Failure(
      'REQUEST_INVALID',
      `${JSON.stringify(name)} cannot be the name of a table in ${namespace}: what is read there tells of the lake`,
      { hint: 'Choose another schema.' },
    )
  const what = about.exec(name)?.[1]
  const isAbout = what !== undefined && (metadataTableName(what) !== undefined || what.toLowerCase() === 'changes')
  if (name === '' || name === '.' || name === '..' || isAbout || /[*\p{Cc}\p{Cs}]/u.test(name) || !isShort(name))
    throw new Failure('REQUEST_INVALID', `${JSON.stringify(name.slice(0, 300))} cannot be the name of a table`, {
      hint: `Names have 1 to ${bytesMax} bytes, no control characters or asterisks and no blanks around them; "." and ".." are none, and what ends like $files or $changes says what is known of a table.`,
    })
  return full
}

const isShort = (name: string) => name.trim() === name && Buffer.byteLength(name) <= bytesMax

/** Names hold what paths and URIs do not: every engine spells them differently, so they keep only what all agree on. */
export const folderName = (name: string): string => name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 80)

/** A table that is dropped and made again does not meet its old files. */
export const freshFolder = (name: string): string => `${folderName(name)}-${randomBytes(4).toString('hex')}`

/** Columns of the JDBC layout are `varchar(255)`; locations and the values of namespace properties `varchar(1000)`. */
const [nameLengthMax, longLengthMax] = [255, 1_000]

/**
 * REQUEST_INVALID unless the name can be stored. Wider than `checkName`: other engines name tables as they like, only
 * control characters and what a path would swallow are refused.
 */
export function checkStorable(...parts: readonly string[]): void {
  for (const part of parts)
    if (part === '' || part === '.' || part === '..' || part.length > nameLengthMax || /\p{Cc}/u.test(part))
      throw new Failure('REQUEST_INVALID', `${JSON.stringify(part.slice(0, 300))} cannot be a name`, {
        hint: `Names have 1 to ${nameLengthMax} characters and no control characters; "." and ".." are none.`,
      })
}

/** REQUEST_INVALID when a location or a property's value is longer than the records hold. */
export function checkLength(what: string, text: string): void {
  if (text.length > longLengthMax)
    throw new Failure(
      'REQUEST_INVALID',
      `${what} has ${text.length} characters, at most ${longLengthMax} can be stored`,
    )
}
