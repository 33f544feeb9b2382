// Relations that show one stretch of time: what `ref` and `source` answer to a batch of a microbatch model.

import { Relation, type Config } from '../../project/dbt/index.ts'

/** In Python's spelling of a time with its zone, as dbt puts it into SQL. */
export type Stretch = { start: string; end: string }

export class TimedRelation extends Relation {
  readonly #field: string
  readonly #stretch: Stretch
  constructor({ path, kind, quoting, included }: Relation, field: string, stretch: Stretch) {
    super(path, kind, quoting, included)
    this.#field = field
    this.#stretch = stretch
  }

  override text(): string {
    const { start, end } = this.#stretch
    return `(select * from ${super.text()} where ${this.#field} >= '${start}' and ${this.#field} < '${end}')`
  }
}

/** The relation as a batch sees it: all of it where nobody said which column its time is. */
export function timed(relation: Relation, config: Config, stretch: Stretch | undefined): Relation {
  const field = config['event_time']
  return stretch && typeof field === 'string' ? new TimedRelation(relation, field, stretch) : relation
}
