// What YAML alone defines besides sources and tests: groups, exposures, metrics, semantic models, saved queries.

import { isRecord } from '../../base/record.ts'
import { Failure, type Place } from '../../base/failure.ts'
import { findCalls } from '../../jinja/index.ts'
import { didYouMean } from '../../base/suggest.ts'
import { emptyParsed, readCall, refOrSource } from './calls.ts'
import { configOf, tagsOf } from './config.ts'
import { deprecations } from './deprecations.ts'
import { listOfTexts } from './entry-reader.ts'
import type { YamlEntry } from './properties.ts'
import { relativeFolders, type Reading } from './reading.ts'
import type { Config, DbtEntry, DbtGroup, DbtPackage, Disabled } from './types.ts'
import { gathering } from './yaml-file.ts'

export function readEntries(reading: Reading): void {
  for (const { from, found } of reading.properties) {
    for (const entry of found.entries) gathering(reading.failures, () => readEntry(reading, from, entry))
  }
}

function readEntry(reading: Reading, from: DbtPackage, entry: YamlEntry): void {
  const { project } = reading
  switch (entry.section) {
    case 'groups':
      return keep(project.groups, groupOf(reading, from, entry))
    case 'exposures': {
      const exposure = exposureOf(reading, from, entry)
      return isEnabled(reading, 'exposure', exposure) ? keep(project.exposures, exposure) : undefined
    }
    case 'metrics': {
      const metric = metricOf(reading, from, entry)
      return isEnabled(reading, 'metric', metric) ? keep(project.metrics, metric) : undefined
    }
    case 'semantic_models': {
      const model = semanticModelOf(reading, from, entry)
      if (isEnabled(reading, 'semantic model', model)) keep(project.semanticModels, model)
      for (const metric of metricsOfMeasures(reading, from, entry, model))
        if (isEnabled(reading, 'metric', metric)) keep(project.metrics, metric)
      return
    }
    case 'saved_queries': {
      const query = savedQueryOf(reading, from, entry)
      return isEnabled(reading, 'saved query', query) ? keep(project.savedQueries, query) : undefined
    }
    case 'unit_tests':
  }
}

function keep<One extends DbtEntry | DbtGroup>(into: Map<string, One>, one: One): void {
  const other = into.get(one.uniqueId)
  if (other) {
    const kind = one.uniqueId.split('.')[0]!.replace('_', ' ')
    const plural = kind === 'saved query' ? 'saved queries' : `${kind}s`
    throw new Failure(
      'PROJECT_INVALID',
      `dbt found two ${plural} with the name "${one.name}": here and in ${other.file}:${other.place.line ?? 1}`,
      { place: one.place },
    )
  }
  into.set(one.uniqueId, one)
}

function isEnabled(
  reading: Reading,
  kind: Exclude<Disabled['kind'], 'node' | 'source' | 'unit test'>,
  entry: DbtEntry,
) {
  if (reading.isEnabled(entry)) return true
  const { project } = reading
  project.disabled.set(entry.uniqueId, [...(project.disabled.get(entry.uniqueId) ?? []), { kind, entry }])
  return false
}

const wrongAt = (message: string, place: Place | undefined) =>
  new Failure('PROJECT_INVALID', message, { ...(place && { place }) })

function ownerOf({ name, value, keys, place, section }: YamlEntry): Config {
  const kind = section.replace(/s$/, '')
  const { owner } = value
  if (!isRecord(owner))
    throw wrongAt(`the ${kind} "${name}" has no owner: {name: …} or {email: …}`, keys['owner'] ?? place)
  if (!owner['name'] && !owner['email'])
    throw wrongAt(`the owner of the ${kind} "${name}" needs a name or an email`, keys['owner'])
  return owner
}

