// Statements that mean something only between others: where a transaction begins and ends, which schema plain names mean, what
// is prepared.

import { parsePrepared, type PreparedControl } from './prepared.ts'
import { Reader } from './reader.ts'

export type Isolation = 'snapshot' | 'serializable'
export type Control =
  | { kind: 'begin'; isolation: Isolation; readOnly: boolean }
  | { kind: 'commit' | 'rollback' }
  | { kind: 'savepoint' | 'rollback-to' | 'release'; name: string }
  | { kind: 'use'; catalog: string | undefined; namespace: string }
  | PreparedControl

/** Undefined when the text is none of these. @throws SQL_INVALID when it begins like one */
export function parseControl(sql: string): Control | undefined {
  const reader = new Reader(sql)
  if (reader.take('begin')) {
    takeNoise(reader)
    return begin(reader)
  }
  if (reader.take('start', 'transaction')) return begin(reader)
  if (reader.take('commit') || reader.take('end')) {
    takeNoise(reader)
    return ended(reader, { kind: 'commit' })
  }
  if (reader.take('rollback') || reader.take('abort')) {
    takeNoise(reader)
    if (!reader.take('to')) return ended(reader, { kind: 'rollback' })
    reader.take('savepoint')
    return ended(reader, { kind: 'rollback-to', name: reader.identifier('a savepoint') })
  }
  if (reader.take('savepoint')) return ended(reader, { kind: 'savepoint', name: reader.identifier('a savepoint') })
  if (reader.take('release')) {
    reader.take('savepoint')
    return ended(reader, { kind: 'release', name: reader.identifier('a savepoint') })
  }
  if (reader.take('use')) {
    // Spark says what it is.
    for (const word of ['schema', 'namespace', 'database'])
      if (reader.sees(word) && reader.isNamedAfter(1)) reader.take(word)
    const parts = reader.name('a schema')
    if (parts.length > 2) throw reader.invalid('expected a schema')
    return ended(reader, {
      kind: 'use',
      catalog: parts.length === 2 ? parts[0] : undefined,
      namespace: parts.at(-1)!,
    })
  }
  return parsePrepared(reader)
}

const takeNoise = (reader: Reader) => reader.take('transaction') || reader.take('work')

function begin(reader: Reader): Control {
  let isolation: Isolation = 'snapshot'
  let readOnly = false
  while (!reader.takeSymbol(';') && !reader.isAtEnd()) {
    if (reader.take('isolation', 'level')) {
      if (reader.take('serializable')) isolation = 'serializable'
      // What is promised is more than these ask for.
      else if (!reader.take('repeatable', 'read') && !reader.take('read', 'committed') && !reader.take('snapshot'))
        reader.expect('SERIALIZABLE, SNAPSHOT, REPEATABLE READ or READ COMMITTED', 'read', 'uncommitted')
    } else if (reader.take('read', 'only')) readOnly = true
    else if (reader.take('read', 'write')) readOnly = false
    else if (!reader.take('deferrable') && !reader.take('not', 'deferrable') && !reader.takeSymbol(','))
      throw reader.invalid('expected ISOLATION LEVEL, READ ONLY or READ WRITE')
  }
  return { kind: 'begin', isolation, readOnly }
}

function ended<Read extends Control>(reader: Reader, control: Read): Read {
  reader.takeSymbol(';')
  reader.end()
  return control
}
