// What dbt refuses although every file is sound for itself: two nodes that would write one table, snapshots without a
// strategy, contracts without columns.

import { isRecord } from '../../base/record.ts'
import { Failure } from '../../base/failure.ts'
import { isColor } from './colors.ts'
import { behaviourFlag } from './config.ts'
import type { PyDate } from './python/dates.ts'
import { parseTimestamp } from './python/strftime.ts'
import type { Reading } from './reading.ts'
import type { DbtNode } from './types.ts'

export function checkNodes(reading: Reading): void {
  checkUnique(reading)
  checkSpaces(reading)
  checkSwitches(reading)
  for (const node of reading.project.nodes.values()) {
    warnOfTable(reading, node)
    for (const message of problemsOf(node)) {
      const place = node.patch ?? node.place
      reading.failures.push(new Failure('MODEL_INVALID', `${node.kind} "${node.name}" ${message}`, { place }))
    }
  }
}

/** Names with spaces are refused, tests' too, or only told where the project's flag allows them. */
function checkSpaces(reading: Reading): void {
  const { project } = reading
  const flag = 'require_resource_names_without_spaces'
  const isAllowed = behaviourFlag(project, flag) === false
  for (const { kind, name, place, patch } of project.nodes.values()) {
    if (!name.includes(' ')) continue
    const message = `Found spaces in the name of the ${kind} \`${name}\``
    if (isAllowed) reading.warn(message, patch ?? place, { name: 'SpacesInResourceNameDeprecation', code: 'D014' })
    else
      reading.wrong(
        `Resource names cannot contain spaces: ${message}`,
        patch ?? place,
        `Rename it, or set the flag ${flag} to false in dbt_project.yml.`,
      )
  }
  checkSpacesOfOthers(reading)
}

/** Those of sources and semantic models are told, and refused where the project's flag asks for it. */
function checkSpacesOfOthers(reading: Reading): void {
  const { project } = reading
  const isRefused = behaviourFlag(project, 'require_source_and_semantic_model_names_without_spaces') === true
  const named = [
    ...Array.from(project.sources.values(), ({ uniqueId, source, place }) => ({ uniqueId, name: source, place })),
    ...project.semanticModels.values(),
  ]
  const known = new Set<string>()
  for (const { uniqueId, name, place } of named) {
    const id = uniqueId.split('.').slice(0, 3).join('.')
    if (!name.includes(' ') || known.has(id)) continue
    known.add(id)
    const message = `Found spaces in the name of \`${id}\``
    if (isRefused) reading.wrong(`Resource names cannot contain spaces: ${message}`, place)
    else reading.warn(message, place, { name: 'SpacesInResourceNameDeprecation', code: 'D014' })
  }
}

/** dbt-duckdb's `external` writes a file, and DuckDB has no materialized views. */
function warnOfTable(reading: Reading, { kind, name, config, place }: DbtNode): void {
  const as = String(config['materialized'])
  if (kind !== 'model' || (as !== 'external' && as !== 'materialized_view')) return
  const isOwn = reading.project.macros.some(({ macroName }) => macroName.startsWith(`materialization_${as}_`))
  if (!isOwn) reading.warn(`"${name}" is materialized as ${as}: here it is a table`, place)
}

/** Properties may switch on one file of a name, not several that have switched themselves off. */
function checkSwitches(reading: Reading): void {
  const { disabled, nodes } = reading.project
  for (const { from, patch } of reading.patchesOf('models')) {
    const id = `model.${from}.${patch.name}`
    const count = disabled.get(id)?.length ?? 0
    if (count > 1 && patch.config['enabled'] === true && !nodes.has(id))
      reading.wrong(
        `Found ${count} matching disabled nodes for model '${patch.name}'`,
        patch.place,
        'Switch on one of them in its own file, or in dbt_project.yml.',
      )
  }
}

/** Names within a package, and tables within the lake, belong to one node each. */
function checkUnique(reading: Reading): void {
  const { project, failures, root } = reading
  const names = new Map<string, DbtNode>()
  const tables = new Map<string, DbtNode>()
  for (const node of project.nodes.values()) {
    if (node.kind !== 'model' && node.kind !== 'seed' && node.kind !== 'snapshot') continue
    const name = `${node.package}.${node.name}.${node.version ?? ''}`
    const other = names.get(name)
    if (other) {
      const isRefused = root.flags['require_unique_project_resource_names'] === true
      const message = `${node.kind} and ${other.kind} share the name "${node.name}": the other one is ${other.file}`
      if (isRefused) {
        reading.wrong(message, node.place, 'ref() would not know which of them is meant. Rename one.')
        continue
      }
      reading.warn(message, node.place, { name: 'DuplicateNameDistinctNodeTypesDeprecation', code: 'D040' })
    } else names.set(name, node)
    if (node.config['materialized'] === 'ephemeral') continue
    // Those that differ in case alone are told when they are built, as by dbt: a project for another database may have them.
    const table = `${node.database}.${node.schema}.${node.alias}`
    const writer = tables.get(table)
    if (writer) {
      failures.push(
        new Failure(
          'PROJECT_INVALID',
          `dbt found two resources with the database representation "${node.schema}.${node.alias}": "${node.name}" here and "${writer.name}" in ${writer.file}`,
          {
            place: node.place,
            hint: 'Give one of them another alias or schema.',
          },
        ),
      )
    } else tables.set(table, node)
  }
}

