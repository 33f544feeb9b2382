// What is known of a text by the text alone, kept: its checked syntax tree, and the columns that it has over shadows.

import { Failure, type Place } from '../../base/failure.ts'
import type { Engine, EngineColumn } from '../../engine/index.ts'
import { withoutLikeRows } from '../sql/long-values.ts'
import { indexOfByte } from '../sql/splice.ts'
import { textShape } from '../sql/text-shape.ts'
import { analyse, type Analysis } from '../sql/tree.ts'

/** By text, the youngest of them: as many as a project of thousands of models has. Long texts are not kept. */
class Kept<Value> {
  readonly #kept = new Map<string, Value>()
  #length = 0
  get(sql: string): Value | undefined {
    const known = this.#kept.get(sql)
    if (known) {
      this.#kept.delete(sql)
      this.#kept.set(sql, known) // youngest again
    }
    return known
  }
  put(sql: string, value: Value): void {
    if (sql.length > textMax) return
    if (!this.#kept.has(sql)) this.#length += sql.length
    this.#kept.set(sql, value)
    for (const oldest of this.#kept.keys()) {
      if (this.#length <= textsMax && this.#kept.size <= keptMax) break
      this.#kept.delete(oldest)
      this.#length -= oldest.length
    }
  }
}
const [keptMax, textMax, textsMax] = [10_000, 20_000, 2 ** 23]

/** Syntax trees that were checked: a page that asks the same again costs no parsing, nor does the same with other literals. */
export class AnalysisCache {
  readonly byText = new Kept<Analysis>()
  readonly byShape = new Kept<Analysis>()
}

/** Columns of texts over shadow tables, whose names say what columns they have: the same text has the same ones. */
export class ColumnsCache extends Kept<readonly EngineColumn[]> {}

/** How long a statement may take to be understood; the planning host has no other work than that. */
export const planningMs = 30_000

/** DuckDB's own syntax tree of a text as JSON, without what is null, empty or default; an error is one of its keys. */
export async function treeText(engine: Engine, sql: string, signal: AbortSignal | undefined): Promise<string> {
  const [row] = await engine.rows({
    class: 'plan',
    sql: 'SELECT json_serialize_sql($1::VARCHAR, skip_null := true, skip_empty := true, skip_default := true)',
    parameters: [sql],
    timeoutMs: planningMs,
    ...(signal ? { signal } : {}),
  })
  return String(row?.[0])
}

/** The checked tree of one SELECT; undefined when the text is a statement of another kind. */
export async function analysisOf(
  context: { engine: Engine; analyses: AnalysisCache; signal: AbortSignal | undefined },
  sql: string,
  at: (index: number) => Place,
): Promise<Analysis | undefined> {
  const { byText, byShape } = context.analyses
  const known = byText.get(sql)
  if (known) return known
  const shape = textShape(sql)
  const like = byShape.get(shape)
  // Another object: what was found by places of that text is not true of this one.
  const analysis = like ? { ...like } : await parsed(context, sql, at)
  if (!analysis) return undefined
  byText.put(sql, analysis)
  if (!like && shape !== sql) byShape.put(shape, analysis)
  return analysis
}

async function parsed(
  context: { engine: Engine; signal: AbortSignal | undefined },
  sql: string,
  at: (index: number) => Place,
): Promise<Analysis | undefined> {
  const json = await treeText(context.engine, withoutLikeRows(sql), context.signal)
  if (json.startsWith('{"error":true')) {
    const error = JSON.parse(json) as { error_type: string; error_message: string; position?: string }
    if (error.error_message.startsWith('A CTE needs a SELECT'))
      throw new Failure('SQL_UNSUPPORTED', 'a change inside of a WITH clause is not supported', {
        hint: 'Write it as a statement of its own, with RETURNING for its rows; BEGIN … COMMIT makes one commit of both.',
      })
    if (error.error_type === 'not implemented') {
      // Of a statement of another kind it says so; this is a part of a SELECT that the engine has not.
      if (/^\s*(select|with|from|values)\b/i.test(sql) && !error.error_message.startsWith('Only SELECT'))
        throw new Failure('SQL_UNSUPPORTED', error.error_message, { place: at(0) })
      return undefined
    }
    throw new Failure(
      'SQL_INVALID',
      error.error_message,
      error.position === undefined ? {} : { place: at(indexOfByte(sql, Number(error.position))) },
    )
  }
  return analyse(json)
}
