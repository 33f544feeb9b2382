// A node as templates see it: `model`, and the values of `graph.nodes`.

import { Dict, fromJs } from '../../jinja/index.ts'
import type { ColumnSpec, DbtNode, DbtProject, DbtSource } from './types.ts'

const columnsDict = (columns: readonly ColumnSpec[]): Record<string, unknown> =>
  Object.fromEntries(
    columns.map((column) => [
      column.name,
      {
        name: column.name,
        description: column.description,
        data_type: column.dataType ?? null,
        meta: column.meta,
        tags: column.tags,
        quote: column.quote,
      },
    ]),
  )

const quotedName = (parts: readonly string[]): string => parts.map((part) => `"${part}"`).join('.')

export function nodeDict(node: DbtNode): Dict {
  const test =
    node.test?.kind === 'generic'
      ? {
          test_metadata: { name: node.test.name, namespace: node.test.namespace ?? null, kwargs: node.test.kwargs },
          column_name: node.test.columnName ?? null,
          attached_node: node.test.attachedTo ?? null,
        }
      : {}
  return fromJs({
    unique_id: node.uniqueId,
    name: node.name,
    resource_type: node.kind,
    package_name: node.package,
    path: node.path,
    original_file_path: node.file,
    database: node.database,
    schema: node.schema,
    alias: node.alias,
    identifier: node.alias,
    relation_name:
      node.config['materialized'] === 'ephemeral' || node.kind === 'test'
        ? null
        : quotedName([node.database, node.schema, node.alias]),
    fqn: node.fqn,
    tags: node.tags,
    meta: node.config['meta'] ?? {},
    description: node.description,
    columns: columnsDict(node.columns),
    config: node.config,
    raw_code: node.rawSql,
    raw_sql: node.rawSql,
    language: 'sql',
    version: node.version ?? null,
    latest_version: node.latestVersion ?? null,
    refs: node.refs.map(({ name, package: from, version }) => ({
      name,
      package: from ?? null,
      version: version ?? null,
    })),
    sources: node.sources.map(({ source, table }) => [source, table]),
    depends_on: { nodes: node.dependsOn, macros: [] },
    access: node.config['access'] ?? 'protected',
    group: node.config['group'] ?? null,
    ...test,
  }) as Dict
}

export function sourceDict(source: DbtSource): Dict {
  return fromJs({
    unique_id: source.uniqueId,
    name: source.name,
    source_name: source.source,
    resource_type: 'source',
    package_name: source.package,
    path: source.file,
    original_file_path: source.file,
    database: source.database,
    schema: source.schema,
    identifier: source.identifier,
    relation_name: quotedName([source.database, source.schema, source.identifier]),
    fqn: source.fqn,
    tags: source.tags,
    meta: source.config['meta'] ?? {},
    description: source.description,
    source_description: source.sourceDescription,
    loader: source.loader,
    columns: columnsDict(source.columns),
    config: source.config,
  }) as Dict
}

/** `graph`. Made once for a project, since a template may walk all of it. */
export function graphDict(project: DbtProject): Dict {
  const known = graphs.get(project)
  if (known) return known
  const graph = new Dict([
    ['nodes', new Dict(Array.from(project.nodes.values(), (node) => [node.uniqueId, nodeDict(node)] as const))],
    [
      'sources',
      new Dict(Array.from(project.sources.values(), (source) => [source.uniqueId, sourceDict(source)] as const)),
    ],
    [
      'exposures',
      new Dict(Array.from(project.exposures.values(), ({ uniqueId, value }) => [uniqueId, fromJs(value)] as const)),
    ],
    ['metrics', new Dict()],
    ['groups', new Dict()],
  ] as [unknown, unknown][])
  graphs.set(project, graph)
  return graph
}
const graphs = new WeakMap<DbtProject, Dict>()
