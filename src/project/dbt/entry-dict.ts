// Groups, exposures, metrics, semantic models, saved queries and unit tests as dbt writes them down: for `graph` in
// templates and for manifest.json.

import { isRecord, recordOf } from '../../base/record.ts'
import { hash } from 'node:crypto'
import { fromJs, repr, str } from '../../jinja/index.ts'
import { fileInPath } from './reading.ts'
import type {
  Config,
  DbtEntry,
  DbtExposure,
  DbtGroup,
  DbtMetric,
  DbtProject,
  DbtSavedQuery,
  DbtSemanticModel,
  DbtUnitTest,
  RefCall,
  UnitRows,
} from './types.ts'

/** Versions are numbers where they look like one. */
export const versionValue = (version: string | undefined): string | number | null =>
  version === undefined ? null : /^\d+(?:\.\d+)?$/.test(version) ? Number(version) : version

export const refValues = (refs: readonly RefCall[]): Config[] =>
  refs.map(({ name, package: from, version, isVersionText }) => ({
    name,
    package: from ?? null,
    version: isVersionText === true ? (version ?? null) : versionValue(version),
  }))

/** What a package calls a file of the project. */
export function packageFile(project: DbtProject, packageName: string, file: string): string {
  const folder = project.packages.get(packageName)?.folder ?? ''
  return folder === '' ? file : file.slice(folder.length + 1)
}

/** What dbt calls its path: without the folder of the package's paths. */
export function pathOf(project: DbtProject, packageName: string, file: string): string {
  const from = project.packages.get(packageName)
  return from ? fileInPath(from, file) : file.split('/').slice(1).join('/')
}

function baseValue(project: DbtProject, entry: Omit<DbtGroup, 'owner'>, kind: string): Config {
  return {
    name: entry.name,
    resource_type: kind,
    package_name: entry.package,
    path: pathOf(project, entry.package, entry.file),
    original_file_path: packageFile(project, entry.package, entry.file),
    unique_id: entry.uniqueId,
  }
}

const sharedValue = (project: DbtProject, entry: DbtEntry, kind: string): Config => ({
  ...baseValue(project, entry, kind),
  fqn: entry.fqn,
  label: entry.label ?? null,
  config: entry.config,
  unrendered_config: isRecord(entry.value['config']) ? entry.value['config'] : {},
  depends_on: { macros: [], nodes: entry.dependsOn },
  refs: refValues(entry.refs),
})

export const groupValue = (project: DbtProject, group: DbtGroup): Config => ({
  ...baseValue(project, group, 'group'),
  owner: { email: null, name: null, ...group.owner },
  description: group.description === '' ? null : group.description,
  config: group.config,
})

export const exposureValue = (project: DbtProject, exposure: DbtExposure): Config => ({
  ...sharedValue(project, exposure, 'exposure'),
  type: exposure.type,
  owner: { email: null, name: null, ...exposure.owner },
  description: exposure.description,
  maturity: exposure.maturity ?? null,
  meta: exposure.meta,
  tags: exposure.tags,
  url: exposure.url ?? null,
  sources: exposure.sources.map(({ source, table }) => [source, table]),
  metrics: exposure.metrics.map((name) => [name]),
})

// --- metrics

const orNull = (value: unknown): unknown => value ?? null
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** One filter or several → what MetricFlow reads. */
function filterValue(filter: unknown): Config | null {
  if (filter === undefined || filter === null) return null
  const templates = Array.isArray(filter) ? filter.map(String) : [String(filter)]
  return { where_filters: templates.map((template) => ({ where_sql_template: template })) }
}

/** `28 days` → count and granularity. */
function windowValue(window: unknown): Config | null {
  if (typeof window !== 'string') return null
  const [count = '', unit = ''] = window.toLowerCase().split(' ')
  const granularity = /^(?:nanosecond|microsecond|millisecond|second|minute|hour|day|week|month|quarter|year)s$/.test(
    unit,
  )
    ? unit.slice(0, -1)
    : unit
  return { count: Number(count), granularity }
}

function measureValue(measure: unknown): Config | null {
  if (measure === undefined || measure === null) return null
  const given: Config = isRecord(measure) ? measure : { name: measure }
  return {
    name: given['name'],
    filter: filterValue(given['filter']),
    alias: orNull(given['alias']),
    join_to_timespine: given['join_to_timespine'] === true,
    fill_nulls_with: orNull(given['fill_nulls_with']),
  }
}

function inputValue(input: unknown): Config | null {
  if (input === undefined || input === null) return null
  const given: Config = isRecord(input) ? input : { name: input }
  return {
    name: given['name'],
    filter: filterValue(given['filter']),
    alias: orNull(given['alias']),
    offset_window: windowValue(given['offset_window']),
    offset_to_grain: orNull(given['offset_to_grain']),
  }
}

