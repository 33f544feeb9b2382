// Names inside one query: which columns a name can mean, and which columns of tables those come from.
//
// Where a name cannot be told for certain, it means everything it could mean: lineage may say too much, never too little.

/** How a column became another: as it is, computed, or one of many rows. */
export type How = 'identity' | 'derived' | 'aggregated'

/** Columns of tables, by `columnKey`, with the strongest change on the way. */
export type Uses = ReadonlyMap<string, How>

export const noUses: Uses = new Map()

/** A column of a table, as a key: names are compared without regard to case. */
export const columnKey = (table: string, column: string): string => `${table}\u0000${column}`.toLowerCase()

const strength: Readonly<Record<How, number>> = { identity: 0, derived: 1, aggregated: 2 }
const stronger = (one: How, other: How): How => (strength[one] >= strength[other] ? one : other)

export function union(all: Iterable<Uses>): Uses {
  const found = new Map<string, How>()
  for (const uses of all) for (const [key, how] of uses) found.set(key, stronger(how, found.get(key) ?? how))
  return found
}

/** The same columns, changed at least so. */
export const atLeast = (uses: Uses, how: How): Uses =>
  new Map(Array.from(uses, ([key, one]) => [key, stronger(one, how)] as const))

/** A column of a query or table. Without a name it is one whose name DuckDB makes. */
export type Col = { name: string | undefined; uses: Uses }

/** Columns in their order. `rest`: an unknown number of further ones, each made of at most these. */
export type Cols = { columns: readonly Col[]; rest: Uses | undefined }

/** What stands in a FROM clause. */
export type Relation = Cols & {
  /** By which its columns may be qualified, in lower case, innermost last: `['dev', 'raw', 'sales']`. */
  path: readonly string[]
}

export const everything = ({ columns, rest }: Cols): Uses =>
  union([...columns.map(({ uses }) => uses), ...(rest ? [rest] : [])])

/** One after the other; what follows an unknown number of columns has no place of its own. */
export function joined(parts: readonly Cols[]): Cols {
  const columns: Col[] = []
  let rest: Uses | undefined
  for (const part of parts) {
    if (rest) rest = union([rest, everything(part)])
    else {
      columns.push(...part.columns)
      rest = part.rest
    }
  }
  return { columns, rest }
}

/** Columns under the names of `t(a, b)`. */
export function renamed({ columns, rest }: Cols, names: readonly string[]): Cols {
  const more = rest ? names.slice(columns.length).map((name) => ({ name, uses: rest })) : []
  return { columns: [...columns.map((column, at) => ({ ...column, name: names[at] ?? column.name })), ...more], rest }
}

export const same = (one: string | undefined, other: string): boolean => one?.toLowerCase() === other.toLowerCase()

/** All columns called so; undefined when there is none. */
export function named({ columns, rest }: Cols, name: string): Uses | undefined {
  const found = columns.filter((column) => same(column.name, name))
  if (found.length > 0) return union(found.map(({ uses }) => uses))
  if (rest) return rest
  // A name that DuckDB made of an expression: `sum(x)`.
  const unnamed = columns.filter((column) => column.name === undefined)
  return unnamed.length > 0 && !/^\w+$/.test(name) ? union(unnamed.map(({ uses }) => uses)) : undefined
}

export class Scope {
  readonly relations: readonly Relation[]
  /** What `*` gives: USING shows a column once. */
  readonly star: Cols
  readonly outer: Scope | undefined
  /** Names of the SELECT list, usable beside it. */
  aliases: ReadonlyMap<string, Uses> = new Map()

  constructor(relations: readonly Relation[], star: Cols, outer: Scope | undefined) {
    this.relations = relations
    this.star = star
    this.outer = outer
  }

  /** What a name in the text is made of. `aliasFirst`: where the SELECT list goes before the tables. */
  resolve(parts: readonly string[], aliasFirst = false): Uses {
    const [first] = parts
    const alias = parts.length === 1 ? this.aliases.get(first!.toLowerCase()) : undefined
    const column = this.#column(parts)
    if (column && alias && aliasFirst) return union([column, alias])
    const found = column ?? alias ?? this.#whole(parts)
    if (found) return found
    if (this.outer) return this.outer.resolve(parts)
    return atLeast(union(this.relations.map(everything)), 'derived')
  }

  /** What `t.*` gives; undefined when `t` is no table here. */
  relation(name: string): Relation | undefined {
    return this.relations.find(({ path }) => path.at(-1) === name.toLowerCase()) ?? this.outer?.relation(name)
  }

  /** `t.c`, `s.t.c`, `c`, each with fields of a struct after it. */
  #column(parts: readonly string[]): Uses | undefined {
    for (let length = Math.min(3, parts.length - 1); length >= 0; length--) {
      const path = parts.slice(0, length).map((part) => part.toLowerCase())
      const isField = parts.length > length + 1
      const found = this.relations.flatMap((relation) => {
        if (length > 0 && path.join('\u0000') !== relation.path.slice(-length).join('\u0000')) return []
        const uses = named(relation, parts[length]!)
        return uses ? [uses] : []
      })
      if (found.length > 0) return isField ? atLeast(union(found), 'derived') : union(found)
    }
    return undefined
  }

  /** A table's name alone is a row of it. */
  #whole(parts: readonly string[]): Uses | undefined {
    const relation =
      parts.length === 1 ? this.relations.find(({ path }) => path.at(-1) === parts[0]!.toLowerCase()) : undefined
    return relation && atLeast(everything(relation), 'derived')
  }
}
