// Names in a question → definitions of one model. A name that is not there says which names are.
//
// Every failure carries the wrong name as `context.name`, so that whoever took the question out of a file finds its place.

import { Failure } from '../base/failure.ts'
import { didYouMean, suggest } from '../base/suggest.ts'
import { Grain } from '../contract/index.ts'
import { isTime, type Dimension, type Metric, type Model, type Models } from './model.ts'

type Names = { model?: string | undefined; metrics: readonly string[]; dimensions: readonly string[] }

/** `sales.revenue` is revenue of the model sales; `revenue` is that of the only model that has one. */
const split = (name: string): { model: string | null; own: string } => {
  const dot = name.indexOf('.')
  return dot === -1 ? { model: null, own: name } : { model: name.slice(0, dot), own: name.slice(dot + 1) }
}

/** The one model that a question is about. @throws METRIC_INVALID when there is none, or more than one */
export function modelOf({ model, metrics, dimensions }: Names, models: Models): Model {
  const all = [...models.values()]
  const named = [
    ...new Set(
      [model, ...[...metrics, ...dimensions].map((name) => split(name).model)].filter(
        (name) => name !== undefined && name !== null,
      ),
    ),
  ]
  if (named.length > 1)
    throw invalid(
      named[1]!,
      `one question is about one model, not about ${named.map((name) => `"${name}"`).join(' and ')}`,
    )
  if (named.length === 1) {
    const found = models.get(named[0]!)
    return found ?? fail(missing('model', named[0]!, [...models.keys()]))
  }
  const withMetrics = all.filter((one) => metrics.every((name) => one.metrics.has(name)))
  const whole = withMetrics.filter((one) => dimensions.every((name) => one.dimensions.has(name)))
  const candidates = whole.length > 0 ? whole : withMetrics
  const [found, other] = candidates
  if (found && !other) return found
  const first = metrics[0] ?? dimensions[0]
  if (found && other) {
    if (!first) throw new Failure('METRIC_INVALID', `name one of the models: ${[...models.keys()].join(', ')}`)
    throw invalid(
      first,
      `"${first}" is in the models ${candidates.map(({ name }) => name).join(' and ')}; write for example "${found.name}.${first}"`,
    )
  }
  for (const name of metrics) if (!all.some((one) => one.metrics.has(name))) throw missingMetric(name, all)
  throw invalid(
    metrics[1] ?? metrics[0]!,
    `one question is about one model, but ${metrics.map((name) => `"${name}"`).join(', ')} are of different ones`,
  )
}

export function metricOf(name: string, model: Model): Metric {
  return model.metrics.get(split(name).own) ?? fail(missingMetric(name, [model]))
}

export function dimensionOf(name: string, model: Model): Dimension {
  return (
    model.dimensions.get(split(name).own) ??
    fail(missing('dimension', name, [...model.dimensions.keys()], ` in the model "${model.name}"`))
  )
}

/** `order_date:month` is the time dimension order_date by month. */
export function groupOf(text: string, model: Model): { dimension: Dimension; grain: Grain | null } {
  const { name, grain } = splitGrain(text)
  const dimension = dimensionOf(name, model)
  if (grain === null) return { dimension, grain }
  if (!Grain.options.includes(grain as Grain))
    throw new Failure('METRIC_INVALID', `"${grain}" is not a grain of time${didYouMean(grain, Grain.options)}`, {
      name: text,
      suggestions: suggest(grain, Grain.options).map((one) => `${name}:${one}`),
    })
  if (!isTime(dimension)) throw invalid(text, `"${name}" is a ${dimension.type} and has no grain of time`)
  if (grain === 'hour' && dimension.type === 'date') throw invalid(text, `"${name}" is a date and has no hours`)
  return { dimension, grain: grain as Grain }
}

export const splitGrain = (text: string): { name: string; grain: string | null } => {
  const colon = text.indexOf(':')
  return colon === -1 ? { name: text, grain: null } : { name: text.slice(0, colon), grain: text.slice(colon + 1) }
}

const invalid = (name: string, message: string): Failure => new Failure('METRIC_INVALID', message, { name })

function missingMetric(name: string, models: Model[]): Failure {
  const own = split(name).own
  const broken = models.find((model) => model.broken.has(own))
  if (broken)
    return invalid(
      name,
      `the metric "${own}" cannot be used: it, or a metric it is made of, has a mistake in ${broken.source.file}`,
    )
  return missing(
    'metric',
    name,
    models.flatMap((model) => [...model.metrics.keys()]),
  )
}

const missing = (noun: string, name: string, candidates: string[], where = ''): Failure =>
  new Failure('METRIC_INVALID', `there is no ${noun} "${name}"${where}${didYouMean(split(name).own, candidates)}`, {
    name,
    suggestions: suggest(split(name).own, candidates),
  })

function fail(failure: Failure): never {
  throw failure
}
