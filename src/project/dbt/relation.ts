// Names in the database, as templates see them: `this`, `ref()`, `source()`, `api.Relation`.

import { bind, Dict, fromJs, HostObject, numberOf, PyError, str, truth, type Callable } from '../../jinja/index.ts'

export type Quoting = { database: boolean; schema: boolean; identifier: boolean }
export const quoteAll: Quoting = { database: true, schema: true, identifier: true }

export type RelationKind = 'table' | 'view' | 'cte' | 'external' | 'materialized_view' | 'pointer_table' | 'function'

type Parts = { database: string | null; schema: string | null; identifier: string | null }
const parts = ['database', 'schema', 'identifier'] as const

/** Which rows of it are read: none or some with `--empty` and `--sample`, those of a batch with microbatch. */
export type Limits = {
  /** Rows at most. */
  rows: number | null
  /** From and until, the end excluded, as they stand in the SQL. */
  time: { field: string; start: string | null; end: string | null } | null
}
const unlimited: Limits = { rows: null, time: null }

/** A name in the database. It prints as dbt prints it: `"dev_analytics"."marts"."orders"`. */
export class Relation extends HostObject {
  override readonly typeName = 'DuckDBRelation'
  readonly path: Parts
  readonly kind: RelationKind | null
  readonly quoting: Quoting
  readonly included: Quoting
  readonly limits: Limits

  constructor(
    path: Parts,
    kind: RelationKind | null = null,
    quoting: Quoting = quoteAll,
    included: Quoting = quoteAll,
    limits: Limits = unlimited,
  ) {
    super()
    this.path = path
    this.kind = kind
    this.quoting = quoting
    this.included = included
    this.limits = limits
  }

