// What dbt refuses of semantic models, metrics and saved queries once all of them are known: it holds them against each other
// where there are both metrics and semantic models.

import { isRecord } from '../../base/record.ts'
import { deprecations } from './deprecations.ts'
import { listOfTexts } from './entry-reader.ts'
import type { Reading } from './reading.ts'
import type { Config, DbtEntry, DbtMetric, DbtProject, DbtSavedQuery, DbtSemanticModel } from './types.ts'

type Found = Generator<readonly [entry: DbtEntry, message: string]>

export function checkSemantics(reading: Reading): void {
  const { project } = reading
  if (project.metrics.size === 0 || project.semanticModels.size === 0) return
  for (const rule of [names, labels, acrossModels]) told(rule(project))
  for (const model of project.semanticModels.values()) for (const rule of [primaryEntity, measures]) told(rule(model))
  for (const metric of project.metrics.values()) told(inputs(metric))
  for (const query of project.savedQueries.values()) told(savedQuery(query, project))
  for (const { name, value, place } of project.metrics.values()) {
    const params = recordIn(value, 'type_params')
    // dbt refuses this spelling of its earlier versions, unless a flag says otherwise.
    if (params['window'] || params['grain_to_date']) reading.deprecated(deprecations.cumulativeParams(name), place)
  }

  function told(found: Found): void {
    for (const [entry, message] of found) reading.wrong(message, entry.place)
  }
}

const kinds = ['entity', 'dimension', 'measure'] as const
const sections = { entity: 'entities', dimension: 'dimensions', measure: 'measures' } as const

const listIn = (value: Config, key: string): Config[] =>
  Array.isArray(value[key]) ? (value[key] as unknown[]).filter(isRecord) : []
const recordIn = (value: Config, key: string): Config => (isRecord(value[key]) ? value[key] : {})
const elementsOf = ({ value }: DbtEntry, kind: (typeof kinds)[number]) => listIn(value, sections[kind])
const nameOf = (element: Config): string => String(element['name'])
const wordOf = (value: unknown): string => String(value ?? '').toLowerCase()

const granularities = new Set(
  'nanosecond microsecond millisecond second minute hour day week month quarter year'.split(' '),
)
const reserved = new Set(['metric_time', 'mf_internal_uuid'])

function* names({ semanticModels, metrics, savedQueries }: DbtProject): Found {
  for (const entry of [...semanticModels.values(), ...metrics.values(), ...savedQueries.values()])
    yield* named(entry, entry.name)
  for (const model of semanticModels.values())
    for (const kind of kinds)
      for (const element of elementsOf(model, kind)) yield* named(model, nameOf(element), ` of ${model.name}`)
}

function* named(entry: DbtEntry, name: string, where = ''): Found {
  if (!/^[a-z](?:(?!__)[a-z0-9_])*[a-z0-9]$/.test(name))
    yield [
      entry,
      `the name "${name}"${where} must have two characters or more: lower case letters, digits and single underscores, a letter first and no underscore last`,
    ]
  else if (granularities.has(name)) yield [entry, `the name "${name}"${where} is that of a granularity of time`]
  else if (reserved.has(name)) yield [entry, `the name "${name}"${where} is reserved`]
}

function* labels({ semanticModels, metrics }: DbtProject): Found {
  yield* distinct([...metrics.values()].map((entry) => [entry, entry.label, `the metric "${entry.name}"`]))
  yield* distinct([...semanticModels.values()].map((entry) => [entry, entry.label, `semantic model "${entry.name}"`]))
  for (const model of semanticModels.values())
    for (const kind of kinds) {
      const labelled = elementsOf(model, kind).map((element) => {
        const label = typeof element['label'] === 'string' ? element['label'] : undefined
        return [model, label, `the ${kind} "${nameOf(element)}"`] as const
      })
      yield* distinct(labelled)
    }
}

function* distinct(labelled: readonly (readonly [DbtEntry, string | undefined, who: string])[]): Found {
  const known = new Map<string, string>()
  for (const [entry, label, who] of labelled) {
    if (label === undefined) continue
    const other = known.get(label)
    if (other !== undefined) yield [entry, `${who} has the label "${label}", which is that of ${other}`]
    else known.set(label, who)
  }
}

/** One name means one thing wherever it stands, since queries know it without its model. */
function* acrossModels({ semanticModels }: DbtProject): Found {
  const seen = new Map<string, { kind: string; form: string; model: string }>()
  const measured = new Map<string, string>()
  const pairs = new Map<string, string>()
  for (const model of semanticModels.values()) {
    for (const kind of kinds)
      for (const element of elementsOf(model, kind)) {
        const name = nameOf(element)
        const form = kind === 'dimension' ? `${wordOf(element['type'])} ${element['is_partition'] === true}` : ''
        const other = seen.get(name)
        if (!other) seen.set(name, { kind, form, model: model.name })
        else if (other.kind !== kind)
          yield [model, `"${name}" is a ${kind} in ${model.name} and a ${other.kind} in ${other.model}`]
        else if (other.form !== form)
          yield [
            model,
            `the dimension "${name}" has another type or is_partition in ${model.name} than in ${other.model}`,
          ]
        if (kind === 'measure') {
          if (measured.has(name))
            yield [model, `the measure "${name}" is in ${measured.get(name)} and in ${model.name}`]
          measured.set(name, model.name)
        }
      }
    const primary = model.value['primary_entity'] ?? primariesOf(model)[0]
    for (const dimension of primary === undefined ? [] : elementsOf(model, 'dimension')) {
      const pair = `${String(primary)}__${nameOf(dimension)}`
      const owner = pairs.get(pair)
      if (owner !== undefined && owner !== model.name)
        yield [model, `the dimension "${pair}" is in ${owner} and in ${model.name}`]
      pairs.set(pair, model.name)
    }
  }
}

