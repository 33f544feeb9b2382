// One model → one change in the change set.

import { Failure } from '../base/failure.ts'
import type { ChangeSet, QueryOptions } from '../lake/index.ts'
import type { DatabaseAnswer, DatabaseRequest, DbtNode } from '../project/dbt/index.ts'
import { Compiler } from './compile.ts'
import { loadSeed } from './materializations/seed.ts'
import { lakeName, tableOptions } from './materializations/target.ts'
import {
  inTemplate,
  queryOptions,
  questionRowsMax,
  rowsOf,
  statementOf,
  timed,
  type NodeResult,
  type Work,
} from './work.ts'

/** Answers what templates ask while they compile, through the pending changes. */
export function asker(
  work: Omit<Work, 'changes'> & { changes?: ChangeSet | undefined },
): (request: DatabaseRequest) => Promise<DatabaseAnswer> {
  const options: QueryOptions = { ...queryOptions(work), rowsMax: questionRowsMax }
  return async (request) => {
    if (request.kind === 'query') return { kind: 'query', answer: await rowsOf(work.lake, request.sql, options) }
    const select = `select * from ${[request.database, request.schema, request.identifier].flatMap((part) => (part === null ? [] : [`"${part.replaceAll('"', '""')}"`])).join('.')}`
    try {
      if (request.kind === 'columns') return { kind: 'columns', columns: await work.lake.bind(select, options) }
      const { provenance, chunks } = await work.lake.query(`${select} limit 0`, options)
      for await (const _ of chunks);
      return {
        kind: 'relation',
        found: provenance.views.some((view) => view.endsWith(`.${request.identifier}`)) ? 'view' : 'table',
      }
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'TABLE_NOT_FOUND') throw error
      return request.kind === 'columns' ? { kind: 'columns', columns: [] } : { kind: 'relation', found: undefined }
    }
  }
}

/** Does the work of one model, seed or snapshot. Failures become a result; a cancelled run is thrown. */
export async function runModel(node: DbtNode, work: Work): Promise<NodeResult> {
  return timed(node, work, async () => {
    if (node.kind === 'seed') return loadSeed(node, work)
    const materialized = supported(node)
    const compiled = await new Compiler(work.project, asker(work)).compile(node)
    const target = lakeName(work.project, node)
    const options = tableOptions(node, work)
    const sql = statementOf(compiled)
    const written = await inTemplate(compiled, () =>
      materialized === 'view'
        ? work.changes.createView(target, sql, options)
        : work.changes.replaceTable(target, sql, options),
    )
    const rows = written.kind === 'table' ? written.rowsWritten : undefined
    return {
      status: 'success' as const,
      message: rows === undefined ? 'view created' : `${rows} rows`,
      rows,
      failures: undefined,
      table: written.table,
      compiledSql: compiled.sql,
    }
  })
}

function supported(node: DbtNode): 'table' | 'view' {
  const { materialized } = node.config
  for (const hook of ['pre-hook', 'post-hook']) {
    if (Array.isArray(node.config[hook]) && (node.config[hook] as unknown[]).length > 0) {
      throw new Failure('SQL_UNSUPPORTED', `model "${node.name}" has a ${hook}; hooks are not run yet`, {
        place: node.place,
        hint: 'Remove the hook, or put its work into a model.',
      })
    }
  }
  if (materialized === 'table' || materialized === 'view') return materialized
  const shown = typeof materialized === 'string' ? materialized : JSON.stringify(materialized)
  throw new Failure(
    'SQL_UNSUPPORTED',
    `model "${node.name}" is materialized as "${shown}", which cannot be built yet`,
    {
      place: node.place,
      hint: 'Supported are table, view and ephemeral; incremental models come with a later version. Until then use table.',
    },
  )
}