  #with(more: Partial<Pick<Relation, 'path' | 'kind' | 'quoting' | 'included' | 'limits'>>): Relation {
    const { path, kind, quoting, included, limits } = { ...this.#all, ...more }
    return new Relation(path, kind, quoting, included, limits)
  }
  get #all() {
    const { path, kind, quoting, included, limits } = this
    return { path, kind, quoting, included, limits }
  }

  /** The same name, read in part. */
  limited(limits: Partial<Limits>): Relation {
    return this.#with({ limits: { ...this.limits, ...limits } })
  }

  /** The bare name. */
  render(): string {
    const shown = parts.flatMap((part) => {
      const name = this.path[part]
      if (name === null || !this.included[part]) return []
      return [this.quoting[part] && this.kind !== 'cte' ? `"${name}"` : name]
    })
    return shown.join('.')
  }

  override text(): string {
    const { rows, time } = this.limits
    const name = this.render()
    const some =
      rows === null
        ? name
        : rows === 0
          ? `(select * from ${name} where false limit 0)`
          : `(select * from ${name} limit ${rows})`
    if (time === null) return some
    const conditions = [
      ...(time.start === null ? [] : [`${time.field} >= '${time.start}'`]),
      ...(time.end === null ? [] : [`${time.field} < '${time.end}'`]),
    ]
    return conditions.length === 0 ? some : `(select * from ${some} where ${conditions.join(' and ')})`
  }

  override repr(): string {
    return `<${this.typeName} ${this.render()}>`
  }

  override equals(other: unknown): boolean {
    return (
      other instanceof Relation &&
      other.kind === this.kind &&
      parts.every((part) => this.path[part] === other.path[part] && this.quoting[part] === other.quoting[part])
    )
  }

  /** dbt's relations are mappings too; packages tell them by their `metadata`. */
  override mapping(): Dict {
    return Dict.of({
      path: fromJs(this.path),
      type: this.kind,
      quote_character: '"',
      include_policy: fromJs(this.included),
      quote_policy: fromJs(this.quoting),
      dbt_created: false,
      metadata: Dict.of({ type: this.typeName }),
    })
  }

  override item(key: unknown): unknown {
    return typeof key === 'string' ? this.mapping().get(key) : undefined
  }

  override hashKey(): unknown {
    return `\0relation ${this.render()}`
  }

  override attr(name: string): unknown {
    switch (name) {
      case 'database':
      case 'schema':
      case 'identifier':
        return this.path[name]
      case 'name':
      case 'table':
        return this.path.identifier
      case 'type':
        return this.kind
      case 'quote_policy':
        return fromJs(this.quoting)
      case 'include_policy':
        return fromJs(this.included)
      case 'path':
        return fromJs(this.path)
      case 'quote_character':
        return '"'
      case 'limit':
        return this.limits.rows
      case 'event_time_filter':
        return this.limits.time && Dict.of({ field_name: this.limits.time.field, ...this.limits.time })
      case 'require_alias':
      case 'dbt_created':
      case 'can_be_renamed':
      case 'can_be_replaced':
        return false
      case 'external':
      case 'catalog':
        return null
      case 'metadata':
        return Dict.of({ type: this.typeName })
      default:
        return kindTests[name] === undefined ? this.#method(name) : this.kind === kindTests[name]
    }
  }

  #method(name: string): Callable | undefined {
    switch (name) {
      case 'render':
        return () => this.render()
      case 'render_limited':
        return () => this.limited({ time: null }).text()
      case 'quoted':
        return ([text]) => `"${str(text)}"`
      case 'quote':
        return (args, kwargs) => this.#with({ quoting: changed('quote', this.quoting, args, kwargs) })
      case 'include':
        return (args, kwargs) => this.#with({ included: changed('include', this.included, args, kwargs) })
      case 'incorporate':
      case 'replace':
        return (_, kwargs) => this.#incorporate(kwargs)
      case 'replace_path':
        return (_, kwargs) => this.#with({ path: merged(this.path, (part) => kwargs[part]) })
      case 'without_identifier':
        return () =>
          this.#with({ path: { ...this.path, identifier: null }, included: { ...this.included, identifier: false } })
      case 'matches':
        return (args, kwargs) => this.#matches(args, kwargs)
      case 'information_schema':
        return ([view = null]) => this.#informationSchema(typeof view === 'string' ? view : null)
      case 'information_schema_only':
        return () => this.#informationSchema(null)
      case 'add_ephemeral_prefix':
        return ([each]) => ephemeralName(str(each))
      case 'create':
        return (args, kwargs) => createRelation(args, kwargs, quoteAll)
      case 'scd_args':
        return scdArguments
      case 'to_dict':
        return () => this.mapping()
      case 'get':
        return ([key, fallback = null]) => this.mapping().get(key) ?? fallback
      default:
        return undefined
    }
  }

  #incorporate(kwargs: Record<string, unknown>): Relation {
    const policy = (name: string, known: Quoting): Quoting => {
      const given = kwargs[name]
      return given instanceof Dict ? changed(name, known, [], Object.fromEntries(given.entries())) : known
    }
    const path = kwargs['path'] instanceof Dict ? kwargs['path'] : new Dict()
    const { type } = kwargs
    return this.#with({
      path: merged(this.path, (part) => path.get(part)),
      ...(type !== undefined && { kind: kindOf(type) }),
      quoting: policy('quote_policy', this.quoting),
      included: policy('include_policy', this.included),
      ...(kwargs['limit'] !== undefined && {
        limits: { ...this.limits, rows: numberOf(kwargs['limit']) ?? null },
      }),
    })
  }

  /** Whether it is the one searched for. A name that differs only in its letters' case is an error, as in dbt. */
  #matches(args: unknown[], kwargs: Record<string, unknown>): boolean {
    const wanted = bind('matches', ['database?', 'schema?', 'identifier?'], args, kwargs)
    const searched = parts.flatMap((part, at) => {
      const value = wanted[at]
      return value === undefined || value === null ? [] : [{ part, value: str(value) }]
    })
    if (searched.length === 0)
      throw new PyError('DbtRuntimeError', 'Tried to match relation, but no search path was passed!')
    const low = (text: string | null) => (text ?? '').toLowerCase().replaceAll('"', '')
    const isExact = searched.every(({ part, value }) => this.path[part] === value)
    if (!isExact && searched.every(({ part, value }) => low(this.path[part]) === low(value))) {
      const target = searched.map(({ value }) => value).join('.')
      throw new PyError(
        'ApproximateMatchError',
        `When searching for a relation, dbt found an approximate match. Instead of guessing which relation to use, dbt will move on. Please delete ${this.render()}, or rename it to be less ambiguous. Searched for: ${target} Found: ${this.render()}`,
      )
    }
    return isExact
  }

  #informationSchema(view: string | null): Relation {
    const identifier = view === null ? 'INFORMATION_SCHEMA' : `INFORMATION_SCHEMA.${view}`
    const path = { database: this.path.database, schema: null, identifier }
    // Shown whatever the relation itself leaves out: packages ask one "without identifier".
    const included = { ...this.included, database: path.database !== null, identifier: true }
    return new Relation(path, null, { ...this.quoting, schema: false, identifier: false }, included)
  }
}