const primariesOf = (model: DbtSemanticModel): string[] =>
  elementsOf(model, 'entity')
    .filter(({ type }) => wordOf(type) === 'primary')
    .map(nameOf)

function* primaryEntity(model: DbtSemanticModel): Found {
  const primaries = primariesOf(model)
  const set = model.value['primary_entity'] ?? undefined
  const who = `the semantic model "${model.name}"`
  if (primaries.length > 1) yield [model, `${who} has more than one primary entity: ${primaries.join(', ')}`]
  else if (primaries.length > 0 && set !== undefined)
    yield [model, `${who} has a primary entity, "${primaries[0]}", and primary_entity besides`]
  else if (primaries.length === 0 && set === undefined && elementsOf(model, 'dimension').length > 0)
    yield [model, `${who} has dimensions and no primary entity: give an entity the type primary, or set primary_entity`]
}

function* measures(model: DbtSemanticModel): Found {
  const defaults = recordIn(model.value, 'defaults')
  const times = elementsOf(model, 'dimension').filter(({ type }) => wordOf(type) === 'time')
  for (const measure of elementsOf(model, 'measure')) {
    const who = `the measure "${nameOf(measure)}" of ${model.name}`
    const time = measure['agg_time_dimension'] ?? defaults['agg_time_dimension'] ?? undefined
    if (time === undefined)
      yield [model, `${who} has no agg_time_dimension, and the semantic model has no default of one`]
    else if (!times.some((each) => nameOf(each) === time))
      yield [model, `${who} is of the time "${String(time)}", which is no time dimension of the semantic model`]
    const expr = measure['expr'] ?? undefined
    if (wordOf(measure['agg']) === 'count') {
      if (expr === undefined) yield [model, `${who} is a count and needs an expr; 1 counts all rows`]
      else if (/^distinct /i.test(String(expr)))
        yield [model, `${who} is a count of distinct values: use count_distinct`]
    }
    const { percentile } = recordIn(measure, 'agg_params')
    if (wordOf(measure['agg']) === 'percentile' && !(Number(percentile ?? NaN) > 0 && Number(percentile) < 1))
      yield [model, `${who} needs agg_params.percentile between 0 and 1`]
  }
}

function* inputs({ name, type, value, ...entry }: DbtMetric): Found {
  const metric = { ...entry, name, type, value }
  const params = recordIn(value, 'type_params')
  const cumulative = recordIn(params, 'cumulative_type_params')
  const isSet = (key: string) => Boolean(cumulative[key] ?? params[key])
  if (type === 'cumulative' && isSet('window') && isSet('grain_to_date'))
    yield [metric, `the metric "${name}" has both window and grain_to_date: one of them says how far it reaches`]
  const read = listIn(params, 'metrics')
  const used = new Set(read.map(nameOf))
  for (const input of read) {
    if (type === 'derived' && typeof input['alias'] === 'string') {
      yield* named(metric, input['alias'], ` in the metric "${name}"`)
      if (used.has(input['alias']))
        yield [metric, `the metric "${name}" calls two of its metrics "${input['alias']}": choose another alias`]
    }
    if (input['offset_window'] && input['offset_to_grain'])
      yield [metric, `the metric "${name}" has both offset_window and offset_to_grain for "${nameOf(input)}"`]
  }
}

function* savedQuery(query: DbtSavedQuery, { semanticModels, metrics }: DbtProject): Found {
  const params = recordIn(query.value, 'query_params')
  const known = new Set([...metrics.values()].map(({ name }) => name)).add('metric_time')
  for (const model of semanticModels.values())
    for (const kind of ['dimension', 'entity'] as const)
      for (const element of elementsOf(model, kind)) known.add(nameOf(element))
  for (const item of listOfTexts(params['group_by'])) {
    const [, written] = /^\s*(?:Dimension|TimeDimension|Entity|Metric)\(\s*['"]([^'"]+)['"]/.exec(item) ?? []
    if (written === undefined) continue
    // `order__ordered_at__month`: entities that lead there, the name, a granularity.
    const parts = written.split('__')
    if (parts.length > 1 && granularities.has(parts.at(-1)!)) parts.pop()
    if (!known.has(parts.at(-1)!))
      yield [query, `the saved query "${query.name}" is grouped by ${item}, which is no dimension or entity`]
  }
  if (typeof params['limit'] === 'number' && params['limit'] < 0)
    yield [query, `the saved query "${query.name}" has a limit below 0`]
}
