// `adapter`: the database as templates see it.
//
// What asks is answered by the session; what changes something is the macro of that name (`adapter.drop_relation` is
// `drop_relation`), as in dbt, so that a project which overrides the macro is asked too. While a project is read nothing is
// asked and nothing changed.

import { Failure } from '../../base/failure.ts'
import {
  bind,
  Dict,
  fromJs,
  HostObject,
  listOf,
  str,
  truth,
  Tuple,
  Undefined,
  type Callable,
} from '../../jinja/index.ts'
import { columnConstraints, modelConstraints } from './constraints.ts'
import type { BoundMacros } from './macros.ts'
import { ResultTable, type Answer } from './agate.ts'
import { Column, ColumnApi } from './column.ts'
import { Relation, RelationApi, type Quoting } from './relation.ts'
import type { Session } from './session.ts'
import type { DbtProject } from './types.ts'

export type AdapterInput = { project: DbtProject; session: Session; quoting: Quoting }

/** An object with fixed attributes. */
export class Namespaced extends HostObject {
  override readonly typeName = 'namespace'
  readonly #attributes: Readonly<Record<string, unknown>>
  constructor(attributes: Readonly<Record<string, unknown>>) {
    super()
    this.#attributes = attributes
  }
  override attr(name: string): unknown {
    return Object.hasOwn(this.#attributes, name) ? this.#attributes[name] : undefined
  }
}

const emptyAnswer: Answer = { columns: [], rows: [] }
const strategies = ['append', 'delete+insert', 'merge', 'microbatch']

/** Macros of the same name do these. */
const byMacro = [
  'drop_relation',
  'truncate_relation',
  'rename_relation',
  'create_schema',
  'drop_schema',
  'list_schemas',
]

const nothing: Callable = () => ''

export class Adapter extends HostObject {
  override readonly typeName = 'adapter'
  readonly #input: AdapterInput
  readonly #macros: BoundMacros
  readonly #methods: Readonly<Record<string, Callable>>

  constructor(input: AdapterInput, macros: BoundMacros) {
    super()
    this.#input = input
    this.#macros = macros
    this.#methods = { ...this.#names(), ...this.#questions(), ...this.#changes(), ...this.#models() }
  }

