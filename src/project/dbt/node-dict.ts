// Nodes and sources as dbt writes them down: `model` and `graph` in templates, and the entries of manifest.json.

import { hash } from 'node:crypto'
import { isRecord } from '../../base/record.ts'
import { jsonArguments } from './python/yaml-values.ts'
import { Dict, fromJs, repr } from '../../jinja/index.ts'
import { tagsOf } from './config.ts'
import {
  exposureValue,
  groupValue,
  metricValue,
  packageFile,
  refValues,
  savedQueryValue,
  semanticModelValue,
  unitTestValue,
  versionValue,
} from './entry-dict.ts'
import { functionValue } from './functions.ts'
import type { Quoting } from './relation.ts'
import type {
  ColumnSpec,
  Config,
  Constraint,
  DbtNode,
  DbtOperation,
  DbtProject,
  DbtSource,
  FunctionCall,
} from './types.ts'

const constraintDict = (one: Constraint, isOfModel: boolean): Config => ({
  type: one.type,
  name: one.name ?? null,
  expression: one.expression ?? null,
  warn_unenforced: one.warnUnenforced,
  warn_unsupported: one.warnUnsupported,
  to: one.to ?? null,
  to_columns: one.toColumns,
  ...(isOfModel && { columns: one.columns }),
})

const columnsDict = (columns: readonly ColumnSpec[]): Config =>
  Object.fromEntries(
    columns.map((column) => [
      column.name,
      {
        name: column.name,
        description: column.description,
        meta: column.meta,
        data_type: column.dataType ?? null,
        constraints: column.constraints.map((each) => constraintDict(each, false)),
        quote: column.quote ?? null,
        config: { ...column.config, meta: column.meta, tags: column.tags },
        tags: column.tags,
        granularity: column.granularity ?? null,
        dimension: elementDict(column, 'dimension'),
        entity: elementDict(column, 'entity'),
        doc_blocks: column.docBlocks,
        ...column.others,
      },
    ]),
  )

/** A column as dimension or entity of the semantic layer, in the order of dbt's fields. */
function elementDict(column: ColumnSpec, as: 'dimension' | 'entity'): unknown {
  const written = column[as]
  if (!isRecord(written)) return written ?? null
  const { name, type, description, label, is_partition: isPartition, config, validity_params: validity } = written
  return {
    name: name ?? column.name,
    type,
    description: description ?? column.description,
    label: label ?? null,
    ...(as === 'dimension' && { is_partition: isPartition === true }),
    config: config ?? {},
    ...(as === 'dimension' && {
      validity_params: isRecord(validity) ? { is_start: false, is_end: false, ...validity } : null,
    }),
  }
}

/** The name in SQL, quoted as the project wants it. */
function relationName(path: Readonly<Record<keyof Quoting, string>>, quoting: Quoting): string {
  const parts = (['database', 'schema', 'identifier'] as const).map((part) =>
    quoting[part] ? `"${path[part]}"` : path[part],
  )
  return parts.join('.')
}

/** Null for what has no table of its own. */
export function relationNameOf(node: DbtNode): string | null {
  const { config, database, schema, alias, quoting } = node
  const isStored = node.kind === 'test' ? node.storesFailures === true : node.kind !== 'analysis'
  if (!isStored || (node.kind === 'model' && config['materialized'] === 'ephemeral')) return null
  return relationName({ database, schema, identifier: alias }, quoting)
}

export function sourceRelationName(source: DbtSource): string {
  const { database, schema, identifier, quoting } = source
  return externalLocation(source) ?? relationName({ database, schema, identifier }, quoting)
}

/** Where dbt-duckdb finds a source that is no table: `'data/{name}.parquet'`, names of the source put in. */
export function externalLocation(source: DbtSource): string | undefined {
  const meta = (source.config['meta'] ?? {}) as Config
  const known = { ...source.sourceMeta, ...meta, ...source.config }
  const location = known['external_location']
  if (typeof location !== 'string') return undefined
  const names: Config = {
    ...known,
    name: source.name,
    identifier: source.identifier,
    schema: source.schema,
    database: source.database,
  }
  const text = location.replace(/\{(\w+)\}/g, (whole, name: string) => String(names[name] ?? whole))
  return text.includes('(') || text.startsWith("'") ? text : `'${text}'`
}

