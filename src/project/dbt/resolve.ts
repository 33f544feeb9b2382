// Names that are read → unique ids: refs and sources of nodes, and what exposures, metrics and their like refer to.

import { isRecord } from '../../base/record.ts'
import { Failure, type Place } from '../../base/failure.ts'
import { didYouMean } from '../../base/suggest.ts'
import type { Reading } from './reading.ts'
import { findFunction, findMetric, findRef, findSource, nodesByName, pickRef, searchOrder } from './references.ts'
import type {
  DbtEntry,
  DbtMetric,
  DbtNode,
  DbtSemanticModel,
  DbtSource,
  FunctionCall,
  MetricCall,
  RefCall,
  SourceCall,
  TestedCall,
} from './types.ts'

/** Turns the refs and sources of everything into unique ids. */
export class Resolver {
  readonly #reading: Reading
  readonly #byName: Map<string, DbtNode[]>
  /** Names of what is switched off: of nodes alone, of sources `source.table`. */
  readonly #disabled = new Set<string>()

  constructor(reading: Reading) {
    this.#reading = reading
    this.#byName = nodesByName(reading.project)
    for (const entries of reading.project.disabled.values()) {
      for (const { kind, entry } of entries) {
        if (kind === 'source') this.#disabled.add(`${entry.source}.${entry.name}`)
        else if (kind === 'node') this.#disabled.add(entry.name)
      }
    }
  }

  nodes(): void {
    for (const node of this.#reading.project.nodes.values()) this.#node(node)
  }

  #node(node: DbtNode): void {
    const { project } = this.#reading
    const found = new Set<string>()
    const missing: Failure[] = []
    let isDisabled = false
    for (const call of uniqueCalls(node.sources)) {
      const to = findSource(project, call, node.package)
      if (to) found.add(to.uniqueId)
      else {
        isDisabled ||= this.#disabled.has(`${call.source}.${call.table}`)
        missing.push(this.#sourceFailure(described(node), call))
      }
    }
    for (const ref of uniqueCalls(node.refs)) {
      const to = findRef(this.#byName, ref, searchOrder(project, node.package))
      if (to) {
        this.#checkAccess(node, to, ref)
        this.#warnOfRoot(node, to, ref)
        found.add(to.uniqueId)
      } else {
        isDisabled ||= this.#disabled.has(ref.name)
        missing.push(this.#refFailure(described(node), ref))
      }
    }
    for (const call of uniqueCalls(node.metrics)) {
      const to = findMetric(project, call, node.package)
      if (to) found.add(to.uniqueId)
      else {
        isDisabled ||= this.#isOffMetric(call)
        missing.push(this.#metricFailure(described(node), call))
      }
    }
    for (const call of node.functions) {
      const to = findFunction(project, call, node.package)
      if (to) found.add(to.uniqueId)
      else missing.push(this.#functionFailure(described(node), call))
    }
    node.dependsOn = [...found]
    if (node.test?.kind === 'generic') {
      const { of } = node.test
      const tested = this.#tested(of, node.package) ?? this.#switchedOff(of)
      node.test.attachedTo = tested?.uniqueId
      // A test belongs to the group of what it tests.
      const group = tested?.config['group']
      if (typeof group === 'string') node.group = group
    }
    if (missing.length === 0) return
    if (node.kind !== 'test') {
      this.#reading.failures.push(...missing)
      return
    }
    // As for dbt a test of what is not there or switched off is no error: it stays a node, and is never run.
    node.config['enabled'] = false
    // That a model is not there is said of its properties already.
    const isOfNothing = node.test?.kind === 'generic' && 'name' in node.test.of && !this.#byName.has(node.test.of.name)
    if (isDisabled || isOfNothing) return
    const event = { name: 'NodeNotFoundOrDisabled', code: 'I060' }
    for (const { message, place } of missing)
      this.#reading.warn(`${message}; the test is not run`, place ?? node.place, event)
  }

  #tested(of: TestedCall, from: string): DbtNode | DbtSource | undefined {
    const { project } = this.#reading
    if ('source' in of) return findSource(project, of, from)
    const named = this.#byName.get(of.name) ?? []
    // What the test's own package calls so goes before what its `ref` means.
    return (
      pickRef(named, { ...of, package: from }, []) ??
      pickRef(named, { ...of, package: undefined }, searchOrder(project, from))
    )
  }

  /** dbt notes which model a test stands under even where that is switched off. */
  #switchedOff(of: TestedCall): DbtNode | undefined {
    if ('source' in of) return undefined
    for (const entries of this.#reading.project.disabled.values())
      for (const { kind, entry } of entries)
        if (kind === 'node' && entry.kind !== 'test' && entry.name === of.name && entry.version === of.version)
          return entry
    return undefined
  }

  /** A package that reads what only the project has may make a circle with it. */
  #warnOfRoot({ name, package: from, place }: DbtNode, to: DbtNode, ref: RefCall): void {
    const root = this.#reading.project.name
    if (from === root || to.package !== root || ref.package === root) return
    this.#reading.warn(
      `The node '${name}' in package '${from}' depends on the root project node '${to.uniqueId}'. This may lead to unexpected cycles downstream. Please set the 'require_ref_searches_node_package_before_root' behavior change flag to True to avoid this issue.`,
      place,
      {
        name: 'PackageNodeDependsOnRootProjectNode',
        code: 'I077',
        data: { node_name: name, package_name: from, root_project_unique_id: to.uniqueId },
      },
    )
  }

  #checkAccess(node: DbtNode, to: DbtNode, ref: RefCall): void {
    if (to.kind !== 'model' || to.access === 'public' || to === node) return
    const isElsewhere = node.package !== to.package && this.#reading.project.packages.get(to.package)!.restrictAccess
    // A test belongs to the group of what it tests.
    const group = node.kind === 'test' && node.group === undefined ? to.group : node.group
    const isForeign = to.access === 'private' && (group === undefined || group !== to.group)
    if (!isForeign && !isElsewhere) return
    const only = isForeign
      ? `private: only members of the group "${to.group ?? ''}" may read it`
      : `${to.access}: only its package "${to.package}" may read it`
    this.#reading.failures.push(
      new Failure('MODEL_INVALID', `${described(node)} reads ref('${ref.name}'), which is ${only}`, {
        place: ref.place,
      }),
    )
  }

