// One test → one count, judged by its severity. What a test finds is kept as a table or view where its config asks for it
// (`store_failures`), in the change set like everything else of a run.

import { Failure } from '../base/failure.ts'
import type { QueryOptions } from '../lake/index.ts'
import type { DbtNode, DbtProject } from '../project/dbt/index.ts'
import { Compiler } from './compile.ts'
import { asker } from './materialize.ts'
import { testTemplate } from './materializations/chosen.ts'
import { runnable } from './materializations/runnable.ts'
import { runJudgement } from './materializations/jinja.ts'
import { openScope, type Scope } from './materializations/scope.ts'
import { lakeName } from './materializations/target.ts'
import { handlingOf } from './warnings.ts'
import {
  inTemplate,
  queryOptions,
  rowsOf,
  statementOf,
  timed,
  type Clocked,
  type NodeResult,
  type Outcome,
  type Work,
} from './work.ts'

/** Runs one test: counts the rows that its SQL answers and judges them by its severity. */
export async function runTest(node: DbtNode, work: Work): Promise<NodeResult> {
  return timed(node, work, async (clocked) => {
    const isWriting = (work.changes as Work['changes'] | undefined) !== undefined
    const scope = isWriting ? await openScope(node.uniqueId, work) : undefined
    try {
      return await judge(node, work, clocked, scope)
    } finally {
      await scope?.close()
    }
  })
}

async function judge(node: DbtNode, work: Work, clocked: Clocked, scope: Scope | undefined): Promise<Outcome> {
  const compiler = new Compiler(work.project, scope?.ask ?? asker(work))
  const template = testTemplate(node, work.project, compiler.macros)
  const compiled = await compiler.compile(node)
  clocked.compiled(compiled.sql)
  if (template) {
    const counted = countedIn(node, await runJudgement(node, template, { compiler, compiled }))
    const isKept = scope !== undefined && storedAs(node, work.project) !== undefined
    const table = isKept ? Object.values(lakeName(work.project, node)).join('.') : undefined
    return { ...verdict(node, work.project, counted), table, compiledSql: compiled.sql }
  }
  const options = scope?.options ?? queryOptions(work)
  const judgement = judgementOf(node)
  // The test's own text starts on a line of its own, so that the lines of an error can be led back.
  const found = `${statementOf(compiled)}${judgement.limit}`
  const kept = await inTemplate(compiled, async () => keep(node, await runnable(found, work), work, options))
  const before = judgement.before
  const linesBefore = kept === undefined ? before.split('\n').length - 1 : 0
  const sql = `${before}${kept === undefined ? found : `select * from ${kept.sql}`}\n) dbt_internal_test`
  const { columns, rows } = await inTemplate(compiled, () => rowsOf(work.lake, sql, options), linesBefore)
  const counted = countedIn(node, { columns: columns.length, rows })
  return { ...verdict(node, work.project, counted), table: kept?.table, compiledSql: compiled.sql }
}

function countedIn(
  { name }: DbtNode,
  { columns, rows }: { columns: number; rows: readonly (readonly unknown[])[] },
): readonly unknown[] {
  if (rows.length === 1 && columns === 3) return rows[0]!
  throw new Failure(
    'MODEL_INVALID',
    `the test ${name} answers ${rows.length} rows of ${columns} columns; it must count: 1 row of 3`,
  )
}

/** The query around a test, up to its own text, and what comes behind that. */
function judgementOf({ config, name, place }: DbtNode): { before: string; limit: string } {
  const text = (key: string, fallback: string) => {
    const value = config[key] ?? fallback
    if (typeof value === 'string' || typeof value === 'number') return String(value)
    throw new Failure('MODEL_INVALID', `${key} of the test ${name} is no SQL`, { place })
  }
  const failCalc = text('fail_calc', 'count(*)')
  const { limit = null } = config
  if (limit !== null && !/^\d+$/.test(String(limit)))
    throw new Failure('MODEL_INVALID', `limit of the test ${name} is no number: ${JSON.stringify(limit)}`, { place })
  return {
    before: `select\n  ${failCalc} as failures,\n  ${failCalc} ${text('warn_if', '!= 0')} as should_warn,\n  ${failCalc} ${text('error_if', '!= 0')} as should_error\nfrom (\n`,
    limit: limit === null ? '' : `\nlimit ${String(limit)}`,
  }
}

