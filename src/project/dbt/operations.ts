// `on-run-start` and `on-run-end`: statements that are rendered when they run; here is found out what they read.

import { fileChecksum } from './checksum.ts'
import { parseSql } from './calls.ts'
import { configOf, hooksOf } from './config.ts'
import type { Reading } from './reading.ts'
import { findRef, findSource, nodesByName, searchOrder } from './references.ts'
import { RelationNames } from './relation-names.ts'
import type { DbtOperation, DbtPackage } from './types.ts'
import { gathering } from './yaml-file.ts'

/** In the order in which dbt runs them: the project's own, then those of the packages by name. */
export async function readOperations(reading: Reading): Promise<void> {
  const names = new RelationNames(reading)
  const others = reading.packages.filter((one) => one !== reading.root)
  const packages = [reading.root, ...others.toSorted((a, b) => (a.name < b.name ? -1 : 1))]
  for (const from of packages) {
    const { onRunStart, onRunEnd } = from.hooks
    if (onRunStart.length + onRunEnd.length === 0) continue
    const checksum = fileChecksum(await reading.files.text(from.file))
    const add = (when: DbtOperation['when']) => (sql: string, index: number) =>
      addOperation(reading, names, from, { when, sql, index, checksum })
    onRunStart.forEach(add('on-run-start'))
    onRunEnd.forEach(add('on-run-end'))
  }
}

function addOperation(
  reading: Reading,
  names: RelationNames,
  from: DbtPackage,
  { when, sql, index, checksum }: Pick<DbtOperation, 'when' | 'sql' | 'index' | 'checksum'>,
): void {
  const name = `${from.name}-${when}-${index}`
  const place = from.hooks.places[when][index] ?? { file: from.file }
  const before = reading.failures.length
  const text = { package: from, root: '', file: from.file, text: sql, at: { line: place.line ?? 1, column: 1 } }
  const parsed = parseSql(reading, text, 'operation', name)
  for (const [at, failure] of reading.failures.entries()) {
    if (at >= before) reading.failures[at] = failure.with({ message: `${when}: ${failure.message}`, place })
  }
  const { project } = reading
  const byName = nodesByName(project)
  const parents = [
    ...(parsed?.refs ?? []).map((ref) => findRef(byName, ref, searchOrder(project, from.name))),
    ...(parsed?.sources ?? []).map((call) => findSource(project, call, from.name)),
  ]
  const { config, unrendered } = configOf('operation', [from.name, 'hooks', name], [], { from, root: reading.root })
  // As a model in its place would be: that of a package that is switched off does not run.
  if (config['enabled'] === false) return
  for (const key of ['pre-hook', 'post-hook'] as const)
    config[key] = hooksOf(config, key, place).map((hook) => ({
      sql: hook.sql,
      transaction: hook.transaction,
      index: null,
    }))
  const operation: DbtOperation = {
    uniqueId: `operation.${from.name}.${name}`,
    name,
    package: from.name,
    when,
    index,
    sql,
    checksum,
    config,
    unrenderedConfig: unrendered,
    macros: [...(parsed?.macros ?? [])],
    dependsOn: [...new Set(parents.flatMap((parent) => parent?.uniqueId ?? []))],
    file: from.file,
    place,
    database: project.target.database,
    schema: project.target.schema,
    alias: name,
  }
  gathering(reading.failures, () => names.nameOperation(operation))
  project.operations.set(operation.uniqueId, operation)
}