function problemsOf(node: DbtNode): string[] {
  const docs = node.config['docs']
  const color = isRecord(docs) ? docs['node_color'] : undefined
  return [
    ...(typeof color === 'string' && !isColor(color)
      ? [
          `has an invalid color name for docs.node_color: ${color}. It is neither a valid HTML color name nor a valid HEX code`,
        ]
      : []),
    ...problemsOfKind(node),
  ]
}

function problemsOfKind(node: DbtNode): string[] {
  switch (node.kind) {
    case 'snapshot':
      return [...mappingProblems(node), ...snapshotProblems(node)]
    case 'model':
      return [...mappingProblems(node), ...modelProblems(node), ...microbatchProblems(node)]
    case 'seed':
      return [
        ...mappingProblems(node),
        ...(node.config['materialized'] === 'seed' ? [] : ["must have a materialized value of 'seed'"]),
      ]
    case 'test':
      return testProblems(node)
    case 'analysis':
      return []
    case 'function':
      return functionProblems(node)
  }
}

function testProblems({ config }: DbtNode): string[] {
  const { materialized, severity } = config
  const found = materialized === 'test' ? [] : ["must have a materialized value of 'test'"]
  if (severity !== undefined && !/^(?:warn|error)$/i.test(String(severity)))
    found.push(`has the severity "${String(severity)}"; it must be warn or error`)
  return found
}

function functionProblems({ config, language }: DbtNode): string[] {
  const { type, volatility } = config
  const found: string[] = []
  if (!['scalar', 'aggregate', 'table'].includes(String(type)))
    found.push(`is of the type "${String(type)}"; it must be scalar, aggregate or table`)
  if (volatility !== null && !['deterministic', 'stable', 'non-deterministic'].includes(String(volatility)))
    found.push(`has the volatility "${String(volatility)}"; it must be deterministic, stable or non-deterministic`)
  if (language === 'javascript') found.push("uses JavaScript, which is not supported on 'duckdb'")
  return found
}

function snapshotProblems({ config }: DbtNode): string[] {
  const { strategy, unique_key: key, check_cols: columns, updated_at: updatedAt } = config
  if (!strategy || !key) return [`needs a ${strategy ? 'unique_key' : key ? 'strategy' : 'strategy and a unique_key'}`]
  const found: string[] = []
  if (strategy === 'check') {
    if (!columns) found.push('has the strategy check and needs check_cols: all, or a list of columns')
    else if (typeof columns === 'string' && columns !== 'all')
      found.push(`has check_cols "${columns}"; it must be all, or a list of columns`)
  } else if (strategy === 'timestamp') {
    if (!updatedAt) found.push('has the strategy timestamp and needs updated_at')
    if (columns) found.push('has the strategy timestamp and check_cols; they exclude each other')
  }
  if (config['materialized'] !== 'snapshot') found.push("must have a materialized value of 'snapshot'")
  const hardDeletes = config['hard_deletes']
  if (hardDeletes !== undefined && hardDeletes !== null) {
    if (config['invalidate_hard_deletes'] !== undefined && config['invalidate_hard_deletes'] !== null)
      found.push('has hard_deletes and invalidate_hard_deletes; keep hard_deletes')
    if (!['ignore', 'invalidate', 'new_record'].includes(String(hardDeletes)))
      found.push(`has hard_deletes "${String(hardDeletes)}"; it must be one of ignore, invalidate, new_record`)
  }
  return found
}

/** `build_after`: how long a model is fresh enough. Nothing is decided by it here. */
function freshnessProblems(freshness: unknown): string[] {
  const after = isRecord(freshness) ? freshness['build_after'] : undefined
  if (!isRecord(after)) return []
  const { count = null, period = null, updates_on: updatesOn = null } = after
  const missing = count === null ? 'count' : 'period'
  if ((count === null) !== (period === null))
    return [
      `is half said: \`freshness.build_after\` must have a value for \`${missing}\` if a \`${count === null ? 'period' : 'count'}\` is provided`,
    ]
  const found: string[] = []
  if (period !== null && !['minute', 'hour', 'day'].includes(String(period)))
    found.push(`has the period "${String(period)}" in freshness.build_after; it must be one of minute, hour, day`)
  if (updatesOn !== null && !['all', 'any'].includes(String(updatesOn)))
    found.push(`has updates_on "${String(updatesOn)}" in freshness.build_after; it must be all or any`)
  return found
}

