// manifest.json, version 12: the whole project as dbt writes it down, for the tools that read it.

import { createHash } from 'node:crypto'
import { dbtVersion } from './context.ts'
import {
  exposureValue,
  groupValue,
  metricValue,
  packageFile,
  pathOf,
  savedQueryValue,
  semanticModelValue,
  unitTestValue,
} from './entry-dict.ts'
import { macrosCalledBy } from './macro-calls.ts'
import { builtins, languagesOf, MacroTable } from './macros.ts'
import { withForeignTables } from './foreign-keys.ts'
import { nodeValue, sourceValue, operationValue } from './node-dict.ts'
import type { Config, DbtMacro, DbtNode, DbtProject, Disabled } from './types.ts'

/** What compiling a node found out. */
export type CompiledNode = {
  sql: string
  /** Where it is written, below the target folder's parent. */
  path: string
  ctes: { id: string; sql: string }[]
}

export type ManifestInput = {
  /** By unique id; nodes that were not compiled are missing. */
  compiled?: ReadonlyMap<string, CompiledNode>
  /** Milliseconds since 1970. */
  generatedAt: number
}

/** The manifest as plain values. */
export function manifestOf(project: DbtProject, { compiled = new Map(), generatedAt }: ManifestInput): Config {
  const { options } = project
  const root = project.packages.get(project.name)
  const createdAt = options.startedAt / 1000
  const parents = parentsOf(project)
  const values = <One extends { uniqueId: string }>(ones: Iterable<One>, value: (one: One) => Config) =>
    Object.fromEntries(Array.from(ones, (one) => [one.uniqueId, { ...value(one), created_at: createdAt }]))
  const primaryKeys = primaryKeysOf(project)
  const nodes = [...project.nodes.values()]
  const nodeOf = (node: DbtNode): Config => ({
    ...nodeValue(compiled.has(node.uniqueId) ? withForeignTables(project, node) : node),
    ...compiledValue(compiled.get(node.uniqueId)),
    ...(node.kind === 'model' && { primary_key: primaryKeys(node) }),
    ...patchPathOf(project, node),
    ...(node.kind === 'seed' && { root_path: rootPathOf(project, node) }),
  })
  const disabledOf = ({ kind, entry }: Disabled): Config => {
    switch (kind) {
      case 'node':
        return nodeOf(entry)
      case 'source':
        return sourceValue(entry, packageFile(project, entry.package, entry.file))
      case 'unit test':
        return unitTestValue(project, entry)
      case 'exposure':
        return exposureValue(project, { type: 'dashboard', maturity: undefined, url: undefined, owner: {}, ...entry })
      case 'metric':
        return metricValue(project, { type: 'simple', ...entry })
      case 'semantic model':
        return semanticModelValue(project, { model: '', ...entry })
      case 'saved query':
        return savedQueryValue(project, entry)
    }
  }
  return {
    metadata: {
      dbt_schema_version: 'https://schemas.getdbt.com/dbt/manifest/v12.json',
      dbt_version: dbtVersion,
      generated_at: isoTime(generatedAt),
      invocation_id: options.invocationId,
      invocation_started_at: isoTime(options.startedAt),
      env: metadataEnvs(options.env),
      project_name: project.name,
      project_id: createHash('md5').update(project.name).digest('hex'),
      user_id: null,
      send_anonymous_usage_stats: false,
      adapter_type: project.target.type,
      quoting: { ...root?.quoting, column: null },
      run_started_at: isoTime(options.startedAt),
    },
    nodes: {
      ...values(
        nodes.filter(({ kind }) => kind !== 'function'),
        nodeOf,
      ),
      ...values(project.operations.values(), (one) => ({
        ...operationValue(one),
        ...compiledValue(compiled.get(one.uniqueId)),
      })),
    },
    sources: values(project.sources.values(), (one) => ({
      ...sourceValue(one, packageFile(project, one.package, one.file)),
      unrendered_database: one.written.database,
      unrendered_schema: one.written.schema,
    })),
    macros: macroValues(project, createdAt),
    docs: Object.fromEntries([
      overview,
      ...Array.from(project.docs.values(), (doc) => {
        const file = doc.place.file ?? ''
        const id = `doc.${doc.package}.${doc.name}`
        return [
          id,
          {
            name: doc.name,
            resource_type: 'doc',
            package_name: doc.package,
            path: pathOf(project, doc.package, file),
            original_file_path: packageFile(project, doc.package, file),
            unique_id: id,
            block_contents: doc.text,
          },
        ]
      }),
    ]),
    exposures: values(project.exposures.values(), (one) => exposureValue(project, one)),
    metrics: values(project.metrics.values(), (one) => metricValue(project, one)),
    groups: Object.fromEntries(Array.from(project.groups.values(), (one) => [one.uniqueId, groupValue(project, one)])),
    selectors: Object.fromEntries(
      Array.from(project.selectors.values(), ({ name, definition, description, isDefault }) => [
        name,
        { name, definition, ...(description !== '' && { description }), ...(isDefault && { default: true }) },
      ]),
    ),
    disabled: Object.fromEntries(
      Array.from(project.disabled, ([id, entries]) => [
        id,
        entries.map((one) => ({ ...disabledOf(one), created_at: createdAt })),
      ]),
    ),
    parent_map: Object.fromEntries(parents),
    child_map: childMap(parents),
    group_map: groupMap(project),
    saved_queries: values(project.savedQueries.values(), (one) => savedQueryValue(project, one)),
    semantic_models: values(project.semanticModels.values(), (one) => semanticModelValue(project, one)),
    unit_tests: values(project.unitTests.values(), (one) => unitTestValue(project, one)),
    functions: values(
      nodes.filter(({ kind }) => kind === 'function'),
      nodeOf,
    ),
  }
}

