// Relations that stand for a part of a table, or for a file: what `ref` and `source` answer to a batch of a microbatch model,
// under `--sample` and `--empty`, and for sources of dbt-duckdb with an `external_location`.

import { Relation, type ColumnSpec, type Config } from '../../project/dbt/index.ts'

/** In Python's spelling of a time with its zone, as dbt puts it into SQL. */
export type Stretch = { start: string; end: string }

/** What is read: a node or a source. */
type Read = { config: Config; columns: readonly Pick<ColumnSpec, 'name' | 'quote'>[] }

/** The relation as far as its reader is to see it; all of it for a stretch where nobody said which column its time is. */
export function narrowed(
  relation: Relation,
  { config, columns }: Read,
  { stretch, isEmpty }: { stretch: Stretch | undefined; isEmpty: boolean },
): Relation {
  const { event_time: name } = config
  if (typeof name !== 'string' || !stretch) return isEmpty ? relation.limited({ rows: 0 }) : relation
  const field = columns.some((column) => column.name === name && column.quote) ? `"${name}"` : name
  return relation.limited({ rows: isEmpty ? 0 : null, time: { field, ...stretch } })
}

/** What lies in both. */
export const bothOf = (one: Stretch | undefined, other: Stretch | undefined): Stretch | undefined =>
  // Texts of one zone stand in the order of their times.
  one && other
    ? { start: one.start > other.start ? one.start : other.start, end: one.end < other.end ? one.end : other.end }
    : (one ?? other)

class ExternalRelation extends Relation {
  readonly #location: string
  constructor({ path, kind, quoting, included }: Relation, location: string) {
    super(path, kind, quoting, included)
    this.#location = location
  }
  override text(): string {
    return this.#location
  }
}

export const externalRelation = (relation: Relation, location: string): Relation =>
  new ExternalRelation(relation, location)
