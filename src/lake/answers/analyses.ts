// The checked syntax tree of a text, kept by the text.

import { Failure, type Place } from '../../base/failure.ts'
import type { Engine } from '../../engine/index.ts'
import { indexOfByte } from '../sql/splice.ts'
import { analyse, type Analysis } from '../sql/tree.ts'

/** Syntax trees that were checked, by their text: a page that asks the same again costs no parsing. */
export class AnalysisCache {
  readonly #kept = new Map<string, Analysis>()
  get(sql: string): Analysis | undefined {
    const known = this.#kept.get(sql)
    if (known) {
      this.#kept.delete(sql)
      this.#kept.set(sql, known) // youngest again
    }
    return known
  }
  put(sql: string, analysis: Analysis): void {
    if (sql.length > analysisTextMax) return
    this.#kept.set(sql, analysis)
    if (this.#kept.size > analysesMax) this.#kept.delete(this.#kept.keys().next().value!)
  }
}
const [analysesMax, analysisTextMax] = [2_000, 20_000]

/** The checked tree of one SELECT; undefined when the text is a statement of another kind. */
export async function analysisOf(
  context: { engine: Engine; analyses: AnalysisCache; signal: AbortSignal | undefined },
  sql: string,
  at: (index: number) => Place,
): Promise<Analysis | undefined> {
  const known = context.analyses.get(sql)
  if (known) return known
  const json = String(
    (
      await context.engine.rows({
        class: 'plan',
        sql: 'SELECT json_serialize_sql($1::VARCHAR, skip_null := true, skip_empty := true, skip_default := true)',
        parameters: [sql],
        timeoutMs: 10_000,
        ...(context.signal ? { signal: context.signal } : {}),
      })
    )[0]?.[0],
  )
  if (json.startsWith('{"error":true')) {
    const error = JSON.parse(json) as { error_type: string; error_message: string; position?: string }
    if (error.error_type === 'not implemented') return undefined
    throw new Failure(
      'SQL_INVALID',
      error.error_message,
      error.position === undefined ? {} : { place: at(indexOfByte(sql, Number(error.position))) },
    )
  }
  const analysis = analyse(json)
  context.analyses.put(sql, analysis)
  return analysis
}
