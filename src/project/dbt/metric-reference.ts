// `metric('revenue')` in a template: its name while a project is parsed, all that the metric says once it is compiled.

import { Dict, fromJs, HostObject } from '../../jinja/index.ts'
import { metricValue } from './entry-dict.ts'
import { PlainObject } from './runtime-config.ts'
import type { DbtMetric, DbtProject } from './types.ts'

export class MetricReference extends HostObject {
  override readonly typeName: string = 'MetricReference'
  readonly #name: string
  readonly #package: string | undefined
  constructor(name: string, packageName: string | undefined) {
    super()
    this.#name = name
    this.#package = packageName
  }
  override attr(name: string): unknown {
    if (name === 'metric_name') return this.#name
    return name === 'package_name' ? (this.#package ?? null) : undefined
  }
  override text(): string {
    return this.#name
  }
}

const isDerived = ({ type }: DbtMetric): boolean => type === 'derived' || type === 'ratio'

export class ResolvedMetric extends MetricReference {
  override readonly typeName = 'ResolvedMetricReference'
  readonly #project: DbtProject
  readonly #metric: DbtMetric
  #values: Dict | undefined
  constructor(project: DbtProject, metric: DbtMetric) {
    super(metric.name, metric.package)
    this.#project = project
    this.#metric = metric
  }
  override attr(name: string): unknown {
    const values = (this.#values ??= fromJs(metricValue(this.#project, this.#metric)) as Dict)
    switch (name) {
      case 'node':
        return new PlainObject('Metric', values)
      case 'full_metric_dependency':
        return () => namesOf(this.#above())
      case 'base_metric_dependency':
        return () => namesOf(this.#above().filter(({ metric }) => !isDerived(metric)))
      case 'derived_metric_dependency':
        return () => namesOf(this.#above().filter(({ metric }) => isDerived(metric)))
      case 'derived_metric_dependency_depth':
        return () => {
          const derived = this.#above().filter(({ metric }) => isDerived(metric))
          return derived.map(({ metric, depth }) => new Dict([[metric.name, depth]]))
        }
      default:
        return super.attr(name) ?? values.get(name)
    }
  }

  /** Itself and the metrics that it is made of, as often as they are reached. */
  #above(metric = this.#metric, path: readonly DbtMetric[] = []): { metric: DbtMetric; depth: number }[] {
    // Metrics that are made of each other are refused when they are checked.
    if (path.includes(metric)) return []
    const parents = metric.dependsOn.flatMap((id) => this.#project.metrics.get(id) ?? [])
    const depth = path.length + 1
    return [{ metric, depth }, ...parents.flatMap((parent) => this.#above(parent, [...path, metric]))]
  }
}

const namesOf = (found: readonly { metric: DbtMetric }[]): string[] => [
  ...new Set(found.map(({ metric }) => metric.name)),
]
