// metrics/*.yml → models whose names are resolved: every ratio knows its two metrics, every format its currency.
// A definition that is wrong becomes a failure with its place; what does not depend on it stays usable.

import { Failure, type Place } from '../base/failure.ts'
import { didYouMean, suggest } from '../base/suggest.ts'
import type { Format } from '../contract/index.ts'
import { scanExpression } from '../project/index.ts'
import type {
  Dimension as DimensionSpec,
  FormatText,
  Located,
  Metric as MetricSpec,
  MetricsFile,
  Path,
} from '../project/index.ts'
import { identifier } from './literals.ts'

export type DimensionType = DimensionSpec['type']

export type Dimension = {
  name: string
  label: string
  description: string | null
  type: DimensionType
  /** SQL over the columns of the model. */
  sql: string
  format: Format
  path: Path
}

export type Aggregation = NonNullable<MetricSpec['agg']>

/** How a metric is computed: from rows, or from other metrics after those were aggregated. */
export type Computation =
  | { kind: 'aggregate'; agg: Aggregation; expr: string | null; filter: string | null; scale: number | 'float' }
  | { kind: 'ratio'; numerator: string; denominator: string; scale: number | 'float' }
  | { kind: 'derived'; parts: (string | { metric: string })[] }

export type Metric = {
  name: string
  label: string
  description: string | null
  format: Format
  better: 'up' | 'down' | 'neither'
  compute: Computation
  path: Path
}

export type Model = {
  name: string
  description: string | null
  /** `staging.stg_sales`, of the environment that is asked. */
  table: string
  /** The dimension that ranges and comparisons use. */
  time: Dimension | null
  dimensions: ReadonlyMap<string, Dimension>
  metrics: ReadonlyMap<string, Metric>
  /** Metrics that stand in the file and cannot be used, because they or what they are made of are wrong. */
  broken: ReadonlySet<string>
  source: Located<MetricsFile>
}

export type Models = ReadonlyMap<string, Model>

/** Resolves all metric files of a project. Pure. */
export function openModels(files: readonly Located<MetricsFile>[]): { models: Models; failures: Failure[] } {
  const failures: Failure[] = []
  const models = files.map((file) => openModel(file, failures))
  return { models: new Map(models.map((model) => [model.name, model])), failures }
}

function openModel(source: Located<MetricsFile>, failures: Failure[]): Model {
  const { value: file } = source
  const refuse: Refuse = (path, message, suggestions = [], inner) => {
    const place = inner ? source.within(path, inner) : source.at(path)
    failures.push(new Failure('METRIC_INVALID', message, suggestions.length > 0 ? { place, suggestions } : { place }))
  }
  const dimensions = new Map<string, Dimension>()
  file.dimensions.forEach((spec, index) => {
    const path = ['dimensions', index]
    if (dimensions.has(spec.name)) refuse([...path, 'name'], `the dimension "${spec.name}" is already defined above`)
    else dimensions.set(spec.name, openDimension(spec, path))
  })
  if (file.time !== undefined && !dimensions.has(file.time))
    dimensions.set(file.time, openDimension({ name: file.time, type: 'date' }, ['time']))
  const time = (file.time !== undefined && dimensions.get(file.time)) || null
  if (time && !isTime(time))
    refuse(
      ['time'],
      `the time "${time.name}" is a ${time.type}; write "type: date" or "type: timestamp" at its dimension`,
    )

  const metrics = new Map<string, Metric>()
  file.metrics.forEach((spec, index) => {
    const path = ['metrics', index]
    if (metrics.has(spec.name)) refuse([...path, 'name'], `the metric "${spec.name}" is already defined above`)
    else if (dimensions.has(spec.name)) refuse([...path, 'name'], `"${spec.name}" is already the name of a dimension`)
    else metrics.set(spec.name, openMetric(spec, path, file.currency))
  })
  dropUnresolved(metrics, refuse)
  const broken = new Set(file.metrics.map(({ name }) => name).filter((name) => !metrics.has(name)))
  return {
    name: file.name,
    description: file.description ?? null,
    table: file.model,
    time,
    dimensions,
    metrics,
    broken,
    source,
  }
}

type Refuse = (path: Path, message: string, suggestions?: string[], inner?: Place) => void

export const isTime = ({ type }: Pick<Dimension, 'type'>): boolean => type === 'date' || type === 'timestamp'

const dimensionFormats: Record<DimensionType, Format> = {
  string: { kind: 'text' },
  boolean: { kind: 'text' },
  number: { kind: 'number' },
  date: { kind: 'date' },
  timestamp: { kind: 'datetime' },
}

