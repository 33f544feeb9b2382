// The semantic layer inside `models:` (dbt 1.12): `semantic_model: true`, `entity` and `dimension` of columns,
// `derived_semantics`, `metrics`. They become the entries that `semantic_models:` and `metrics:` of their own would be.

import { isRecord } from '../../base/record.ts'
import { listOfTexts } from './entry-reader.ts'
import type { Config } from './types.ts'

const listOf = (value: unknown): Config[] => (Array.isArray(value) ? value.filter(isRecord) : [])
const configOf = (value: Config): Config => (isRecord(value['config']) ? value['config'] : {})
const metaOf = (value: Config): Config => {
  const { meta } = configOf(value)
  return isRecord(meta) ? meta : {}
}
/** Without the keys that say nothing. */
const said = (value: Config): Config =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined && each !== null))

/** The semantic model of a model; undefined where it has none. */
export function semanticModelOf(model: Config): Config | undefined {
  const written = model['semantic_model']
  if (written !== true && !isRecord(written)) return undefined
  const own: Config = written === true ? {} : written
  const columns = listOf(model['columns'])
  const derived = isRecord(model['derived_semantics']) ? model['derived_semantics'] : {}
  return said({
    name: own['name'] ?? model['name'],
    model: `ref('${String(model['name'])}')`,
    description: model['description'],
    defaults: { agg_time_dimension: model['agg_time_dimension'] ?? null },
    primary_entity: model['primary_entity'],
    entities: [...columns.flatMap(entityOf), ...listOf(derived['entities'])],
    dimensions: [...columns.flatMap(dimensionOf), ...listOf(derived['dimensions']).map(withGranularity)],
    config: said({ meta: metaOf(own), enabled: own['enabled'], group: own['group'] }),
  })
}

function entityOf(column: Config): Config[] {
  const { name, entity } = column
  const description = column['description'] ?? ''
  if (typeof entity === 'string') return [said({ name, type: entity, description, config: { meta: metaOf(column) } })]
  if (!isRecord(entity)) return []
  const meta = isRecord(configOf(entity)['meta']) ? metaOf(entity) : metaOf(column)
  const named = entity['name'] ?? name
  const expr = named === name ? undefined : name
  return [said({ ...entity, name: named, description: entity['description'] ?? description, expr, config: { meta } })]
}

function dimensionOf(column: Config): Config[] {
  const { name, dimension } = column
  const description = column['description'] ?? ''
  if (typeof dimension === 'string')
    return [withGranularity(said({ name, type: dimension, description, config: { meta: metaOf(column) } }))]
  if (!isRecord(dimension)) return []
  const named = dimension['name'] ?? name
  return [
    withGranularity(
      said({
        ...dimension,
        name: named,
        description: dimension['description'] ?? description,
        expr: named === name ? undefined : name,
        granularity: column['granularity'],
        config: { meta: { ...metaOf(column), ...metaOf(dimension) } },
      }),
    ),
  ]
}

/** `granularity` and `validity_params` stand in `type_params`. */
function withGranularity({ granularity, validity_params: validity, ...dimension }: Config): Config {
  if (granularity === undefined || granularity === null) return dimension
  return { ...dimension, type_params: { time_granularity: granularity, validity_params: validity ?? null } }
}

/** Metrics that stand with a model: simple ones are about its semantic model. */
export function metricsOf(model: Config): Config[] {
  const own = isRecord(model['semantic_model']) ? model['semantic_model'] : {}
  const name = own['name'] ?? model['name']
  return listOf(model['metrics']).map((metric) =>
    metric['type'] === 'simple'
      ? withTypeParams(metric, { semanticModel: String(name), time: model['agg_time_dimension'] })
      : withTypeParams(metric),
  )
}

/** A metric of the newer spelling, which has no `type_params`, as the older one spells it; others as they are. */
export function withTypeParams(metric: Config, of?: { semanticModel: string; time: unknown }): Config {
  if (metric['type_params'] !== undefined) return metric
  const type = String(metric['type'] ?? '').toLowerCase()
  const { agg, window, period_agg: period, grain_to_date: grain, non_additive_dimension: addition } = metric
  const percentile = String(metric['percentile_type'] ?? '').toLowerCase()
  return {
    ...metric,
    label: metric['label'] ?? metric['name'],
    type_params: said({
      expr: metric['expr'],
      numerator: metric['numerator'],
      denominator: metric['denominator'],
      metrics: metric['input_metrics'],
      join_to_timespine: metric['join_to_timespine'] === true,
      is_private: metric['hidden'] === true,
      cumulative_type_params:
        type === 'cumulative'
          ? { window, grain_to_date: grain, period_agg: period, metric: metric['input_metric'] }
          : undefined,
      conversion_type_params:
        type === 'conversion'
          ? {
              base_metric: metric['base_metric'],
              conversion_metric: metric['conversion_metric'],
              entity: metric['entity'],
              calculation: metric['calculation'],
              window,
              constant_properties: metric['constant_properties'],
            }
          : undefined,
      metric_aggregation_params:
        agg === undefined || agg === null
          ? undefined
          : {
              semantic_model: of?.semanticModel ?? null,
              agg,
              agg_params: {
                percentile: metric['percentile'] ?? null,
                use_discrete_percentile: percentile === 'discrete',
                use_approximate_percentile: percentile === 'continuous',
              },
              agg_time_dimension: metric['agg_time_dimension'] ?? of?.time ?? null,
              non_additive_dimension: isRecord(addition)
                ? {
                    name: addition['name'],
                    window_choice: addition['window_agg'] ?? 'min',
                    window_groupings: listOfTexts(addition['group_by']),
                  }
                : null,
            },
    }),
  }
}