/** dbt's site of a project opens with this page where the project has none of its own, and not at all without one. */
const overview = [
  'doc.dbt.__overview__',
  {
    name: '__overview__',
    resource_type: 'doc',
    package_name: 'dbt',
    path: 'overview.md',
    original_file_path: 'docs/overview.md',
    unique_id: 'doc.dbt.__overview__',
    block_contents:
      '### Welcome\n\nThe models, sources and tests of this project. A docs block named `__overview__` puts another page here.',
  },
]

/** A time as Python's isoformat has it, with microseconds, and `Z`. */
export const isoTime = (milliseconds: number): string => new Date(milliseconds).toISOString().replace('Z', '000Z')

/** `DBT_ENV_CUSTOM_ENV_x` is there to be written down. */
const metadataEnvs = (env: DbtProject['options']['env']): Config =>
  Object.fromEntries(
    Object.entries(env).flatMap(([key, value]) =>
      key.startsWith('DBT_ENV_CUSTOM_ENV_') ? [[key.slice('DBT_ENV_CUSTOM_ENV_'.length), value]] : [],
    ),
  )

const compiledValue = (compiled: CompiledNode | undefined): Config =>
  compiled
    ? {
        compiled: true,
        compiled_code: compiled.sql,
        compiled_path: compiled.path,
        extra_ctes_injected: true,
        extra_ctes: compiled.ctes,
      }
    : {}

function rootPathOf(project: DbtProject, node: DbtNode): string {
  const folder = project.packages.get(node.package)?.folder ?? ''
  return folder === '' ? project.dir : `${project.dir}/${folder}`
}

// --- macros

function macroValues(project: DbtProject, createdAt: number): Config {
  const table = new MacroTable(project)
  return Object.fromEntries(
    [...builtins(), ...project.macros].map((macro) => {
      const { properties, package: from, origin } = macro
      const file = from === 'dbt' ? 'macros/dbt.sql' : packageFile(project, from, origin.file ?? '')
      const docs = { show: true, node_color: null, ...properties?.docs }
      const meta = properties?.meta ?? {}
      return [
        macro.uniqueId,
        {
          name: macro.macroName,
          resource_type: 'macro',
          package_name: from,
          path: file,
          original_file_path: file,
          unique_id: macro.uniqueId,
          macro_sql: macro.text,
          depends_on: { macros: macrosCalledBy(macro, table) },
          description: macro.description,
          meta,
          docs,
          config: { meta, docs },
          patch_path: properties ? `${from}://${packageFile(project, from, properties.file)}` : null,
          arguments: argumentsOf(macro),
          created_at: createdAt,
          supported_languages: macro.kind === 'materialization' ? languagesOf(macro) : null,
        },
      ]
    }),
  )
}

