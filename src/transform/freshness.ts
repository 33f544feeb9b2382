// How old the data of sources is: the newest time in the table, by the field or the query that the source names, or the
// time of the table's last commit; judged by what the source allows.

import { Failure } from '../base/failure.ts'
import { collect, quoteName } from '../lake/index.ts'
import { compileTemplate, Dict, newKwargs, str, type Callable } from '../jinja/index.ts'
import { Relation, ResultTable, type DbtProject, type DbtSource } from '../project/dbt/index.ts'
import { Compiler, type Subject } from './compile.ts'
import { asker } from './materialize.ts'
import type { LoopOptions } from './run.ts'
import { queryOptions, timed, type NodeResult, type Work } from './work.ts'

/** `message` says why for `runtime error`; times are ISO-8601 UTC. */
export type FreshnessResult = NodeResult & {
  freshness: { maxLoadedAt: string; snapshottedAt: string; ageSeconds: number } | undefined
}

type ReadingWork = Omit<Work, 'changes'> & { changes?: Work['changes'] | undefined }

/** The sources among `ids` that say when their data is too old, in their order. */
export function freshnessSources(project: DbtProject, ids: readonly string[]): DbtSource[] {
  return ids.flatMap((id) => {
    const source = project.sources.get(id)
    return source?.freshness && (source.freshness.warnAfter || source.freshness.errorAfter) ? [source] : []
  })
}

/** Looks at the sources, several at a time. A source that cannot be asked is a `runtime error`, as in dbt. */
export async function runFreshness(
  sources: readonly DbtSource[],
  work: ReadingWork,
  options: Pick<LoopOptions, 'threads' | 'signal'> & {
    onStart?: (source: DbtSource, position: { index: number; total: number }) => void
    onResult?: (result: FreshnessResult, position: { index: number; total: number }) => void
  } = {},
): Promise<FreshnessResult[]> {
  const results: FreshnessResult[] = []
  const signal = options.signal ?? work.signal
  const asking = signal ? { ...work, signal } : work
  let next = 0
  const worker = async (thread: number) => {
    for (let at = next++; at < sources.length; at = next++) {
      const position = { index: at + 1, total: sources.length }
      options.onStart?.(sources[at]!, position)
      const result = { ...(await lookAt(sources[at]!, asking)), thread }
      results.push(result)
      options.onResult?.(result, position)
    }
  }
  const threads = Math.max(1, options.threads ?? work.project.target.threads)
  await Promise.all(Array.from({ length: Math.min(threads, sources.length) }, (_, at) => worker(at + 1)))
  return results
}

async function lookAt(source: DbtSource, work: ReadingWork): Promise<FreshnessResult> {
  let freshness: FreshnessResult['freshness']
  const named = { ...source, kind: 'source' as const, name: `${source.source}.${source.name}` }
  const result = await timed(named, work, async (clocked) => {
    const { sql, loadedAt, asked } = await newest(source, work, clocked.compiled)
    const ageSeconds = (asked - loadedAt) / 1_000
    freshness = { maxLoadedAt: isoOf(loadedAt), snapshottedAt: isoOf(asked), ageSeconds }
    const status = judged(source, ageSeconds)
    const message = status === 'pass' ? 'passed' : `the newest data is of ${freshness.maxLoadedAt}`
    const adapterResponse = isByLake(source) ? {} : { _message: 'OK' }
    return {
      status,
      message,
      rows: undefined,
      failures: undefined,
      table: undefined,
      compiledSql: sql,
      adapterResponse,
    }
  })
  // What goes wrong while asking is told apart from data that is too old.
  return freshness ? { ...result, freshness } : { ...result, status: 'runtime error', freshness }
}

function judged({ freshness }: DbtSource, ageSeconds: number): 'pass' | 'warn' | 'error' {
  const seconds = { minute: 60, hour: 3_600, day: 86_400 }
  const isOver = (after: { count: number; period: keyof typeof seconds } | undefined) =>
    after !== undefined && ageSeconds > after.count * seconds[after.period]
  if (isOver(freshness?.errorAfter)) return 'error'
  return isOver(freshness?.warnAfter) ? 'warn' : 'pass'
}

/** Nothing says when its rows were loaded, but the lake knows when something was written. */
const isByLake = ({ loadedAtField, loadedAtQuery }: DbtSource): boolean =>
  loadedAtField === undefined && loadedAtQuery === undefined

type Newest = { sql: string | undefined; loadedAt: number; asked: number }