function conversionValue(params: unknown): Config | null {
  if (!isRecord(params)) return null
  return {
    base_measure: measureValue(params['base_measure']),
    conversion_measure: measureValue(params['conversion_measure']),
    base_metric: inputValue(params['base_metric']),
    conversion_metric: inputValue(params['conversion_metric']),
    entity: params['entity'],
    calculation: params['calculation'] ?? 'conversion_rate',
    window: windowValue(params['window']),
    constant_properties: orNull(params['constant_properties']),
  }
}

/** All measures that a metric stands on, through the metrics that it is made of. */
function measuresBelow(project: DbtProject, metric: DbtMetric, above: readonly string[] = []): Config[] {
  const params = isRecord(metric.value['type_params']) ? metric.value['type_params'] : {}
  const conversion = isRecord(params['conversion_type_params']) ? params['conversion_type_params'] : {}
  const own =
    metric.type === 'conversion'
      ? [conversion['base_measure'], conversion['conversion_measure']]
      : metric.type === 'simple' || metric.type === 'cumulative'
        ? [params['measure']]
        : []
  const found = own.map(measureValue).filter((each) => each !== null)
  for (const id of metric.dependsOn) {
    const parent = project.metrics.get(id)
    // Metrics that are made of each other are an error of MetricFlow, not a loop here.
    if (!parent || above.includes(id)) continue
    for (const measure of measuresBelow(project, parent, [...above, metric.uniqueId])) {
      if (!found.some(({ name }) => name === measure['name'])) found.push(measure)
    }
  }
  return found
}

export function metricValue(project: DbtProject, metric: DbtMetric): Config {
  const { value, type } = metric
  const params = isRecord(value['type_params']) ? value['type_params'] : {}
  const cumulative = isRecord(params['cumulative_type_params']) ? params['cumulative_type_params'] : {}
  return {
    ...sharedValue(project, metric, 'metric'),
    description: metric.description,
    label: metric.label ?? '',
    type,
    type_params: {
      measure: measureValue(params['measure']),
      input_measures: measuresBelow(project, metric),
      numerator: inputValue(params['numerator']),
      denominator: inputValue(params['denominator']),
      expr: params['expr'] === undefined || params['expr'] === null ? null : str(fromJs(params['expr'])),
      window: windowValue(params['window']),
      grain_to_date: orNull(params['grain_to_date']),
      metrics: listOf(params['metrics']).map(inputValue),
      conversion_type_params: conversionValue(params['conversion_type_params']),
      cumulative_type_params:
        type === 'cumulative'
          ? {
              window: windowValue(cumulative['window'] ?? params['window']),
              grain_to_date: orNull(cumulative['grain_to_date'] ?? params['grain_to_date']),
              period_agg: cumulative['period_agg'] ?? 'first',
              metric: inputValue(cumulative['metric']),
            }
          : null,
      metric_aggregation_params: orNull(params['metric_aggregation_params']),
      fill_nulls_with: orNull(params['fill_nulls_with']),
      join_to_timespine: params['join_to_timespine'] === true,
      is_private: orNull(params['is_private']),
    },
    filter: filterValue(value['filter']),
    metadata: null,
    time_granularity: orNull(value['time_granularity']),
    sources: [],
    metrics: [],
    group: metric.group ?? null,
    meta: metric.meta,
    tags: metric.tags,
  }
}

// --- semantic models and saved queries

/** An entity, dimension or measure: what it says, over what it may leave out. */
function elementValue(element: unknown, defaults: Config, meta: unknown): Config {
  const given = isRecord(element) ? element : {}
  const config = isRecord(given['config']) ? given['config'] : {}
  const own = isRecord(config['meta']) ? config['meta'] : {}
  const value = Object.fromEntries(Object.entries(defaults).map(([key, each]) => [key, given[key] ?? each]))
  if (value['expr'] !== undefined && value['expr'] !== null) value['expr'] = str(fromJs(value['expr']))
  return { name: given['name'], ...value, config: { meta: { ...(isRecord(meta) ? meta : {}), ...own } } }
}

function granularityValue(params: unknown): Config | null {
  if (!isRecord(params)) return null
  const validity = params['validity_params']
  return {
    time_granularity: params['time_granularity'],
    validity_params: isRecord(validity) ? { is_start: false, is_end: false, ...validity } : null,
  }
}

