// semantic_manifest.json: semantic models, metrics and saved queries, as MetricFlow reads them.

import { recordOf } from '../../base/record.ts'

type Json = Record<string, unknown>

const entries = (value: unknown): Json[] => Object.values(recordOf(value)).map(recordOf)
const listOf = (value: unknown): Json[] => (Array.isArray(value) ? value.map(recordOf) : [])
const pick = (value: Json, keys: readonly string[]): Json =>
  Object.fromEntries(keys.map((key) => [key, value[key] ?? null]))
const metaOf = ({ config, meta }: Json): Json => ({ meta: recordOf(recordOf(config)['meta'] ?? meta) })

/** `manifest`: the values of manifest.json. */
export function semanticManifest(manifest: Json): Json {
  const nodes = recordOf(manifest['nodes'])
  return {
    semantic_models: entries(manifest['semantic_models']).map((model) => ({
      ...pick(model, ['name', 'defaults', 'description', 'node_relation', 'primary_entity', 'label', 'metadata']),
      entities: listOf(model['entities']).map((one) => ({ ...one, metadata: null })),
      measures: listOf(model['measures']).map((one) => ({ ...one, metadata: null })),
      dimensions: model['dimensions'],
      config: metaOf(model),
    })),
    metrics: entries(manifest['metrics']).map((metric) => ({
      ...pick(metric, [
        'name',
        'description',
        'type',
        'type_params',
        'filter',
        'metadata',
        'label',
        'time_granularity',
      ]),
      config: metaOf(metric),
      datatype: null,
    })),
    project_configuration: {
      time_spine_table_configurations: Object.values(nodes).map(recordOf).flatMap(oldTimeSpine),
      metadata: null,
      dsi_package_version: { major_version: '0', minor_version: '213', patch_version: '0' },
      time_spines: Object.values(nodes).map(recordOf).flatMap(timeSpine),
    },
    saved_queries: entries(manifest['saved_queries']).map((query) => ({
      ...pick(query, ['name', 'query_params', 'description', 'metadata', 'label']),
      exports: listOf(query['exports']).map(({ name, config }) => ({
        name,
        config: pick(recordOf(config), ['export_as', 'schema_name', 'alias']),
      })),
      tags: query['tags'] ?? [],
    })),
  }
}

/** The model of this name is a time spine of days whether it says so or not. */
const oldTimeSpine = ({ resource_type: kind, name, relation_name: location }: Json): Json[] =>
  kind === 'model' && name === 'metricflow_time_spine' ? [{ location, column_name: 'date_day', grain: 'day' }] : []

function timeSpine({ time_spine: written, columns, alias, schema, database, relation_name: relation }: Json): Json[] {
  const spine = recordOf(written)
  const name = spine['standard_granularity_column']
  if (typeof name !== 'string') return []
  const granularity = recordOf(recordOf(columns)[name])['granularity'] ?? null
  return [
    {
      node_relation: { alias, schema_name: schema, database, relation_name: relation },
      primary_column: { name, time_granularity: granularity },
      custom_granularities: spine['custom_granularities'] ?? [],
    },
  ]
}