async function newest(source: DbtSource, work: ReadingWork, compiled: () => void): Promise<Newest> {
  const table = [source.database, source.schema, source.identifier].map(quoteName).join('.')
  const { loadedAtField, loadedAtQuery, freshness } = source
  const now = work.now ?? Date.now
  if (isByLake(source)) {
    compiled()
    const { chunks, provenance } = await work.lake.query(`select * from ${table} limit 0`, queryOptions(work))
    for await (const _ of chunks);
    const times = provenance.tables.flatMap(({ committedAt }) => committedAt ?? [])
    return { sql: undefined, loadedAt: times.length === 0 ? longAgo : Math.max(...times.map(Date.parse)), asked: now() }
  }
  const own = await byMacro(source, work)
  if (own) {
    compiled()
    const [row] = own.rows
    const [loadedAt, asked] = [row?.item(0) ?? null, row?.item(1) ?? null].map((each) =>
      each === null ? null : str(each),
    )
    const type = 'TIMESTAMP'
    return {
      sql: undefined,
      loadedAt: timeOf(loadedAt, type, source),
      asked: asked === null ? now() : timeOf(asked, type, source),
    }
  }
  const where = freshness?.filter ? `\nwhere ${freshness.filter}` : ''
  const sql =
    loadedAtQuery === undefined
      ? `select\n  max(${loadedAtField}) as max_loaded_at\nfrom ${table}${where}`
      : `with source_query as (\n${(await rendered(source, loadedAtQuery, work)).replace(/[\s;]+$/, '')}\n)\nselect\n  (select * from source_query) as max_loaded_at`
  compiled()
  const { columns, rows } = await collect(await work.lake.query(sql, queryOptions(work)))
  return { sql, loadedAt: timeOf(rows[0]?.[0] ?? null, columns[0]?.type ?? '', source), asked: now() }
}

const rendered = (source: DbtSource, text: string, work: ReadingWork): Promise<string> =>
  new Compiler(work.project, asker(work)).run(subjectOf(source), ({ globals }) =>
    str(compileTemplate(text).render(globals)),
  )

/** What the project's own `collect_freshness` finds, where it has one in the place of dbt's. */
async function byMacro(source: DbtSource, work: ReadingWork): Promise<ResultTable | undefined> {
  const { loadedAtField, loadedAtQuery, freshness } = source
  const compiler = new Compiler(work.project, asker(work))
  const macro = compiler.macros.replaced(
    loadedAtQuery === undefined ? 'collect_freshness' : 'collect_freshness_custom_sql',
  )
  if (!macro) return undefined
  const subject = subjectOf(source)
  const found = await compiler.run(subject, ({ macros }) => {
    const relation = new Relation(subject.relation, null, source.quoting)
    const told = loadedAtQuery === undefined ? [loadedAtField, freshness?.filter ?? null] : [loadedAtQuery]
    return (macros.bind(macro) as Callable)([relation, ...told], newKwargs())
  })
  // Before dbt 1.5 the table itself was returned.
  const table = found instanceof Dict ? found.get('table') : found
  if (table instanceof ResultTable) return table
  throw new Failure('MODEL_INVALID', `the macro ${macro.macroName} returns no result of a statement`, {
    place: { ...source.place },
  })
}

function subjectOf(source: DbtSource): Subject & { relation: NonNullable<Subject['relation']> } {
  const { database, schema, identifier } = source
  return {
    ...source,
    kind: 'source',
    dependsOn: undefined,
    relation: { database, schema, identifier },
    model: () => null,
  }
}

/** Nothing was ever loaded. */
const longAgo = Date.parse('0001-01-01T00:00:00Z')

/** A time without a zone is UTC, as in dbt. */
function timeOf(value: unknown, type: string, { name, loadedAtField }: DbtSource): number {
  if (value === null) return longAgo
  const text = /^(\d{4,}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d(?:\.\d+)?))?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/.exec(String(value))
  const zone = text?.[3] ?? 'Z'
  const offset = zone === 'Z' ? 'Z' : zone.length === 3 ? `${zone}:00` : zone.replace(/^(...):?(..)$/, '$1:$2')
  const time = text ? Date.parse(`${text[1]!}T${text[2]?.slice(0, 12) ?? '00:00:00'}${offset}`) : Number.NaN
  if (/^(TIMESTAMP|DATE)/.test(type) && !Number.isNaN(time)) return time
  throw new Failure(
    'MODEL_INVALID',
    `Expected a timestamp value when querying field '${loadedAtField ?? 'loaded_at_query'}' of table ${name} but received value of type '${type}' instead`,
    { hint: 'Cast it: loaded_at_field: "loaded_at::timestamp".' },
  )
}

const isoOf = (ms: number): string => new Date(ms).toISOString()