/** What a node of any kind has before it is compiled, as plain values. */
export function nodeValue(node: DbtNode): Config {
  return {
    database: node.database,
    schema: node.schema,
    name: node.name,
    resource_type: node.kind,
    package_name: node.package,
    path: node.path,
    original_file_path: node.fileInPackage,
    unique_id: node.uniqueId,
    fqn: node.fqn,
    alias: node.alias,
    checksum: node.checksum,
    config: node.config,
    tags: node.tags,
    description: node.description,
    columns: columnsDict(node.columns),
    meta: node.config['meta'] ?? {},
    group: node.group ?? null,
    docs: node.config['docs'] ?? { show: true, node_color: null },
    patch_path: node.patch?.file === undefined ? null : `${node.package}://${patchFile(node)}`,
    unrendered_config: node.unrenderedConfig,
    relation_name: relationNameOf(node),
    raw_code: node.rawSql,
    build_path: null,
    doc_blocks: node.docBlocks,
    ...(node.kind === 'seed' ? { depends_on: { macros: node.macros } } : compiledValue(node)),
    ...(node.kind === 'model' && modelValue(node)),
    ...(node.kind === 'function' && functionValue(node)),
    ...(node.test?.kind === 'generic' && testValue(node)),
  }
}

/** The file of the properties, below the folder of the package. */
function patchFile({ patch, file, fileInPackage }: DbtNode): string {
  const folder = file.slice(0, file.length - fileInPackage.length)
  return patch!.file!.startsWith(folder) ? patch!.file!.slice(folder.length) : patch!.file!
}

const namesOf = ({ name, package: from }: FunctionCall): string[] => (from === undefined ? [name] : [from, name])

const compiledValue = (node: DbtNode): Config => ({
  language: node.language,
  refs: refValues(node.refs),
  sources: node.sources.map(({ source, table }) => [source, table]),
  metrics: node.metrics.map(namesOf),
  functions: node.functions.map(namesOf),
  depends_on: { macros: node.macros, nodes: node.dependsOn },
  compiled_path: null,
  contract: { enforced: node.contract, alias_types: true, checksum: contractChecksum(node) },
})

/** Changes when a promised column does: dbt's own, so that contracts can be held against those of a manifest of dbt. */
function contractChecksum({ contract, columns, constraints, config }: DbtNode): string | null {
  if (!contract) return null
  const byName = columns.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const promised = byName.map(({ name, dataType, constraints: own }) => {
    return `|${name}${dataType ?? 'None'}${shownAll(own, 'Column')}`
  })
  const isEnforced = config['materialized'] === 'table' || config['materialized'] === 'incremental'
  const ofModel = isEnforced ? `${String(config['materialized'])}${shownAll(constraints, 'Model')}` : ''
  return hash('sha256', promised.join('') + ofModel)
}

/** As Python shows dbt's own objects. */
function shownAll(constraints: readonly Constraint[], level: 'Column' | 'Model'): string {
  const shown = constraints.map((one) => {
    const { type, ...others } = constraintDict(one, level === 'Model')
    const parts = Object.entries(others).map(([name, value]) => `${name}=${repr(fromJs(value))}`)
    return `${level}LevelConstraint(type=<ConstraintType.${one.type}: ${repr(type)}>, ${parts.join(', ')})`
  })
  return `[${shown.join(', ')}]`
}

