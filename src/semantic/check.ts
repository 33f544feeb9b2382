// Are the definitions right about the real columns? Every expression is bound, never run, against its table; what the
// engine says about it is reported at its place in the file.

import { Failure, type Place } from '../base/failure.ts'
import { didYouMean, suggest } from '../base/suggest.ts'
import type { Column } from '../contract/index.ts'
import type { Path } from '../project/index.ts'
import { identifier, tableName } from './literals.ts'
import type { Dimension, DimensionType, Metric, Model, Models } from './model.ts'

/** Names and types of a SELECT without running it; fails with `place` inside the SQL. */
export type Bind = (sql: string) => Promise<readonly Pick<Column, 'name' | 'type'>[]>

/** What is wrong with the models, as far as binding shows; nothing when all is well. A table that is not there is one mistake. */
export async function check(models: Models, bind: Bind): Promise<Failure[]> {
  const found = await Promise.all([...models.values()].map((model) => checkModel(model, bind)))
  return found.flat()
}

type Part = {
  what: string
  path: Path
  sql: string
  /** Of the text at `path` in `sql`, from 0. */ offset: number
  dimension?: Dimension
}

async function checkModel(model: Model, bind: Bind): Promise<Failure[]> {
  const { source } = model
  const from = `FROM ${tableName(model.table)}`
  let columns: string[]
  try {
    columns = (await bind(`SELECT * ${from}`)).map(({ name }) => name)
  } catch (error) {
    return [asMetricFailure(error, `the model ${model.table}`, source.at(['model']))]
  }
  const parts = [
    ...[...model.dimensions.values()].map(dimensionPart),
    ...[...model.metrics.values()].flatMap(metricParts),
  ]
  try {
    // All at once is one round trip; only when something is wrong, each alone says what.
    const bound = await bind(
      `SELECT ${parts.map(({ sql }, index) => `${sql} AS ${identifier(`${index}`)}`).join(', ')} ${from} GROUP BY ALL`,
    )
    return parts.flatMap((part, index) => checkType(part, bound[index]?.type ?? '', model))
  } catch {
    const found = await Promise.all(parts.map((part) => checkPart(part, model, columns, bind)))
    return found.flat()
  }
}

async function checkPart(part: Part, model: Model, columns: string[], bind: Bind): Promise<Failure[]> {
  const prefix = 'SELECT '
  try {
    const [bound] = await bind(`${prefix}${part.sql} FROM ${tableName(model.table)}`)
    return checkType(part, bound?.type ?? '', model)
  } catch (error) {
    const place = error instanceof Failure ? error.place : undefined
    const column =
      place?.column === undefined ? undefined : place.column - (place.line === 1 ? prefix.length + part.offset : 0)
    const inner: Place | undefined =
      place?.line && column !== undefined && column > 0 ? { line: place.line, column } : undefined
    return [asMetricFailure(error, part.what, model.source.within(part.path, inner), columns)]
  }
}

function dimensionPart(dimension: Dimension): Part {
  const written = dimension.sql !== identifier(dimension.name)
  const path = dimension.path[0] === 'time' ? dimension.path : [...dimension.path, written ? 'expr' : 'name']
  return { what: `the dimension "${dimension.name}"`, path, sql: dimension.sql, offset: 0, dimension }
}

function metricParts({ name, compute, path }: Metric): Part[] {
  if (compute.kind !== 'aggregate') return []
  const { agg, expr, filter } = compute
  const open = agg === 'count_distinct' ? 'COUNT(DISTINCT ' : `${agg === 'average' ? 'AVG' : agg.toUpperCase()}(`
  const what = `the metric "${name}"`
  return [
    ...(expr === null ? [] : [{ what, path: [...path, 'expr'], sql: `${open}${expr})`, offset: open.length }]),
    ...(filter === null
      ? []
      : [
          {
            what: `the filter of ${what}`,
            path: [...path, 'filter'],
            sql: `COUNT(*) FILTER (WHERE ${filter})`,
            offset: 'COUNT(*) FILTER (WHERE '.length,
          },
        ]),
  ]
}

const typeOf = (type: string): DimensionType | undefined => {
  if (/^(VARCHAR|UUID|ENUM)/.test(type)) return 'string'
  if (/^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL)/.test(type)) return 'number'
  if (type === 'BOOLEAN') return 'boolean'
  if (type === 'DATE') return 'date'
  return type.startsWith('TIMESTAMP') ? 'timestamp' : undefined
}

/** A wrong type would only show when somebody filters; so it is said now. */
function checkType({ dimension, path }: Part, type: string, { source }: Model): Failure[] {
  if (!dimension) return []
  const actual = typeOf(type)
  if (actual === undefined || actual === dimension.type) return []
  const message = `the dimension "${dimension.name}" is ${type} in the table, not a ${dimension.type}: write "type: ${actual}"`
  const written = source.at([...dimension.path, 'type'])
  return [new Failure('METRIC_INVALID', message, { place: dimension.path[0] === 'time' ? source.at(path) : written })]
}

function asMetricFailure(error: unknown, what: string, place: Place, columns: string[] = []): Failure {
  if (!(error instanceof Failure)) throw error
  const missing = /column "([^"]+)"/i.exec(error.message)?.[1]
  if (missing === undefined) return new Failure('METRIC_INVALID', `${what}: ${error.message}`, { place, cause: error })
  const message = `${what}: there is no column "${missing}"${didYouMean(missing, columns)}`
  return new Failure('METRIC_INVALID', message, { place, cause: error, suggestions: suggest(missing, columns) })
}