function argumentsOf({ properties, parameters }: DbtMacro): Config[] {
  if (properties && properties.arguments.length > 0)
    return properties.arguments.map(({ name, type, description }) => ({
      name,
      type: type ?? null,
      description: description ?? '',
    }))
  return parameters.map((name) => ({ name, type: null, description: '' }))
}

// --- maps

function parentsOf(project: DbtProject): Map<string, string[]> {
  const ones: Iterable<{ uniqueId: string; dependsOn: readonly string[] }>[] = [
    project.nodes.values(),
    project.operations.values(),
    project.exposures.values(),
    project.metrics.values(),
    project.semanticModels.values(),
    project.savedQueries.values(),
    project.unitTests.values(),
  ]
  const parents = new Map<string, string[]>()
  for (const list of ones) for (const { uniqueId, dependsOn } of list) parents.set(uniqueId, [...dependsOn].sort())
  for (const id of project.sources.keys()) parents.set(id, [])
  return parents
}

function childMap(parents: ReadonlyMap<string, readonly string[]>): Config {
  const children = new Map<string, string[]>(Array.from(parents.keys(), (id) => [id, []]))
  for (const [id, above] of parents) for (const parent of above) children.get(parent)?.push(id)
  return Object.fromEntries(Array.from(children, ([id, below]) => [id, below.sort()]))
}

function groupMap(project: DbtProject): Config {
  const members: { uniqueId: string; group: string | undefined }[] = [
    ...project.nodes.values(),
    ...project.metrics.values(),
    ...project.semanticModels.values(),
    ...project.savedQueries.values(),
  ]
  const names = Array.from(project.groups.values(), ({ name }) => name)
  return Object.fromEntries(
    names.map((name) => [name, members.filter(({ group }) => group === name).map(({ uniqueId }) => uniqueId)]),
  )
}

/** What another package says of a node stands in that package. */
function patchPathOf(project: DbtProject, { package: own, patch }: DbtNode): Config {
  if (!patch?.file) return {}
  const owners = [...project.packages.values()].filter(
    ({ folder }) => folder === '' || patch.file!.startsWith(`${folder}/`),
  )
  const owner = owners.reduce((longest, each) => (each.folder.length > longest.folder.length ? each : longest))
  return owner.name === own ? {} : { patch_path: `${owner.name}://${packageFile(project, owner.name, patch.file!)}` }
}

/**
 * What tells rows of a model apart: by constraint, else by tests of its own package that say unique (and not null), be they
 * switched off.
 */
function primaryKeysOf(project: DbtProject): (node: DbtNode) => string[] {
  const tests = new Map<string, DbtNode[]>()
  const disabled = [...project.disabled.values()].flat().flatMap(({ kind, entry }) => (kind === 'node' ? [entry] : []))
  for (const node of [...project.nodes.values(), ...disabled]) {
    if (node.test?.kind !== 'generic' || !('name' in node.test.of)) continue
    const { name, version } = node.test.of
    const owner = `model.${node.package}.${name}${version === undefined ? '' : `.v${version}`}`
    tests.set(owner, [...(tests.get(owner) ?? []), node])
  }
  return (node) => {
    const ofModel = node.constraints.find(({ type }) => type === 'primary_key')
    if (ofModel) return ofModel.columns
    const ofColumn = node.columns.find(({ constraints }) => constraints.some(({ type }) => type === 'primary_key'))
    if (ofColumn) return [ofColumn.name]
    const [unique, switchedOff, filled] = [new Set<string>(), new Set<string>(), new Set<string>()]
    for (const { test, config } of tests.get(node.uniqueId) ?? []) {
      if (test?.kind !== 'generic') continue
      const { column_name: column, combination_of_columns: combination } = test.kwargs
      const columns = typeof column === 'string' ? [column] : Array.isArray(combination) ? combination.map(String) : []
      if (test.name === 'unique' || test.name === 'unique_combination_of_columns')
        columns.forEach((each) => (config['enabled'] === false ? switchedOff : unique).add(each))
      else if (test.name === 'not_null') columns.forEach((each) => filled.add(each))
    }
    const both = [...filled].filter((each) => unique.has(each) || switchedOff.has(each))
    return [both, [...unique], [...switchedOff]].find(({ length }) => length > 0) ?? []
  }
}