const kindTests: Readonly<Record<string, RelationKind>> = Object.assign(Object.create(null), {
  is_table: 'table',
  is_view: 'view',
  is_cte: 'cte',
  is_materialized_view: 'materialized_view',
  is_pointer: 'pointer_table',
  is_function: 'function',
}) as Record<string, RelationKind>

export const ephemeralName = (name: string): string => `__dbt__cte__${name}`

const kindOf = (value: unknown): RelationKind | null =>
  value === null || value === undefined ? null : (str(value) as RelationKind)

function changed(what: string, policy: Quoting, args: unknown[], kwargs: Record<string, unknown>): Quoting {
  const bound = bind(what, ['database?', 'schema?', 'identifier?'], args, kwargs)
  const next = { ...policy }
  parts.forEach((part, at) => {
    const value = bound[at]
    if (value !== undefined && value !== null) next[part] = truth(value)
  })
  return next
}

function merged(path: Parts, value: (part: string) => unknown): Parts {
  const next = { ...path }
  for (const part of parts) {
    const found = value(part)
    if (found !== undefined) next[part] = found === null ? null : str(found)
  }
  return next
}

const scdArguments: Callable = (args, kwargs) => {
  const [key, updatedAt] = bind('scd_args', ['primary_key', 'updated_at'], args, kwargs)
  return [...(Array.isArray(key) ? (key as unknown[]) : [key]), updatedAt]
}

function createRelation(args: unknown[], given: Record<string, unknown>, quoting: Quoting): Relation {
  const { quote_policy: quotes, include_policy: includes, limit, ...rest } = given
  const names = ['database?', 'schema?', 'identifier?', 'type?']
  // Adapters have keywords of their own; those that DuckDB has not, it ignores.
  const known = Object.fromEntries(Object.entries(rest).filter(([name]) => names.includes(`${name}?`)))
  const [database, schema, identifier, kind] = bind('create', names, args, known)
  const text = (value: unknown) => (value === undefined || value === null ? null : str(value))
  const policy = (value: unknown, usual: Quoting) =>
    value instanceof Dict ? changed('create', usual, [], Object.fromEntries(value.entries())) : usual
  return new Relation(
    { database: text(database), schema: text(schema), identifier: text(identifier) },
    kindOf(kind),
    policy(quotes, quoting),
    policy(includes, quoteAll),
    { rows: limit === undefined ? null : (numberOf(limit) ?? null), time: null },
  )
}

/** `api.Relation`: `create(database=…, schema=…, identifier=…, type=…)`. */
export class RelationApi extends HostObject {
  override readonly typeName = 'Relation'
  readonly #quoting: Quoting
  constructor(quoting: Quoting) {
    super()
    this.#quoting = quoting
  }
  override attr(name: string): unknown {
    switch (name) {
      case 'create':
        return ((args, kwargs) => createRelation(args, kwargs, this.#quoting)) satisfies Callable
      case 'add_ephemeral_prefix':
        return (([each]) => ephemeralName(str(each))) satisfies Callable
      case 'scd_args':
        return scdArguments
      case 'Table':
        return 'table'
      case 'View':
        return 'view'
      case 'CTE':
        return 'cte'
      case 'External':
        return 'external'
      case 'MaterializedView':
        return 'materialized_view'
      case 'get_relation_type':
        return (([kind]) => kindOf(kind)) satisfies Callable
      default:
        return undefined
    }
  }
}