/** A day is its first moment. */
const instantOf = (text: string): string =>
  /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00+00:00` : text.replace(/^(\S+) (?=\d)/, '$1T')

const modelValue = (node: DbtNode): Config => ({
  access: node.access,
  constraints: node.constraints.map((each) => constraintDict(each, true)),
  version: versionValue(node.version),
  latest_version: versionValue(node.latestVersion),
  deprecation_date: node.deprecationDate === undefined ? null : instantOf(node.deprecationDate),
  time_spine: node.timeSpine === undefined ? null : timeSpineDict(node.timeSpine),
})

const timeSpineDict = ({ standard_granularity_column: column, custom_granularities: custom }: Config): Config => ({
  standard_granularity_column: column,
  custom_granularities: Array.isArray(custom)
    ? custom.filter(isRecord).map(({ name, column_name: of }) => ({ name, column_name: of ?? null }))
    : [],
})

function testValue(node: DbtNode): Config {
  if (node.test?.kind !== 'generic') return {}
  const { name, kwargs, namespace, columnName, of, attachedTo } = node.test
  return {
    column_name: columnName ?? null,
    // The entry of YAML that the test stands in.
    file_key_name: 'source' in of ? `sources.${of.source}` : `${of.section}.${of.name}`,
    // dbt looks for it in the test's own package.
    attached_node: 'name' in of && attachedTo?.split('.')[1] === node.package ? attachedTo : null,
    test_metadata: { name, kwargs: jsonArguments(kwargs), namespace: namespace ?? null },
  }
}

export function sourceValue(source: DbtSource, fileInPackage: string): Config {
  const { database, schema, identifier, written } = source
  return {
    database,
    schema,
    name: source.name,
    resource_type: 'source',
    package_name: source.package,
    path: fileInPackage,
    original_file_path: fileInPackage,
    unique_id: source.uniqueId,
    fqn: source.fqn,
    source_name: source.source,
    source_description: source.sourceDescription,
    loader: source.loader,
    identifier,
    quoting: {
      database: written.quoting['database'] ?? null,
      schema: written.quoting['schema'] ?? null,
      identifier: written.quoting['identifier'] ?? null,
      column: written.quoting['column'] ?? null,
    },
    loaded_at_field: source.loadedAtField ?? null,
    loaded_at_query: source.loadedAtQuery ?? null,
    freshness: source.config['freshness'] ?? null,
    external: source.external ?? null,
    description: source.description,
    columns: columnsDict(source.columns),
    meta: source.config['meta'] ?? {},
    source_meta: source.sourceMeta,
    tags: source.tags,
    config: source.config,
    patch_path: null,
    unrendered_config: source.unrenderedConfig,
    relation_name: sourceRelationName(source),
    doc_blocks: source.docBlocks,
  }
}

/** Operations are nodes as well, with what dbt_project.yml says of all models. */
export function operationValue(operation: DbtOperation): Config {
  const { name, package: from, sql, when, index, config, database, schema, alias } = operation
  const path = `hooks/${name}.sql`
  return {
    database,
    schema,
    name,
    resource_type: 'operation',
    package_name: from,
    path,
    original_file_path: './dbt_project.yml',
    unique_id: operation.uniqueId,
    fqn: [from, 'hooks', name],
    alias,
    checksum: operation.checksum,
    config,
    tags: [...new Set([when, ...tagsOf(config)])],
    description: '',
    columns: {},
    meta: config['meta'] ?? {},
    group: null,
    docs: config['docs'] ?? { show: true, node_color: null },
    patch_path: null,
    build_path: null,
    unrendered_config: operation.unrenderedConfig,
    relation_name: null,
    raw_code: sql,
    doc_blocks: [],
    language: 'sql',
    refs: [],
    sources: [],
    metrics: [],
    functions: [],
    depends_on: { macros: operation.macros, nodes: operation.dependsOn },
    compiled_path: null,
    contract: { enforced: false, alias_types: true, checksum: null },
    index,
  }
}

/** `model`: the node with the names that only templates have. */
export const nodeDict = (node: DbtNode): Dict => fromJs(templateValue(node)) as Dict

/** For a macro that is called at once and asks for a few of its values: to make all of them takes longer than most macros. */
export const nodeDictForNow = (node: DbtNode): Dict => Dict.lazily(templateValue(node))

const templateValue = (node: DbtNode) => ({ ...nodeValue(node), identifier: node.alias, raw_sql: node.rawSql })

/** `graph`. Made once for a project, since a template may walk all of it. */
export function graphDict(project: DbtProject): Dict {
  const known = graphs.get(project)
  if (known) return known
  const dicts = <One extends { uniqueId: string }>(map: ReadonlyMap<string, One>, value: (one: One) => unknown) =>
    new Dict(Array.from(map.values(), (one) => [one.uniqueId, fromJs(value(one))] as const))
  const ofKind = (holds: (kind: DbtNode['kind']) => boolean) =>
    new Dict(
      [...project.nodes.values()].flatMap((node) =>
        holds(node.kind) ? [[node.uniqueId, nodeDict(node)] as const] : [],
      ),
    )
  const withOperations = (nodes: Dict) => {
    for (const one of project.operations.values()) nodes.set(one.uniqueId, fromJs(operationValue(one)))
    return nodes
  }
  const graph = new Dict([
    ['exposures', dicts(project.exposures, (one) => exposureValue(project, one))],
    ['groups', dicts(project.groups, (one) => groupValue(project, one))],
    ['metrics', dicts(project.metrics, (one) => metricValue(project, one))],
    ['nodes', withOperations(ofKind((kind) => kind !== 'function'))],
    ['sources', dicts(project.sources, (one) => sourceValue(one, packageFile(project, one.package, one.file)))],
    ['semantic_models', dicts(project.semanticModels, (one) => semanticModelValue(project, one))],
    ['saved_queries', dicts(project.savedQueries, (one) => savedQueryValue(project, one))],
    ['functions', ofKind((kind) => kind === 'function')],
    ['unit_tests', dicts(project.unitTests, (one) => unitTestValue(project, one))],
  ] as [unknown, unknown][])
  graphs.set(project, graph)
  return graph
}
const graphs = new WeakMap<DbtProject, Dict>()