/** Keeps the rows that a test finds; undefined when nobody asks for them, or nothing may be written. */
async function keep(
  node: DbtNode,
  select: string,
  work: Work,
  { aliases, namespace, temporary }: QueryOptions,
): Promise<{ table: string; sql: string } | undefined> {
  const as = storedAs(node, work.project)
  if (as === undefined || !(work.changes as Work['changes'] | undefined)) return undefined
  const target = lakeName(work.project, node)
  const options = {
    ...(temporary !== undefined && { temporary }),
    ...(aliases && { aliases }),
    ...(namespace !== undefined && { namespace }),
    ...(work.signal && { signal: work.signal }),
    ...(work.timeoutMs !== undefined && { timeoutMs: work.timeoutMs }),
  }
  const { table } =
    as === 'view'
      ? await work.changes.createView(target, select, options)
      : await work.changes.replaceTable(target, select, options)
  const quoted = [target.catalog, target.namespace, target.name].map((part) => `"${part.replaceAll('"', '""')}"`)
  return { table, sql: quoted.join('.') }
}

/** As what the failing rows of a test are kept; dbt's rules for `store_failures` and `store_failures_as`. */
function storedAs(
  { config, name, place }: Pick<DbtNode, 'config' | 'name' | 'place'>,
  { options }: Pick<DbtProject, 'options'>,
): 'table' | 'view' | undefined {
  const as = config['store_failures_as'] ?? null
  if (as === 'table' || as === 'view') return as
  if (as === 'ephemeral') return undefined
  if (as !== null)
    throw new Failure(
      'MODEL_INVALID',
      `'${typeof as === 'string' ? as : JSON.stringify(as)}' is not a valid value for \`store_failures_as\` of the test ${name}. Accepted values are: ['ephemeral', 'table', 'view']`,
      { place },
    )
  return (config['store_failures'] ?? options.flags.storeFailures) === true ? 'table' : undefined
}

function verdict(
  node: DbtNode,
  { options }: DbtProject,
  [count, shouldWarn, shouldError]: readonly unknown[],
): Outcome {
  const { config } = node
  if (count === null || count === undefined)
    throw new Failure('MODEL_INVALID', `the test ${node.name} counts nothing: its fail_calc answers NULL`, {
      hint: 'Write coalesce(…, 0) around it.',
    })
  const failures = Number(count)
  const severity = String(config['severity'] ?? 'ERROR').toUpperCase()
  const warnIsError = handlingOf(options.flags.others ?? {}, { name: 'LogTestResult', code: 'Q007' }) === 'error'
  const got = `Got ${failures} ${failures === 1 ? 'result' : 'results'}, configured to`
  const told = {
    failures,
    rows: undefined,
    table: undefined,
    compiledSql: undefined,
    adapterResponse: { _message: 'OK' },
  }
  const [isWarning, isError] = [truthOf(node, 'should_warn', shouldWarn), truthOf(node, 'should_error', shouldError)]
  if (severity === 'ERROR' && isError)
    return { ...told, status: 'fail', message: `${got} fail if ${String(config['error_if'] ?? '!= 0')}` }
  if (isWarning) {
    const status = warnIsError ? 'fail' : 'warn'
    return { ...told, status, message: `${got} ${status} if ${String(config['warn_if'] ?? '!= 0')}` }
  }
  return { ...told, status: 'pass', message: 'passed', failures: 0 }
}

/** What a test says of itself: a truth, a number, or one of Python's words for them, as in dbt. */
function truthOf({ name, place }: DbtNode, field: string, value: unknown): boolean {
  if (typeof value !== 'string') return Boolean(value)
  if (/^(?:y|yes|t|true|on|[1-9]\d*)$/i.test(value)) return true
  if (/^(?:n|no|f|false|off|0)$/i.test(value)) return false
  throw new Failure('MODEL_INVALID', `'get_test_sql' returns '${value}' for '${field}' of the test ${name}`, {
    place,
    hint: 'It must be true or false: look at the macro get_test_sql, or at warn_if and error_if.',
  })
}
