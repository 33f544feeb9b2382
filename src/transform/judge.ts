// One test → one count, judged by its severity.

import type { DbtNode } from '../project/dbt/index.ts'
import { Compiler } from './compile.ts'
import { asker } from './materialize.ts'
import { inTemplate, queryOptions, rowsOf, statementOf, timed, type NodeResult, type Work } from './work.ts'

/** Runs one test: counts the rows that its SQL answers and judges them by its severity. */
export async function runTest(node: DbtNode, work: Work): Promise<NodeResult> {
  return timed(node, work, async () => {
    const compiled = await new Compiler(work.project, asker(work)).compile(node)
    const { config } = node
    const text = (key: string, fallback: string) => (typeof config[key] === 'string' ? config[key] : fallback)
    const failCalc = text('fail_calc', 'count(*)')
    const limit = typeof config['limit'] === 'number' ? `\nlimit ${config['limit']}` : ''
    // The test's own text starts on a line of its own, so that the lines of an error can be led back.
    const before = `select\n  ${failCalc} as failures,\n  ${failCalc} ${text('warn_if', '!= 0')} as should_warn,\n  ${failCalc} ${text('error_if', '!= 0')} as should_error\nfrom (\n`
    const sql = `${before}${statementOf(compiled)}${limit}\n) dbt_internal_test`
    const { rows } = await inTemplate(
      compiled,
      () => rowsOf(work.lake, sql, queryOptions(work)),
      before.split('\n').length - 1,
    )
    const [count, shouldWarn, shouldError] = rows[0] ?? [0, false, false]
    const failures = Number(count ?? 0)
    const severity = text('severity', 'ERROR').toLowerCase()
    const status =
      severity === 'error' && isTrue(shouldError)
        ? ('fail' as const)
        : isTrue(shouldWarn)
          ? ('warn' as const)
          : ('pass' as const)
    return {
      status,
      failures,
      message: status === 'pass' ? 'passed' : `${failures} failing ${failures === 1 ? 'row' : 'rows'}`,
      rows: undefined,
      table: undefined,
      compiledSql: compiled.sql,
    }
  })
}

const isTrue = (value: unknown): boolean => value === true || value === 1 || value === 'true'