export function semanticModelValue(project: DbtProject, model: DbtSemanticModel): Config {
  const { value, config } = model
  const node = project.nodes.get(model.dependsOn[0] ?? '')
  const { meta } = config
  const elements = (key: string, defaults: Config) => listOf(value[key]).map((one) => elementValue(one, defaults, meta))
  return {
    ...sharedValue(project, model, 'semantic_model'),
    model: model.model,
    node_relation: node
      ? {
          alias: node.alias,
          schema_name: node.schema,
          database: node.database,
          relation_name: `"${node.database}"."${node.schema}"."${node.alias}"`,
        }
      : null,
    description: model.description === '' ? null : model.description,
    defaults: orNull(value['defaults']),
    entities: elements('entities', { type: null, description: null, label: null, role: null, expr: null }),
    measures: elements('measures', {
      agg: null,
      description: null,
      label: null,
      create_metric: false,
      expr: null,
      agg_params: null,
      non_additive_dimension: null,
      agg_time_dimension: null,
    }).map((measure) => ({
      ...measure,
      // That a metric is made of it is not written down.
      create_metric: false,
      agg_params: isRecord(measure['agg_params'])
        ? {
            percentile: null,
            use_discrete_percentile: false,
            use_approximate_percentile: false,
            ...measure['agg_params'],
          }
        : null,
      non_additive_dimension: isRecord(measure['non_additive_dimension'])
        ? { window_choice: 'min', window_groupings: [], ...measure['non_additive_dimension'] }
        : null,
    })),
    dimensions: elements('dimensions', {
      type: null,
      description: null,
      label: null,
      is_partition: false,
      type_params: null,
      expr: null,
      metadata: null,
    }).map((dimension, index) => ({
      ...dimension,
      type_params: granularityValue(dimension['type_params']),
      datatype: orNull(recordOf(listOf(value['dimensions'])[index])['datatype']),
    })),
    metadata: null,
    primary_entity: orNull(value['primary_entity']),
    group: model.group ?? null,
  }
}

export function savedQueryValue(project: DbtProject, query: DbtSavedQuery): Config {
  const { value, config } = query
  const params = isRecord(value['query_params']) ? value['query_params'] : {}
  return {
    ...sharedValue(project, query, 'saved_query'),
    query_params: {
      metrics: listOf(params['metrics']),
      group_by: listOf(params['group_by']),
      where: filterValue(params['where']),
      order_by: listOf(params['order_by']),
      limit: orNull(params['limit']),
    },
    exports: listOf(value['exports'])
      .filter(isRecord)
      .map((one) => {
        const own = isRecord(one['config']) ? one['config'] : {}
        const schema = own['schema'] ?? own['schema_name'] ?? config['schema']
        return {
          name: one['name'],
          config: {
            export_as: own['export_as'] ?? config['export_as'] ?? 'table',
            schema_name: schema ?? project.target.schema,
            alias: own['alias'] ?? one['name'],
            database: own['database'] ?? project.target.database,
          },
          unrendered_config: own,
        }
      }),
    description: query.description === '' ? null : query.description,
    metadata: null,
    group: query.group ?? null,
    tags: query.tags,
  }
}

// --- unit tests

const rowsValue = ({ rows, sql, format, fixture }: UnitRows): Config => ({
  rows: rows ?? sql ?? null,
  format,
  fixture: fixture ?? null,
})

export function unitTestValue(project: DbtProject, test: DbtUnitTest): Config {
  const { macros, vars, envVars } = test.overrides
  const hasOverrides = [macros, vars, envVars].some((each) => Object.keys(each).length > 0)
  const given = test.given.map((one) => ({ input: one.input, ...rowsValue(one) }))
  const said = {
    given,
    expect: rowsValue(test.expect),
    overrides: hasOverrides ? { macros, vars, env_vars: envVars } : null,
  }
  return {
    model: test.model,
    ...said,
    name: test.name,
    resource_type: 'unit_test',
    package_name: test.package,
    path: pathOf(project, test.package, test.file),
    original_file_path: packageFile(project, test.package, test.file),
    unique_id: test.uniqueId,
    fqn: test.fqn,
    description: test.description,
    depends_on: { macros: [], nodes: test.dependsOn },
    config: test.config,
    checksum: unitTestChecksum(test, said.overrides),
    schema: test.schema ?? null,
    versions: test.versions ?? null,
    version: versionValue(test.version),
  }
}

/** As dbt makes it of Python's own text of the test, so that either's manifest can be compared with. */
function unitTestChecksum({ model, versions, given, expect }: DbtUnitTest, overrides: Config | null): string {
  const shown = (value: unknown) => repr(fromJs(value ?? null))
  const called = (name: string, parts: Config) => `${name}(${entriesOf(parts, shown).join(', ')})`
  const formats = { dict: 'Dict', csv: 'CSV', sql: 'SQL' }
  const rowsOf = ({ rows, sql, format, fixture }: UnitRows) =>
    `rows=${shown(rows ?? sql)}, format=<UnitTestFormat.${formats[format]}: '${format}'>, fixture=${shown(fixture)}`
  const inputs = given.map((one) => `UnitTestInputFixture(input=${shown(one.input)}, ${rowsOf(one)})`)
  const parts = [
    model,
    versions ? called('UnitTestNodeVersions', { include: versions['include'], exclude: versions['exclude'] }) : 'None',
    `[${inputs.join(', ')}]`,
    `UnitTestOutputFixture(${rowsOf(expect)})`,
    overrides ? called('UnitTestOverrides', overrides) : 'None',
    ...given.flatMap(({ fixture, rows, sql }) => (fixture === undefined ? [] : [str(fromJs(rows ?? sql ?? null))])),
  ]
  return hash('sha256', parts.join('-'))
}

const entriesOf = (parts: Config, shown: (value: unknown) => string): string[] =>
  Object.entries(parts).map(([name, value]) => `${name}=${shown(value)}`)
