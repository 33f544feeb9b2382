// `on-run-start` and `on-run-end`: statements that are rendered when they run; here is found out what they read.

import { Failure } from '../../base/failure.ts'
import { parseSql } from './calls.ts'
import { configOf, hooksOf } from './config.ts'
import { macrosOf } from './nodes.ts'
import type { Reading } from './reading.ts'
import { findSource, nodesByName, pickRef, searchOrder } from './references.ts'
import type { DbtOperation, DbtPackage } from './types.ts'

/** In the order in which dbt runs them: the project's own, then those of the packages by name. */
export function readOperations(reading: Reading): void {
  const others = reading.packages.filter((one) => one !== reading.root)
  const packages = [reading.root, ...others.toSorted((a, b) => (a.name < b.name ? -1 : 1))]
  for (const from of packages) {
    from.hooks.onRunStart.forEach((sql, index) => addOperation(reading, from, 'on-run-start', sql, index))
    from.hooks.onRunEnd.forEach((sql, index) => addOperation(reading, from, 'on-run-end', sql, index))
  }
}

function addOperation(
  reading: Reading,
  from: DbtPackage,
  when: DbtOperation['when'],
  sql: string,
  index: number,
): void {
  const name = `${from.name}-${when}-${index}`
  const place = from.hooks.places[when][index] ?? { file: from.file }
  const before = reading.failures.length
  const text = { package: from, root: '', file: from.file, text: sql, at: { line: place.line ?? 1, column: 1 } }
  const parsed = parseSql(reading, text, 'operation', name)
  for (const [at, failure] of reading.failures.entries()) {
    if (at >= before)
      reading.failures[at] = new Failure(failure.code, `${when}: ${failure.message}`, { place, hint: failure.hint })
  }
  const { project } = reading
  const byName = nodesByName(project)
  const parents = [
    ...(parsed?.refs ?? []).map((ref) => pickRef(byName.get(ref.name) ?? [], ref, searchOrder(project, from.name))),
    ...(parsed?.sources ?? []).map((call) => findSource(project, call, from.name)),
  ]
  const { config } = configOf('analysis', [from.name, 'hooks', name], [], { from, root: reading.root })
  for (const key of ['pre-hook', 'post-hook'] as const)
    config[key] = hooksOf(config, key, place).map((hook) => ({
      sql: hook.sql,
      transaction: hook.transaction,
      index: null,
    }))
  project.operations.set(`operation.${from.name}.${name}`, {
    uniqueId: `operation.${from.name}.${name}`,
    name,
    package: from.name,
    when,
    index,
    sql,
    config,
    macros: macrosOf(reading, from, parsed?.called ?? []),
    dependsOn: [...new Set(parents.flatMap((parent) => parent?.uniqueId ?? []))],
    file: from.file,
    place,
  })
}
