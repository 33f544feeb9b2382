// Nodes and sources as dbt writes them down: `model` and `graph` in templates, and the entries of manifest.json.

import { Dict, fromJs } from '../../jinja/index.ts'
import type { Quoting } from './relation.ts'
import type { ColumnSpec, Config, Constraint, DbtEntry, DbtNode, DbtProject, DbtSource } from './types.ts'

/** Versions are numbers where they look like one. */
const versionValue = (version: string | undefined): string | number | null =>
  version === undefined ? null : /^\d+(?:\.\d+)?$/.test(version) ? Number(version) : version

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
        quote: column.quote || null,
        config: { meta: column.meta, tags: column.tags },
        tags: column.tags,
        granularity: column.granularity ?? null,
        doc_blocks: column.docBlocks,
      },
    ]),
  )

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
  const isStored = node.kind === 'test' ? config['store_failures'] === true : node.kind !== 'analysis'
  if (!isStored || (node.kind === 'model' && config['materialized'] === 'ephemeral')) return null
  return relationName({ database, schema, identifier: alias }, quoting)
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
    doc_blocks: node.docBlocks,
    ...(node.kind === 'seed' ? {} : compiledValue(node)),
    ...(node.kind === 'model' && modelValue(node)),
    ...(node.test?.kind === 'generic' && testValue(node)),
  }
}

/** The file of the properties, below the folder of the package. */
function patchFile({ patch, file, fileInPackage }: DbtNode): string {
  const folder = file.slice(0, file.length - fileInPackage.length)
  return patch!.file!.startsWith(folder) ? patch!.file!.slice(folder.length) : patch!.file!
}

const compiledValue = (node: DbtNode): Config => ({
  language: 'sql',
  refs: node.refs.map(({ name, package: from, version }) => ({
    name,
    package: from ?? null,
    version: versionValue(version),
  })),
  sources: node.sources.map(({ source, table }) => [source, table]),
  metrics: [],
  functions: [],
  depends_on: { macros: node.macros, nodes: node.dependsOn },
  compiled_path: null,
  contract: { enforced: node.contract, alias_types: true, checksum: null },
})

const modelValue = (node: DbtNode): Config => ({
  access: node.access,
  constraints: node.constraints.map((each) => constraintDict(each, true)),
  version: versionValue(node.version),
  latest_version: versionValue(node.latestVersion),
  deprecation_date: node.deprecationDate ?? null,
  time_spine: node.timeSpine ?? null,
})

function testValue(node: DbtNode): Config {
  if (node.test?.kind !== 'generic') return {}
  const { name, kwargs, namespace, columnName, attachedTo } = node.test
  return {
    column_name: columnName ?? null,
    file_key_name: null,
    attached_node: attachedTo ?? null,
    test_metadata: { name, kwargs, namespace: namespace ?? null },
  }
}

export function sourceValue(source: DbtSource, fileInPackage: string): Config {
  const { database, schema, identifier, quoting } = source
  const period = (part: { count: number; period: string } | undefined) => part ?? { count: null, period: null }
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
    quoting: { ...quoting, column: null },
    loaded_at_field: source.loadedAtField ?? null,
    loaded_at_query: source.loadedAtQuery ?? null,
    freshness: source.freshness
      ? {
          warn_after: period(source.freshness.warnAfter),
          error_after: period(source.freshness.errorAfter),
          filter: source.freshness.filter ?? null,
        }
      : null,
    external: source.external ?? null,
    description: source.description,
    columns: columnsDict(source.columns),
    meta: source.config['meta'] ?? {},
    source_meta: source.sourceMeta,
    tags: source.tags,
    config: source.config,
    patch_path: null,
    unrendered_config: source.unrenderedConfig,
    relation_name: relationName({ database, schema, identifier }, quoting),
    doc_blocks: source.docBlocks,
  }
}

/** `model`: the node with the names that only templates have. */
export function nodeDict(node: DbtNode): Dict {
  return fromJs({ ...nodeValue(node), identifier: node.alias, raw_sql: node.rawSql }) as Dict
}

/** What a package calls a file of the project. */
export const packageFile = (project: DbtProject, packageName: string, file: string): string => {
  const folder = project.packages.get(packageName)?.folder ?? ''
  return folder === '' ? file : file.slice(folder.length + 1)
}

/** Exposures, metrics and the like, with what is the same for all of them. */
export function entryValue(project: DbtProject, entry: DbtEntry, kind: string): Config {
  const file = packageFile(project, entry.package, entry.file)
  return {
    name: entry.name,
    resource_type: kind,
    package_name: entry.package,
    path: file.split('/').slice(1).join('/'),
    original_file_path: file,
    unique_id: entry.uniqueId,
    fqn: entry.fqn,
    description: entry.description,
    label: entry.label ?? null,
    config: entry.config,
    unrendered_config: {},
    depends_on: { macros: [], nodes: entry.dependsOn },
    refs: entry.refs.map(({ name, package: from, version }) => ({
      name,
      package: from ?? null,
      version: versionValue(version),
    })),
  }
}

/** `graph`. Made once for a project, since a template may walk all of it. */
export function graphDict(project: DbtProject): Dict {
  const known = graphs.get(project)
  if (known) return known
  const entries = (map: ReadonlyMap<string, DbtEntry>, kind: string) =>
    new Dict(
      Array.from(map, ([id, entry]) => [id, fromJs({ ...entry.value, ...entryValue(project, entry, kind) })] as const),
    )
  const graph = new Dict([
    ['exposures', entries(project.exposures, 'exposure')],
    [
      'groups',
      new Dict(
        Array.from(
          project.groups.values(),
          (group) =>
            [
              group.uniqueId,
              fromJs({
                name: group.name,
                unique_id: group.uniqueId,
                package_name: group.package,
                owner: group.owner,
                resource_type: 'group',
              }),
            ] as const,
        ),
      ),
    ],
    ['metrics', entries(project.metrics, 'metric')],
    ['nodes', new Dict(Array.from(project.nodes.values(), (node) => [node.uniqueId, nodeDict(node)] as const))],
    [
      'sources',
      new Dict(
        Array.from(
          project.sources.values(),
          (source) =>
            [source.uniqueId, fromJs(sourceValue(source, packageFile(project, source.package, source.file)))] as const,
        ),
      ),
    ],
    ['semantic_models', entries(project.semanticModels, 'semantic_model')],
    ['saved_queries', entries(project.savedQueries, 'saved_query')],
  ] as [unknown, unknown][])
  graphs.set(project, graph)
  return graph
}
const graphs = new WeakMap<DbtProject, Dict>()