/** Configs that are mappings: a word in place of one would say nothing, and nobody would hold the contract. */
function mappingProblems({ config }: DbtNode): string[] {
  const { contract = {}, persist_docs: persisted = {}, docs = {} } = config
  const found: string[] = []
  if (!isRecord(contract)) found.push('has a contract that is no mapping: {enforced: true}')
  if (!isRecord(persisted)) found.push('has persist_docs that are no mapping: {relation: true, columns: true}')
  for (const key of ['grants', 'quoting', 'column_types', 'meta'])
    if (config[key] !== null && !isRecord(config[key] ?? {})) found.push(`has ${key} that are no mapping`)
  if (typeof (config['full_refresh'] ?? false) !== 'boolean') found.push('has a full_refresh that is not true or false')
  const show = isRecord(docs) ? (docs['show'] ?? true) : undefined
  if (typeof show !== 'boolean') found.push('has docs without a mapping in which show is true or false')
  return found
}

function modelProblems(node: DbtNode): string[] {
  const { config, columns, constraints } = node
  const found = freshnessProblems(config['freshness'])
  const materialized = config['materialized']
  if (isRecord(materialized) || Array.isArray(materialized)) found.push('has a materialization that is no name')
  if (materialized === 'ephemeral' && node.access === 'public')
    found.push('is public and ephemeral; what others may read needs a table or a view')
  if (node.contract) {
    // Without any properties it is an error of the node alone (transform/contract.ts).
    if (columns.length === 0 && node.patch)
      found.push(
        'has an enforced contract and no columns: Constraints must be defined in a `yml` schema configuration file',
      )
    if (materialized === 'incremental' && !['append_new_columns', 'fail'].includes(String(config['on_schema_change'])))
      found.push(
        `is incremental. Invalid value for on_schema_change: ${String(config['on_schema_change'])}. Models materialized as incremental with contracts enabled must set on_schema_change to 'append_new_columns' or 'fail'`,
      )
  }
  const keys = columns.filter((column) => column.constraints.some(({ type }) => type === 'primary_key'))
  if (keys.length > 1)
    found.push(
      `has a key twice: Found ${keys.length} columns ([${keys.map(({ name }) => `'${name}'`).join(', ')}]) with primary key constraints defined; a key of several columns is a constraint of the model`,
    )
  if (keys.length > 0 && constraints.some(({ type }) => type === 'primary_key'))
    found.push('has a key twice: Primary key constraints defined at the model level and the columns level; keep one')
  return [...found, ...timeSpineProblems(node)]
}

function timeSpineProblems({ timeSpine, columns }: DbtNode): string[] {
  if (!timeSpine) return []
  const name = timeSpine['standard_granularity_column']
  const column = columns.find((each) => each.name === name)
  if (!column) return [`is a time spine, but "${String(name)}" is none of its columns`]
  if (column.granularity === undefined) return [`is a time spine, and its column "${column.name}" needs a granularity`]
  const custom = Array.isArray(timeSpine['custom_granularities'])
    ? timeSpine['custom_granularities'].filter(isRecord)
    : []
  const missing = custom
    .map((each) => String(each['column_name'] ?? each['name']))
    .filter((each) => !columns.some((known) => known.name === each))
  return missing.length === 0 ? [] : [`is a time spine, and has no column ${missing.join(', ')}`]
}

const momentOf = (value: unknown): PyDate | undefined => {
  try {
    return typeof value === 'string' ? parseTimestamp(value) : undefined
  } catch {
    return undefined // no such day
  }
}

const batchSizes = ['hour', 'day', 'month', 'year']

function microbatchProblems({ config }: DbtNode): string[] {
  if (config['materialized'] !== 'incremental' || config['incremental_strategy'] !== 'microbatch') return []
  const { event_time: eventTime, begin, batch_size: size, lookback, concurrent_batches: concurrent } = config
  const found: string[] = []
  const needs = (key: string, what: string) =>
    found.push(`is incremental by microbatch and must provide ${/^[aeiou]/.test(key) ? 'an' : 'a'} '${key}': ${what}`)
  if (typeof eventTime !== 'string') needs('event_time', 'the name of a column')
  const first = momentOf(begin)
  if (begin === null || begin === undefined) needs('begin', 'the first point in time')
  else if (!first) needs('begin', `a date such as 2026-01-31, not "${String(begin as number)}"`)
  else config['begin'] = first.iso()
  if (!batchSizes.includes(String(size))) needs('batch_size', `one of ${batchSizes.join(', ')}`)
  if (lookback !== null && lookback !== undefined && !Number.isInteger(lookback)) needs('lookback', 'a whole number')
  if (concurrent !== null && concurrent !== undefined && typeof concurrent !== 'boolean')
    needs('concurrent_batches', 'true or false')
  return found
}
