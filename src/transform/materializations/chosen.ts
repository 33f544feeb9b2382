// Which template materialises a node, and whether one is needed: tables, views and seeds are made by the lake's own
// methods as long as the project leaves alone every macro that dbt would call on the way.

import { Failure } from '../../base/failure.ts'
import {
  behaviourFlag,
  languagesOf,
  type DbtMacro,
  type DbtNode,
  type DbtProject,
  type MacroTable,
} from '../../project/dbt/index.ts'

/** dbt's own package. */
const core = 'dbt'

const common = ['run_hooks', 'statement', 'apply_grants', 'persist_docs', 'should_revoke', 'create_indexes']
const swapping = [
  'drop_relation',
  'rename_relation',
  'drop_relation_if_exists',
  'make_intermediate_relation',
  'make_backup_relation',
  'load_cached_relation',
  'get_assert_columns_equivalent',
]
const called: Readonly<Record<string, readonly string[]>> = {
  table: [...common, ...swapping, 'create_table_as', 'get_create_table_as_sql', 'get_select_subquery'],
  view: [...common, ...swapping, 'create_view_as', 'get_create_view_as_sql'],
  incremental: [
    ...common,
    ...swapping,
    'create_table_as',
    'get_create_table_as_sql',
    'get_select_subquery',
    'get_incremental_default_sql',
    'get_incremental_append_sql',
    'get_incremental_delete_insert_sql',
    'get_delete_insert_merge_sql',
    'get_insert_into_sql',
    'get_quoted_csv',
    'process_schema_changes',
  ],
  seed: [...common, 'create_csv_table', 'reset_csv_table', 'load_csv_rows', 'get_csv_sql', 'get_batch_size'],
}

/** `external` writes a file in dbt-duckdb, `materialized_view` is none there: both are tables here. */
const asTables = ['materialized_view', 'external']

/** `plain`: dbt's own template, and nothing that it calls is overridden. */
export type Chosen = { native: 'table' | 'view' | 'seed' } | { macro: DbtMacro; plain: boolean }

/** @throws MODEL_INVALID for a materialization that nobody defines */
export function chosenFor(node: DbtNode, project: DbtProject, macros: MacroTable): Chosen {
  const name = node.kind === 'seed' || node.kind === 'snapshot' ? node.kind : String(node.config['materialized'])
  const macro = materializationNamed(name, node, project, macros)
  const languages = macro ? languagesOf(macro) : ['sql']
  if (!languages.includes(node.language))
    throw new Failure(
      'MODEL_INVALID',
      `the materialization "${name}" only supports languages ${languages.join(', ')}; ${node.kind} "${node.name}" is ${node.language}`,
      { place: node.place },
    )
  const isOwn = !macro || macro.package === core
  const plain = isOwn && asTables.includes(name) ? 'table' : name
  const needed = called[plain]
  const isPlain =
    isOwn &&
    needed !== undefined &&
    node.config['sql_header'] === undefined &&
    !needed.some((each) => isOverridden(each, node, macros))
  if (isPlain && plain !== 'incremental') return { native: plain as 'table' | 'view' | 'seed' }
  if (macro) return { macro, plain: isPlain }
  throw new Failure(
    'MODEL_INVALID',
    `${node.kind} "${node.name}" is materialized as "${name}", which nothing defines`,
    {
      place: node.place,
      hint: `Built in are table, view, incremental, ephemeral, materialized_view; one of your own is {% materialization ${name}, default %}.`,
    },
  )
}

const judging = ['statement', 'get_test_sql', 'get_limit_subquery_sql', 'should_store_failures', 'get_create_sql']

/** The template that judges a test; undefined: dbt's own, and nothing that it calls is overridden. */
export function testTemplate(node: DbtNode, project: DbtProject, macros: MacroTable): DbtMacro | undefined {
  const macro = materializationNamed('test', node, project, macros)
  const isOwn = macro === undefined || macro.package === core
  return isOwn && !judging.some((each) => isOverridden(each, node, macros)) ? undefined : macro
}

/** That of the adapter before the default one; of the project before packages', and theirs only for names of their own, unless a flag says otherwise. */
function materializationNamed(
  name: string,
  node: DbtNode,
  project: DbtProject,
  macros: MacroTable,
): DbtMacro | undefined {
  const own = (suffix: string) => macros.in(core, `materialization_${name}_${suffix}`)
  const isBuiltin = own('duckdb') !== undefined || own('default') !== undefined
  const isLegacy = behaviourFlag(project, 'require_explicit_package_overrides_for_builtin_materializations') === false
  const others = [node.package, ...project.packages.keys()].filter((each) => each !== project.name && each !== core)
  for (const suffix of ['duckdb', 'default']) {
    for (const from of [project.name, ...(isBuiltin && !isLegacy ? [] : others)]) {
      const found = macros.in(from, `materialization_${name}_${suffix}`)
      if (found) return found
    }
    const found = own(suffix)
    if (found) return found
  }
  return undefined
}

function isOverridden(name: string, node: DbtNode, macros: MacroTable): boolean {
  const found = [macros.find(node.package, name), macros.dispatches(node.package, name)]
  return found.some((macro) => macro !== undefined && macro.package !== core)
}