  override attr(name: string): unknown {
    if (Object.hasOwn(this.#methods, name)) return this.#methods[name]
    if (byMacro.includes(name)) return this.#running(name)
    if (name === 'Relation') return new RelationApi(this.#input.quoting)
    if (name === 'Column') return new ColumnApi()
    if (name === 'config')
      return new Namespaced({ quoting: fromJs(this.#input.quoting), project_name: this.#input.project.name })
    if (name === 'behavior') return new Undefined('no behaviour flags are set', true)
    if (!/^[a-z][a-z_]*$/.test(name)) return undefined
    return (() => {
      if (!this.#input.session.execute) return null
      throw new Failure(
        'SQL_UNSUPPORTED',
        `adapter.${name}() is not there: dbt-duckdb has no such method, or it is not offered here`,
      )
    }) satisfies Callable
  }

  /** Names and dispatch; nothing is asked. */
  #names(): Record<string, Callable> {
    const { quoting } = this.#input
    const quote: Callable = ([name]) => `"${str(name)}"`
    return {
      dispatch: (args, kwargs) => {
        const [name, namespace = null] = bind('dispatch', ['macro_name', 'macro_namespace?'], args, kwargs)
        return this.#macros.dispatch(str(name), namespace === null ? null : str(namespace))
      },
      type: () => 'duckdb',
      quote,
      quote_as_configured: ([name, part]) =>
        quoting[str(part) as keyof Quoting] === false ? str(name) : `"${str(name)}"`,
      quote_seed_column: ([name, isQuoted = null]) =>
        isQuoted === null || truth(isQuoted) ? `"${str(name)}"` : str(name),
      escape_sql_string: ([value]) => str(value).replaceAll("'", "''"),
      date_function: () => 'now()',
      nice_connection_name: () => 'main',
      external_root: () => this.#input.project.options.target.externalRoot ?? '.',
      is_motherduck: () => false,
      is_ducklake: () => false,
      use_ducklake_table_workarounds: () => false,
      disable_transactions: () => false,
      supports: () => true,
      batch_id_for_model: () => '',
    }
  }

  #questions(): Record<string, Callable> {
    const { session } = this.#input
    const text = (value: unknown) => (value === undefined || value === null ? null : str(value))
    return {
      get_relation: (args, kwargs) =>
        this.#relation(bind('get_relation', ['database', 'schema', 'identifier'], args, kwargs)),
      already_exists: ([schema, identifier]) => this.#relation([null, schema, identifier]) !== null,
      get_columns_in_relation: ([relation]) =>
        this.#own('get_columns_in_relation', relation, () => this.#columns(relation)),
      get_column_schema_from_query: ([sql]) => this.#describe(str(sql)),
      execute: (args, kwargs) => {
        const [sql] = bind('execute', ['sql', 'auto_begin?', 'fetch?', 'limit?'], args, kwargs)
        return new Tuple(['OK', this.#query(str(sql))])
      },
      get_missing_columns: ([from, to]) => {
        const known = new Set(this.#columns(to).map(({ name }) => name.toLowerCase()))
        return this.#columns(from).filter(({ name }) => !known.has(name.toLowerCase()))
      },
      check_schema_exists: ([, schema]) =>
        !session.execute ||
        this.#query(
          `select 1 from information_schema.schemata where lower(schema_name) = '${str(schema).toLowerCase().replaceAll("'", "''")}'`,
        ).rows.length > 0,
      list_relations: ([database, schema]) => this.#relations(text(database), str(schema)),
      list_relations_without_caching: ([relation]) =>
        relation instanceof Relation ? this.#relations(relation.path.database, relation.path.schema ?? '') : [],
      get_rows_different_sql: (args, kwargs) => {
        const [first, second, columns = null, except = 'EXCEPT'] = bind(
          'get_rows_different_sql',
          ['relation_a', 'relation_b', 'column_names?', 'except_operator?'],
          args,
          kwargs,
        )
        const names = columns === null ? this.#columns(first).map(({ name }) => name) : listOf(columns).map(str)
        return rowsDifferent(
          str(first),
          str(second),
          names
            .map((name) => `"${name}"`)
            .toSorted()
            .join(', '),
          str(except),
        )
      },
    }
  }

  /** What sends SQL, or would touch dbt's cache or its transactions, which are none of a change set. */
  #changes(): Record<string, Callable> {
    const ignored = [
      'commit',
      'commit_if_has_connection',
      'ensure_transaction',
      'cache_new_relation',
      'cache_added',
      'cache_dropped',
      'cache_renamed',
      'expand_target_column_types',
      'warn_once',
      'post_model_hook',
      'pre_model_hook',
    ]
    return {
      ...Object.fromEntries(ignored.map((name) => [name, nothing])),
      add_query: ([sql]) => (this.#query(str(sql)), new Tuple([null, null])),
      load_seed: () => {
        if (this.#input.session.execute) this.#input.session.ask({ kind: 'seed' })
        return ''
      },
    }
  }

  /** What the materializations ask. */
  #models(): Record<string, Callable> {
    return {
      valid_incremental_strategies: () => [...strategies],
      builtin_incremental_strategies: () => [...strategies, 'insert_overwrite'],
      get_incremental_strategy_macro: (args) => {
        const strategy = str(args.at(-1))
        const name = `get_incremental_${strategy.replaceAll('+', '_')}_sql`
        const macro = this.#macros.find(name)
        if (typeof macro === 'function') return macro
        throw new Failure('MODEL_INVALID', `there is no incremental strategy "${strategy}": no macro "${name}"`, {
          hint: `dbt-duckdb brings ${strategies.join(', ')}; a strategy of your own is a macro of that name.`,
        })
      },
      get_hard_deletes_behavior: ([config]) => this.#hardDeletes(config),
      assert_valid_snapshot_target_given_strategy: ([relation, columns, strategy]) =>
        this.#checkSnapshot(relation, columns, strategy),
      valid_snapshot_target: ([relation, columns]) => this.#checkSnapshot(relation, columns, undefined),
      render_raw_columns_constraints: ([columns], kwargs) => columnConstraints(columns ?? kwargs['raw_columns']),
      render_raw_model_constraints: ([constraints], kwargs) =>
        modelConstraints(constraints ?? kwargs['raw_constraints']),
      standardize_grants_dict: ([table]) => grantsOf(table),
      convert_type: ([table, index]) =>
        table instanceof ResultTable ? (table.types[Number(index)] ?? 'text').toLowerCase() : 'text',
      convert_datetimes_to_strs: ([table]) => table,
      get_seed_file_path: ([model]) => (model instanceof Dict ? str(model.get('original_file_path')) : ''),
      get_temp_relation_path: ([relation]) =>
        relation instanceof Relation
          ? fromJs({ ...relation.path, identifier: `${relation.path.identifier}__dbt_tmp` })
          : null,
      location_exists: () => false,
    }
  }

  /** Macros of a project that stand in for questions and are being asked; what they ask is dbt's own. */
  readonly #asked = new Set<string>()

  /** What the project has put in the place of dbt's macro `name`, else `usual`. */
  #own(name: string, argument: unknown, usual: () => unknown): unknown {
    const macro = this.#input.session.execute && !this.#asked.has(name) ? this.#macros.inPlaceOf(name) : undefined
    if (!macro) return usual()
    this.#asked.add(name)
    try {
      return macro([argument], {})
    } finally {
      this.#asked.delete(name)
    }
  }

  #running(name: string): Callable {
    return (args, kwargs) => {
      if (!this.#input.session.execute) return name === 'list_schemas' ? [] : ''
      const macro = this.#macros.find(name) as Callable
      if (name === 'drop_relation' && args[0] instanceof Relation && args[0].kind === null) {
        const [relation] = args
        const found = this.#relation([relation.path.database, relation.path.schema, relation.path.identifier])
        return found === null ? '' : macro([found], kwargs)
      }
      if (name === 'list_schemas') return (macro(args, kwargs) as ResultTable).rows.map((row) => row.item(0))
      return macro(args, kwargs)
    }
  }

  #query(sql: string): ResultTable {
    const { session } = this.#input
    if (!session.execute) return new ResultTable(emptyAnswer)
    const found = session.ask({ kind: 'query', sql })
    return new ResultTable(found.kind === 'query' ? found.answer : emptyAnswer)
  }

  #columns(relation: unknown): Column[] {
    const { session } = this.#input
    if (!session.execute) return []
    if (!(relation instanceof Relation) || relation.path.identifier === null) {
      throw new Failure(
        'TEMPLATE_FAILED',
        'get_columns_in_relation() takes a relation, as ref() and source() answer it',
      )
    }
    const { database, schema, identifier } = relation.path
    const found = session.ask({ kind: 'columns', database, schema, identifier })
    return found.kind === 'columns' ? found.columns.map(({ name, type }) => new Column(name, type)) : []
  }

  #describe(sql: string): Column[] {
    const { session } = this.#input
    if (!session.execute) return []
    const found = session.ask({ kind: 'describe', sql })
    return found.kind === 'columns' ? found.columns.map(({ name, type }) => new Column(name, type)) : []
  }

  #relation([database, schema, identifier]: unknown[]): Relation | null {
    const { session } = this.#input
    if (!session.execute) return null
    const text = (value: unknown) => (value === undefined || value === null ? null : str(value))
    const path = { database: text(database), schema: text(schema), identifier: str(identifier) }
    const found = session.ask({ kind: 'relation', ...path })
    return found.kind === 'relation' && found.found ? new Relation(path, found.found, this.#input.quoting) : null
  }

  #relations(database: string | null, schema: string): Relation[] {
    const { session, quoting } = this.#input
    if (!session.execute) return []
    const found = session.ask({ kind: 'relations', database, schema })
    if (found.kind !== 'relations') return []
    return found.relations.map(({ name, type }) => new Relation({ database, schema, identifier: name }, type, quoting))
  }

  #hardDeletes(config: unknown): string {
    const get = config instanceof HostObject ? (config.attr('get') as Callable) : undefined
    const value = (name: string) => get?.([name], {}) ?? null
    const [chosen, old] = [value('hard_deletes'), value('invalidate_hard_deletes')]
    if (chosen !== null && old !== null)
      throw new Failure(
        'MODEL_INVALID',
        'You cannot set both the invalidate_hard_deletes and hard_deletes config properties on the same snapshot.',
      )
    if (old !== null && truth(old)) return 'invalidate'
    const behaviour = chosen === null ? 'ignore' : str(chosen)
    if (!['ignore', 'invalidate', 'new_record'].includes(behaviour))
      throw new Failure('MODEL_INVALID', `Invalid setting for property hard_deletes: "${behaviour}"`, {
        hint: 'It is ignore, invalidate or new_record.',
      })
    return behaviour
  }

  #checkSnapshot(relation: unknown, columns: unknown, strategy: unknown): string {
    const names = columns instanceof Dict ? columns : undefined
    const called = (name: string) => str(names?.get(name) ?? name)
    const needed = ['dbt_scd_id', 'dbt_valid_from', 'dbt_valid_to']
    if (strategy instanceof Dict && strategy.get('hard_deletes') === 'new_record') needed.push('dbt_is_deleted')
    const there = new Set(this.#columns(relation).map(({ name }) => name.toLowerCase()))
    const missing = needed.map(called).filter((name) => !there.has(name.toLowerCase()))
    if (missing.length > 0)
      throw new Failure('MODEL_INVALID', `Snapshot target is missing configured columns: ${missing.join(', ')}`, {
        hint: 'Add them to the table, or take the setting back with which it was made.',
      })
    return ''
  }
}

/**
 * `{privilege: [grantees]}` of rows `grantee`, `privilege_type`; of the lake's own `show grants` those on the table itself
 * that no file gives.
 */
function grantsOf(table: unknown): Dict {
  const grants = new Map<string, unknown[]>()
  if (table instanceof ResultTable) {
    const position = (...names: string[]) => table.names.findIndex((each) => names.includes(each.toLowerCase()))
    const [grantee, privilege] = [position('grantee'), position('privilege', 'privilege_type')]
    const [on, source] = [position('table'), position('source')]
    for (const row of table.rows) {
      if (on >= 0 && (row.item(on) === '*' || row.item(source) === 'access.yml')) continue
      const key = str(row.item(privilege))
      grants.set(key, [...(grants.get(key) ?? []), row.item(grantee)])
    }
  }
  return new Dict([...grants])
}

const rowsDifferent = (first: string, second: string, columns: string, except: string): string =>
  `with diff_count as (
    select 1 as id, count(*) as num_missing from (
        (select ${columns} from ${first} ${except} select ${columns} from ${second})
        union all
        (select ${columns} from ${second} ${except} select ${columns} from ${first})
    ) as a
), row_count_diff as (
    select 1 as id, (select count(*) from ${first}) - (select count(*) from ${second}) as difference
)
select row_count_diff.difference as row_count_difference, diff_count.num_missing as num_mismatched
from row_count_diff join diff_count using (id)`