function groupOf({ root }: Reading, from: DbtPackage, entry: YamlEntry): DbtGroup {
  const { name, value, file, place } = entry
  const own = isRecord(value['config']) ? value['config'] : {}
  const fqn = [from.name, ...relativeFolders(from, file), name]
  const { 'pre-hook': _pre, 'post-hook': _post, ...config } = configOf('group', fqn, [own], { from, root }).config
  return {
    uniqueId: `group.${from.name}.${name}`,
    name,
    package: from.name,
    description: textOf(value, 'description') ?? '',
    owner: ownerOf(entry),
    config,
    file,
    place,
  }
}

const textOf = (value: Config, key: string): string | undefined => {
  const text = value[key]
  return text === undefined || text === null ? undefined : String(text)
}

type Kind = 'exposure' | 'metric' | 'semantic model' | 'saved query'

function entryOf({ root }: Reading, from: DbtPackage, kind: Kind, entry: YamlEntry): DbtEntry {
  const { name, value, file, place } = entry
  const fqn = [from.name, ...relativeFolders(from, file), name]
  const own = isRecord(value['config']) ? value['config'] : {}
  const { config } = configOf(kind, fqn, [own], { from, root })
  // dbt's own exception: `meta` of exposures in dbt_project.yml needs no `+`.
  const above = kind === 'exposure' ? from.configs.exposures['meta'] : undefined
  const beside = { ...(isRecord(above) && above), ...(isRecord(value['meta']) && value['meta']) }
  const meta = { ...beside, ...(isRecord(config['meta']) ? config['meta'] : {}) }
  const tags = [...new Set([...listOfTexts(value['tags']), ...tagsOf(config)])].sort()
  return {
    uniqueId: `${kind.replace(' ', '_')}.${from.name}.${name}`,
    name,
    package: from.name,
    fqn,
    description: textOf(value, 'description') ?? '',
    label: textOf(value, 'label'),
    config: kind === 'exposure' ? { ...config, tags, meta } : config,
    tags,
    meta,
    group: textOf(config, 'group'),
    refs: [],
    sources: [],
    metrics: [],
    dependsOn: [],
    value,
    file,
    place,
  }
}

const exposureTypes = ['dashboard', 'notebook', 'analysis', 'ml', 'application']
const maturities = ['low', 'medium', 'high']

function exposureOf(reading: Reading, from: DbtPackage, entry: YamlEntry) {
  const { name, value, keys, parts, place } = entry
  const type = textOf(value, 'type')
  if (type === undefined) throw wrongAt(`the exposure "${name}" has no type`, place)
  if (!exposureTypes.includes(type))
    throw wrongAt(`the exposure "${name}" is a "${type}"; it must be one of ${exposureTypes.join(', ')}`, keys['type'])
  const maturity = textOf(value, 'maturity')
  if (maturity !== undefined && !maturities.includes(maturity))
    throw wrongAt(`"maturity" is "${maturity}"; it must be one of ${maturities.join(', ')}`, keys['maturity'])
  if (!/^[\p{L}\p{N}_-]+$/u.test(name)) reading.deprecated(deprecations.exposureName(name), place)
  const owner = ownerOf(entry)
  const parsed = emptyParsed()
  const metrics: string[] = []
  for (const [index, text] of listOfTexts(value['depends_on']).entries()) {
    const at = parts[index] ?? place
    const { calls } = findCalls(`{{ ${text} }}`, ['ref', 'source', 'metric'])
    // dbt takes it, and takes nothing from it.
    if (calls.length === 0)
      reading.warn(`"${text}" is passed over: it is no ref('…'), source('…', '…') or metric('…')`, at)
    if (calls.some(({ literal }) => !literal))
      throw wrongAt(`"${text}" must be ref('…'), source('…', '…') or metric('…')`, at)
    for (const call of calls) {
      if (call.name === 'metric') metrics.push(String(call.literal!.args.at(-1)))
      else readCall({ ...call, place: at }, parsed)
    }
  }
  return {
    ...entryOf(reading, from, 'exposure', entry),
    refs: parsed.refs,
    sources: parsed.sources,
    metrics,
    type,
    maturity,
    url: textOf(value, 'url'),
    owner,
  }
}

