// `adapter`: the database as templates see it.

import { Failure } from '../../base/failure.ts'
import { bind, fromJs, HostObject, str, truth, Tuple, Undefined, type Callable } from '../../jinja/index.ts'
import type { BoundMacros } from './macros.ts'
import { Column, ColumnApi, Relation, RelationApi, ResultTable, type Answer, type Quoting } from './relation.ts'
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

/** `adapter`: questions about the database, and dispatch. Nothing here changes anything. */
export class Adapter extends HostObject {
  override readonly typeName = 'adapter'
  readonly #input: AdapterInput
  readonly #macros: BoundMacros
  readonly #methods: Readonly<Record<string, Callable>>

  constructor(input: AdapterInput, macros: BoundMacros) {
    super()
    this.#input = input
    this.#macros = macros
    const { session } = input
    this.#methods = {
      dispatch: (args, kwargs) => {
        const [name, namespace = null] = bind('dispatch', ['macro_name', 'macro_namespace?'], args, kwargs)
        return this.#macros.dispatch(str(name), namespace === null ? null : str(namespace))
      },
      type: () => 'duckdb',
      quote: ([name]) => `"${str(name)}"`,
      quote_as_configured: ([name, part]) =>
        input.quoting[str(part) as keyof Quoting] === false ? str(name) : `"${str(name)}"`,
      quote_seed_column: ([name, quote = null]) => (quote === null || truth(quote) ? `"${str(name)}"` : str(name)),
      get_relation: (args, kwargs) =>
        this.#relation(bind('get_relation', ['database', 'schema', 'identifier'], args, kwargs)),
      get_columns_in_relation: ([relation]) => this.#columns(relation),
      execute: (args, kwargs) => {
        const [sql] = bind('execute', ['sql', 'auto_begin?', 'fetch?', 'limit?'], args, kwargs)
        return new Tuple(['OK', this.#query(str(sql))])
      },
      get_missing_columns: ([from, to]) => {
        const known = new Set(this.#columns(to).map(({ name }) => name))
        return this.#columns(from).filter(({ name }) => !known.has(name))
      },
      check_schema_exists: ([database, schema]) =>
        this.#query(
          `select 1 from information_schema.schemata where catalog_name = '${str(database).replaceAll("'", "''")}' and schema_name = '${str(schema).replaceAll("'", "''")}'`,
        ).rows.length > 0 || !session.execute,
      list_relations_without_caching: () => [],
      expand_target_column_types: () => '',
      cache_new_relation: () => '',
      cache_added: () => '',
      cache_dropped: () => '',
      commit: () => '',
      nice_connection_name: () => 'main',
      is_motherduck: () => false,
      is_ducklake: () => false,
      warn_once: () => '',
    }
  }

  override attr(name: string): unknown {
    if (Object.hasOwn(this.#methods, name)) return this.#methods[name]
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
        `adapter.${name}() is not available while SQL is compiled: models change tables only through their materialization`,
      )
    }) satisfies Callable
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

  #relation([database, schema, identifier]: unknown[]): Relation | null {
    const { session } = this.#input
    if (!session.execute) return null
    const text = (value: unknown) => (value === undefined || value === null ? null : str(value))
    const path = { database: text(database), schema: text(schema), identifier: str(identifier) }
    const found = session.ask({ kind: 'relation', ...path })
    return found.kind === 'relation' && found.found ? new Relation(path, found.found, this.#input.quoting) : null
  }
}