function openDimension(spec: DimensionSpec, path: Path): Dimension {
  return {
    name: spec.name,
    label: spec.label ?? labelOf(spec.name),
    description: spec.description ?? null,
    type: spec.type,
    sql: spec.expr ?? identifier(spec.name),
    format: dimensionFormats[spec.type],
    path,
  }
}

function openMetric(spec: MetricSpec, path: Path, currency: string | undefined): Metric {
  return {
    name: spec.name,
    label: spec.label ?? labelOf(spec.name),
    description: spec.description ?? null,
    format: openFormat(spec.format, currency),
    better: spec.better,
    compute: computation(spec),
    path,
  }
}

function computation({ agg, expr, filter, ratio, derived, scale }: MetricSpec): Computation {
  if (ratio) return { kind: 'ratio', ...ratio, scale }
  if (derived !== undefined) return { kind: 'derived', parts: partsOf(derived) }
  return { kind: 'aggregate', agg: agg ?? 'count', expr: expr ?? null, filter: filter ?? null, scale }
}

/** `{revenue} - {cost}` is `[{metric: 'revenue'}, ' - ', {metric: 'cost'}]`. */
function partsOf(derived: string): (string | { metric: string })[] {
  const parts: (string | { metric: string })[] = []
  let from = 0
  for (const { name, start, end } of scanExpression(derived).references) {
    parts.push(derived.slice(from, start), { metric: name })
    from = end
  }
  return [...parts, derived.slice(from)].filter((part) => part !== '')
}

/** `currency` is two decimals in the currency of the file; `integer` is a number without decimals. */
export function openFormat(format: FormatText, currency?: string): Format {
  const full: Format =
    typeof format !== 'string' ? format : format === 'integer' ? { kind: 'number', decimals: 0 } : { kind: format }
  if (full.kind === 'percent') return { decimals: 1, ...full }
  if (full.kind !== 'currency') return full
  return { decimals: 2, ...(currency !== undefined && { currency }), ...full }
}

/** `order_date` is `Order date`. */
export const labelOf = (name: string): string => {
  const words = name.replaceAll('_', ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** The metrics that a metric is made of, each with the path of the text that names it. */
export function ingredients({ compute, path }: Metric): { name: string; path: Path }[] {
  switch (compute.kind) {
    case 'aggregate':
      return []
    case 'ratio':
      return (['numerator', 'denominator'] as const).map((role) => ({
        name: compute[role],
        path: [...path, 'ratio', role],
      }))
    case 'derived':
      return compute.parts.flatMap((part) =>
        typeof part === 'string' ? [] : [{ name: part.metric, path: [...path, 'derived'] }],
      )
  }
}

/** Removes metrics made of missing ones or of themselves, until all that is left can be computed. */
function dropUnresolved(metrics: Map<string, Metric>, refuse: Refuse): void {
  const defined = [...metrics.keys()]
  for (const metric of metrics.values()) {
    if (metric.compute.kind === 'derived' && ingredients(metric).length === 0) {
      refuse([...metric.path, 'derived'], `"${metric.name}" names no metric in braces, as in {revenue}`)
      metrics.delete(metric.name)
    }
    for (const { name, path } of ingredients(metric)) {
      const circle = circleThrough(metric.name, name, metrics)
      if (defined.includes(name) && !circle) continue
      if (circle) refuse(path, `"${metric.name}" is made of itself: ${[metric.name, ...circle].join(' → ')}`)
      else
        refuse(
          path,
          `there is no metric "${name}"${didYouMean(name, others(defined, metric.name))}`,
          suggest(name, others(defined, metric.name)),
        )
      metrics.delete(metric.name)
    }
  }
  for (let dropped = true; dropped;) {
    const orphan = [...metrics.values()].find((metric) => ingredients(metric).some(({ name }) => !metrics.has(name)))
    dropped = orphan !== undefined && metrics.delete(orphan.name)
  }
}

const others = (names: string[], own: string): string[] => names.filter((name) => name !== own)

/** The way from `start` back to `target`, if there is one. */
function circleThrough(
  target: string,
  start: string,
  metrics: ReadonlyMap<string, Metric>,
  seen = new Set<string>(),
): string[] | undefined {
  if (start === target) return [target]
  const metric = metrics.get(start)
  if (!metric || seen.has(start)) return undefined
  seen.add(start)
  for (const { name } of ingredients(metric)) {
    const rest = circleThrough(target, name, metrics, seen)
    if (rest) return [start, ...rest]
  }
  return undefined
}
