// Relations that stand for a part of a table, or for a file: what `ref` and `source` answer to a batch of a microbatch model,
// under `--empty`, and for sources of dbt-duckdb with an `external_location`.

import { Relation, type Config, type DbtSource } from '../../project/dbt/index.ts'

/** In Python's spelling of a time with its zone, as dbt puts it into SQL. */
export type Stretch = { start: string; end: string }

class ShownRelation extends Relation {
  readonly #show: (text: string) => string
  constructor({ path, kind, quoting, included }: Relation, show: (text: string) => string) {
    super(path, kind, quoting, included)
    this.#show = show
  }
  override text(): string {
    return this.#show(super.text())
  }
}

/** The relation as far as its reader is to see it; all of it for a batch where nobody said which column its time is. */
export function narrowed(
  relation: Relation,
  config: Config,
  { stretch, isEmpty }: { stretch: Stretch | undefined; isEmpty: boolean },
): Relation {
  const field = config['event_time']
  const timed =
    stretch && typeof field === 'string'
      ? new ShownRelation(
          relation,
          (text) => `(select * from ${text} where ${field} >= '${stretch.start}' and ${field} < '${stretch.end}')`,
        )
      : relation
  return isEmpty ? new ShownRelation(timed, () => `(select * from ${timed.text()} where false limit 0)`) : timed
}

/** Where dbt-duckdb finds a source that is no table: `'data/{name}.parquet'`, names of the source put in. */
export function externalLocation(source: DbtSource): string | undefined {
  const meta = (source.config['meta'] ?? {}) as Config
  const known = { ...source.sourceMeta, ...meta, ...source.config }
  const location = known['external_location']
  if (typeof location !== 'string') return undefined
  const names: Config = {
    ...known,
    name: source.name,
    identifier: source.identifier,
    schema: source.schema,
    database: source.database,
  }
  const text = location.replace(/\{(\w+)\}/g, (whole, name: string) => String(names[name] ?? whole))
  return text.includes('(') || text.startsWith("'") ? text : `'${text}'`
}

export const externalRelation = (relation: Relation, location: string): Relation =>
  new ShownRelation(relation, () => location)
