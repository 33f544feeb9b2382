// What dbt only warns of once a project is read: models past their time, settings that reach nothing, constraints that
// nobody will hold.

import { isRecord } from '../../base/record.ts'
import { warnOfUnfiltered } from './microbatch.ts'
import type { Reading } from './reading.ts'
import { versionedName } from './references.ts'
import type { Config, ConfigTree, DbtNode, DbtProject } from './types.ts'

export function addNotices(reading: Reading): void {
  warnOfDeprecated(reading)
  warnOfUnused(reading)
  for (const node of reading.project.nodes.values()) {
    warnOfConstraints(reading, node)
    warnOfUnfiltered(reading, node)
  }
}

function warnOfDeprecated(reading: Reading): void {
  const { project } = reading
  const now = project.options.startedAt ?? Date.now()
  const deprecated = [...project.nodes.values()].filter(({ deprecationDate }) => deprecationDate !== undefined)
  for (const node of deprecated) {
    const date = node.deprecationDate!
    const isPast = Date.parse(date) < now
    if (isPast)
      reading.warn(
        `Model ${versionedName(node)} has passed its deprecation date of ${date}. This model should be disabled or removed.`,
        node.patch ?? node.place,
        { name: 'DeprecatedModel', code: 'I065', data: modelData(node) },
      )
    const isOld = node.version !== undefined && node.version !== node.latestVersion
    const latest = `{{ ref('${node.package}', '${node.name}', v='${node.latestVersion}') }}`
    const instead = isOld ? ` A new version of '${node.name}' is there: ${latest}.` : ''
    for (const reader of project.nodes.values()) {
      if (reader.kind !== 'model' || !reader.dependsOn.includes(node.uniqueId)) continue
      const when = isPast ? `was deprecated on '${date}'` : `is slated for deprecation on '${date}'`
      reading.warn(
        `While compiling '${reader.name}': Found a reference to ${versionedName(node)}, which ${when}.${instead}`,
        reader.place,
        {
          ...(isPast
            ? { name: 'DeprecatedReference', code: 'I067' }
            : { name: 'UpcomingReferenceDeprecation', code: 'I066' }),
          data: { ...referenceData(node), model_name: reader.name },
        },
      )
    }
  }
}

const versionText = (version: unknown): string => (version === undefined ? '' : String(version))

const modelData = (node: DbtNode) => ({
  model_name: node.name,
  model_version: versionText(node.version),
  deprecation_date: node.deprecationDate,
})

const referenceData = (node: DbtNode) => ({
  ref_model_package: node.package,
  ref_model_name: node.name,
  ref_model_version: versionText(node.version),
  ref_model_latest_version: versionText(node.latestVersion),
  ref_model_deprecation_date: node.deprecationDate,
})

/** The trees of dbt_project.yml, and the folders and names of what each of them configures. */
function namesOf(project: DbtProject): Record<ConfigTree, string[][]> {
  const of = (...kinds: DbtNode['kind'][]) =>
    [...project.nodes.values()].filter(({ kind }) => kinds.includes(kind)).map(({ fqn }) => fqn)
  const named = (entries: ReadonlyMap<string, { fqn: string[] }>) => Array.from(entries.values(), ({ fqn }) => fqn)
  return {
    models: of('model', 'analysis'),
    analyses: of('analysis'),
    seeds: of('seed'),
    snapshots: of('snapshot'),
    data_tests: of('test'),
    sources: named(project.sources),
    unit_tests: named(project.unitTests),
    exposures: named(project.exposures),
    metrics: named(project.metrics),
    'semantic-models': named(project.semanticModels),
    'saved-queries': named(project.savedQueries),
    functions: of('function'),
  }
}

/** Paths of a tree at which something is set; the root of it reaches whatever there is. */
function pathsIn(tree: Config, path: string[] = []): string[][] {
  const below = Object.entries(tree).flatMap(([key, value]) =>
    isRecord(value) && !key.startsWith('+') ? pathsIn(value, [...path, key]) : [],
  )
  const isSet = Object.entries(tree).some(([key, value]) => key.startsWith('+') || !isRecord(value))
  return isSet ? [path, ...below] : below
}

function warnOfUnused(reading: Reading): void {
  const { project, root } = reading
  const names = namesOf(project)
  const disabled = [...project.disabled.values()].flat().map(({ entry }) => entry.fqn)
  const unused = (Object.keys(names) as ConfigTree[]).flatMap((tree) => {
    const there = [...names[tree], ...disabled]
    return pathsIn(root.configs[tree])
      .filter((path) => !there.some((fqn) => path.every((each, at) => each === fqn[at])))
      .map((path) => [tree, ...path].join('.'))
  })
  if (unused.length === 0) return
  const lines = unused.map((each) => `- ${each}`).join('\n')
  reading.warn(
    `Configuration paths exist in your dbt_project.yml file which do not apply to any resources.\nThere are ${unused.length} unused configuration paths:\n${lines}`,
    { file: root.file },
    { name: 'UnusedResourceConfigPath', code: 'I051' },
  )
}

function warnOfConstraints(reading: Reading, { kind, contract, constraints, columns, config, patch, place }: DbtNode) {
  const as = String(config['materialized'])
  if (kind !== 'model' || !contract || as === 'table' || as === 'incremental') return
  if (![...constraints, ...columns.flatMap((column) => column.constraints)].some((each) => each.warnUnsupported)) return
  reading.warn(
    `Constraint types are not supported for ${as} materializations and will be ignored. Set 'warn_unsupported: false' on this constraint to ignore this warning.`,
    patch ?? place,
    { name: 'UnsupportedConstraintMaterialization', code: 'I068' },
  )
}