  #refFailure(who: string, { name, package: from, version, place }: RefCall): Failure {
    const shown = `'${name}'${version === undefined ? '' : ` with version '${version}'`}${from === undefined ? '' : ` in package or project '${from}'`}`
    return new Failure(
      'MODEL_INVALID',
      `${who} depends on a node named ${shown} which ${this.#why(name, from, version)}`,
      {
        place,
      },
    )
  }

  #why(name: string, from: string | undefined, version: string | undefined): string {
    const candidates = this.#byName.get(name) ?? []
    if (candidates.length > 0) {
      const { project } = this.#reading
      if (from !== undefined && !project.packages.has(from))
        return `was not found${didYouMean(from, project.packages.keys())}`
      const versions = candidates.flatMap((each) => each.version ?? [])
      if (version !== undefined && versions.length > 0)
        return `has no version ${version}; there are: ${versions.join(', ')}`
      if (from !== undefined)
        return `is not in the package "${from}"; it is in ${[...new Set(candidates.map((each) => each.package))].join(', ')}`
    }
    if (this.#disabled.has(name)) return 'is disabled (enabled: false)'
    return `was not found${didYouMean(name, this.#byName.keys())}`
  }

  #functionFailure(who: string, { name, package: from, place }: FunctionCall): Failure {
    const { nodes, disabled } = this.#reading.project
    const isOff = [...disabled.keys()].some((id) => id.startsWith('function.') && id.endsWith(`.${name}`))
    const known = [...nodes.values()].filter(({ kind }) => kind === 'function').map((each) => each.name)
    const why = isOff ? 'is disabled (enabled: false)' : `was not found${didYouMean(name, known)}`
    const within = from === undefined ? '' : ` in package or project '${from}'`
    return new Failure('MODEL_INVALID', `${who} depends on a function named '${name}'${within} which ${why}`, { place })
  }

  #isOffMetric({ name, package: from }: MetricCall): boolean {
    const off = [...this.#reading.project.disabled.values()].flat()
    return off.some(
      ({ kind, entry }) => kind === 'metric' && entry.name === name && (from === undefined || entry.package === from),
    )
  }

  #metricFailure(who: string, call: MetricCall): Failure {
    const known = Array.from(this.#reading.project.metrics.values(), ({ name }) => name)
    const why = this.#isOffMetric(call)
      ? 'is disabled (enabled: false)'
      : `was not found${didYouMean(call.name, known)}`
    const within = call.package === undefined ? '' : ` in package or project '${call.package}'`
    const message = `${who} depends on a metric named '${call.name}'${within} which ${why}`
    return new Failure('MODEL_INVALID', message, { place: call.place })
  }

  #sourceFailure(who: string, { source, table, place }: SourceCall): Failure {
    if (this.#disabled.has(`${source}.${table}`))
      return new Failure(
        'MODEL_INVALID',
        `${who} depends on a source named '${source}.${table}' which is disabled (enabled: false)`,
        { place },
      )
    const known = [...this.#reading.project.sources.values()]
    const tables = known.filter((each) => each.source === source).map(({ name }) => name)
    const suggestion =
      tables.length > 0 ? didYouMean(table, tables) : didYouMean(source, new Set(known.map((each) => each.source)))
    return new Failure(
      'MODEL_INVALID',
      `${who} depends on a source named '${source}.${table}' which was not found${suggestion}`,
      {
        place,
      },
    )
  }

  // --- what YAML alone defines

  entries(): void {
    const { project, failures } = this.#reading
    for (const model of project.semanticModels.values()) this.#tables(model, 'the semantic model')
    for (const metric of project.metrics.values()) this.#metric(metric)
    for (const exposure of project.exposures.values()) {
      this.#tables(exposure, 'the exposure')
      this.#metricsOf(exposure, 'the exposure')
    }
    for (const query of project.savedQueries.values()) this.#metricsOf(query, 'the saved query')
    this.#checkGroups(failures)
  }

  #tables(entry: DbtEntry, kind: string): void {
    const { project, failures } = this.#reading
    const who = `${kind} "${entry.name}"`
    const found: string[] = []
    for (const call of entry.sources) {
      const to = findSource(project, call, entry.package)
      if (to) found.push(to.uniqueId)
      else failures.push(this.#sourceFailure(who, call))
    }
    for (const ref of entry.refs) {
      const to = findRef(this.#byName, ref, searchOrder(project, entry.package))
      if (!to) failures.push(this.#refFailure(who, ref))
      else if (to.access === 'private' && to.group !== entry.group)
        failures.push(
          new Failure(
            'MODEL_INVALID',
            `${who} reads ref('${ref.name}'), which is private to the group "${to.group ?? ''}"`,
            {
              place: ref.place,
            },
          ),
        )
      else found.push(to.uniqueId)
    }
    entry.dependsOn = [...new Set([...entry.dependsOn, ...found])]
  }

  #metricsOf(entry: DbtEntry, kind: string): void {
    for (const name of entry.metrics) {
      const to = findMetric(this.#reading.project, { name, package: undefined }, entry.package)
      if (to) entry.dependsOn = [...new Set([...entry.dependsOn, to.uniqueId])]
      else this.#noMetric(`${kind} "${entry.name}"`, name, entry.place)
    }
  }

  #noMetric(who: string, name: string, place: Place): void {
    const known = [...this.#reading.project.metrics.values()].map((each) => each.name)
    this.#reading.wrong(`${who} reads the metric "${name}", which is not there${didYouMean(name, known)}`, place)
  }

  /** Simple metrics stand on the semantic models that hold their measures, the others on metrics. */
  #metric(metric: DbtMetric): void {
    const { value, type, place } = metric
    const params = isRecord(value['type_params']) ? value['type_params'] : {}
    const nameOf = (input: unknown) =>
      isRecord(input) ? String(input['name']) : input === undefined || input === null ? undefined : String(input)
    const who = `the metric "${metric.name}"`
    const found = new Set<string>()
    const conversion = isRecord(params['conversion_type_params']) ? params['conversion_type_params'] : {}
    const cumulative = isRecord(params['cumulative_type_params']) ? params['cumulative_type_params'] : {}
    const measures =
      type === 'conversion'
        ? [conversion['base_measure'], conversion['conversion_measure']]
        : type === 'simple' || type === 'cumulative'
          ? [params['measure']]
          : []
    for (const measure of measures) {
      const name = nameOf(measure)
      if (name === undefined) {
        // The newer spelling defines a simple metric by its aggregation, and others by metrics: without a measure.
        const isNew = value['agg'] !== undefined || 'is_private' in params
        if (!isNew && params['metric_aggregation_params'] === undefined)
          this.#reading.wrong(`${who} names no measure under type_params`, place)
        else if (type === 'cumulative' && cumulative['metric'] === undefined)
          this.#reading.wrong(`input_metric is required for cumulative metrics: ${who}`, place)
        else if (type === 'conversion' && conversion['base_metric'] === undefined)
          this.#reading.wrong(`base_metric is required for conversion metrics: ${who}`, place)
        continue
      }
      const model = this.#modelWithMeasure(name)
      if (model) found.add(model.uniqueId)
      else {
        const known = [...this.#reading.project.semanticModels.values()].flatMap(measuresOf)
        const off = this.#disabledWithMeasure(name)
        const why =
          off === undefined
            ? `which no semantic model has${didYouMean(name, known)}`
            : `which is off: The measure \`${name}\` is referenced on disabled semantic model \`${off}\`.`
        this.#reading.wrong(`${who} reads the measure "${name}", ${why}`, place)
      }
    }
    const ofMetrics = [cumulative['metric'], conversion['base_metric'], conversion['conversion_metric']].filter(
      (each) => each !== undefined && each !== null,
    )
    const inputs =
      ofMetrics.length > 0
        ? ofMetrics
        : type === 'ratio'
          ? [params['numerator'], params['denominator']]
          : type === 'derived' && Array.isArray(params['metrics'])
            ? (params['metrics'] as unknown[])
            : []
    if (type === 'ratio' && inputs.some((input) => input === undefined || input === null))
      this.#reading.wrong(`${who} is a ratio and needs a numerator and a denominator`, place)
    if (type === 'derived' && inputs.length === 0) this.#reading.wrong(`${who} is derived and names no metrics`, place)
    for (const input of inputs) {
      const name = nameOf(input)
      if (name === undefined) continue
      const to = findMetric(this.#reading.project, { name, package: undefined }, metric.package)
      if (to) {
        found.add(to.uniqueId)
        metric.metrics.push(name)
      } else this.#noMetric(who, name, place)
    }
    const aggregated = isRecord(params['metric_aggregation_params']) ? params['metric_aggregation_params'] : undefined
    if (aggregated) {
      const about = String(aggregated['semantic_model'] ?? '')
      const model = [...this.#reading.project.semanticModels.values()].find(({ name }) => name === about)
      if (model) found.add(model.uniqueId)
      else this.#reading.wrong(`simple metrics in v2 YAML must be attached to semantic_model: ${who} is not`, place)
    }
    metric.dependsOn = [...found]
  }

  #modelWithMeasure(name: string): DbtSemanticModel | undefined {
    return [...this.#reading.project.semanticModels.values()].find((model) => measuresOf(model).includes(name))
  }

  #disabledWithMeasure(name: string): string | undefined {
    const all = [...this.#reading.project.disabled.values()].flat()
    return all.find(
      ({ kind, entry }) => kind === 'semantic model' && measuresOf(entry as DbtSemanticModel).includes(name),
    )?.entry.name
  }

  #checkGroups(failures: Failure[]): void {
    const { project } = this.#reading
    const groups = new Set([...project.groups.values()].map(({ name }) => name))
    const check = (who: string, group: string | undefined, place: Place) => {
      if (group === undefined || groups.has(group)) return
      failures.push(
        new Failure(
          'PROJECT_INVALID',
          `Invalid group '${group}' of ${who}: no such group is defined${didYouMean(group, groups)}`,
          {
            place,
          },
        ),
      )
    }
    for (const node of project.nodes.values()) check(described(node), node.group, node.patch ?? node.place)
    for (const entry of [
      ...project.metrics.values(),
      ...project.semanticModels.values(),
      ...project.savedQueries.values(),
    ])
      check(`"${entry.name}"`, entry.group, entry.place)
  }
}

const described = (node: DbtNode): string => `${node.kind} "${node.name}"`

const measuresOf = ({ value }: DbtSemanticModel): string[] =>
  Array.isArray(value['measures']) ? value['measures'].filter(isRecord).map(({ name }) => String(name)) : []

/** What is called twice is looked up, and missed, once. */
function uniqueCalls<Call extends { place: Place }>(calls: readonly Call[]): Call[] {
  const first = new Map<string, Call>()
  for (const call of calls) {
    const key = JSON.stringify({ ...call, place: null })
    if (!first.has(key)) first.set(key, call)
  }
  return [...first.values()]
}