/** In dbt's words. */
function nameProblem(name: string): string | undefined {
  if (name.includes(' ')) return 'cannot contain spaces'
  if (!/^\w*$/.test(name)) return 'must contain only letters, numbers and underscores'
  if (!/^[A-Za-z]/.test(name)) return 'must begin with a letter'
  return name.length > 250 ? 'cannot contain more than 250 characters' : undefined
}

const metricTypes = ['simple', 'ratio', 'cumulative', 'derived', 'conversion']

function metricOf(reading: Reading, from: DbtPackage, entry: YamlEntry) {
  const { name, value, keys, place } = entry
  const problem = nameProblem(name)
  if (problem !== undefined) throw wrongAt(`The metric name '${name}' is invalid.  It ${problem}`, keys['name'])
  const type = textOf(value, 'type')?.toLowerCase()
  if (type === undefined) throw wrongAt(`the metric "${name}" has no type`, place)
  if (!metricTypes.includes(type))
    throw wrongAt(
      `the metric "${name}" is of the type "${type}"; it must be one of ${metricTypes.join(', ')}${didYouMean(type, metricTypes, 0)}`,
      keys['type'],
    )
  const base = entryOf(reading, from, 'metric', entry)
  const isNewSpelling = isRecord(value['type_params']) && 'is_private' in value['type_params']
  // dbt's own: tags of `config` select no metric, and the newer spelling has neither tags nor meta beside `config`.
  const { tags, meta } = isNewSpelling ? { tags: [], meta: {} } : { tags: listOfTexts(value['tags']), meta: base.meta }
  return { ...base, type, tags, meta }
}

function semanticModelOf(reading: Reading, from: DbtPackage, entry: YamlEntry) {
  const { name, value, keys, place } = entry
  const model = textOf(value, 'model')
  if (model === undefined) throw wrongAt(`the semantic model "${name}" names no model`, place)
  const parsed = refOrSource(model, keys['model'] ?? place)
  if (!parsed || parsed.refs.length === 0)
    throw wrongAt(`"model" of the semantic model "${name}" must be ref('…'), not "${model}"`, keys['model'])
  checkElements(entry)
  return { ...entryOf(reading, from, 'semantic model', entry), refs: parsed.refs, model }
}

/** A name means one thing: queries know entities, dimensions and measures by name alone. */
function checkElements({ name, value, place }: YamlEntry): void {
  const kinds = new Map<string, string>()
  for (const section of ['entities', 'dimensions', 'measures'])
    for (const element of Array.isArray(value[section]) ? value[section] : []) {
      if (!isRecord(element)) continue
      const known = kinds.get(String(element['name']))
      const kind = section === 'entities' ? 'entity' : section.slice(0, -1)
      if (known !== undefined)
        throw wrongAt(
          `In semantic model "${name}", can't use name "${String(element['name'])}" for a ${kind} when it was already used for a ${known}`,
          place,
        )
      kinds.set(String(element['name']), kind)
    }
}

/** `create_metric: true` makes a metric of a measure. */
function metricsOfMeasures(reading: Reading, from: DbtPackage, entry: YamlEntry, model: DbtEntry) {
  const measures = Array.isArray(entry.value['measures']) ? entry.value['measures'].filter(isRecord) : []
  return measures
    .filter((measure) => measure['create_metric'] === true)
    .map((measure) => {
      const name = String(measure['name'])
      const value: Config = {
        name,
        label: measure['label'] ?? name,
        type: 'simple',
        type_params: { measure: name, expr: measure['expr'] ?? name },
        description: measure['description'] ?? `Metric created from measure ${name}`,
        config: { enabled: model.config['enabled'] !== false, meta: model.config['meta'] ?? {} },
      }
      return metricOf(reading, from, { ...entry, section: 'metrics', name, value })
    })
}

function savedQueryOf(reading: Reading, from: DbtPackage, entry: YamlEntry) {
  const { name, value, place } = entry
  const params = value['query_params']
  if (!isRecord(params)) throw wrongAt(`the saved query "${name}" has no query_params`, place)
  return { ...entryOf(reading, from, 'saved query', entry), metrics: listOfTexts(params['metrics']) }
}
