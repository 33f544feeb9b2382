// run_results.json, version 6.

import type { DbtProject } from '../../project/dbt/index.ts'
import type { NodeResult } from '../work.ts'
import { metadata, type Invocation } from './common.ts'

/** `args`: the flags of the command by dbt's names; `retry` and people read them. */
export function runResults(
  project: DbtProject,
  results: readonly NodeResult[],
  invocation: Invocation,
  { elapsedMs, args }: { elapsedMs: number; args: Record<string, unknown> },
): Record<string, unknown> {
  return {
    metadata: metadata('run-results', 6, invocation),
    results: results.filter(({ kind }) => kind !== 'source').map((result) => resultOf(project, result)),
    elapsed_time: elapsedMs / 1000,
    args,
  }
}

function resultOf(project: DbtProject, result: NodeResult): Record<string, unknown> {
  const { uniqueId, status, timing, thread, executionMs, adapterResponse, failures, compiledSql, kind } = result
  const node = project.nodes.get(uniqueId)
  const { batch_results: batches, ...response } = adapterResponse
  return {
    status,
    timing: timing.map(({ name, startedAt, completedAt }) => ({
      name,
      started_at: iso(startedAt),
      completed_at: iso(completedAt),
    })),
    thread_id: `Thread-${thread} (worker)`,
    execution_time: executionMs / 1000,
    adapter_response: response,
    message: toldOf(project, result),
    failures: failures ?? (status === 'no-op' ? 0 : null),
    unique_id: uniqueId,
    compiled: /^(seed|exposure|saved_query)$/.test(kind) ? null : compiledSql !== undefined,
    compiled_code: compiledSql ?? null,
    relation_name:
      node && (node.kind !== 'test' || result.table !== undefined) && node.config['materialized'] !== 'ephemeral'
        ? quoted([node.database, node.schema, node.alias])
        : null,
    batch_results: batches ?? null,
  }
}

const iso = (ms: number): string => new Date(ms).toISOString()
const quoted = (parts: readonly string[]): string => parts.map((part) => `"${part.replaceAll('"', '""')}"`).join('.')

/** An error begins with whose it is and where: `Compilation Error in model a (models/a.sql)`, then the message, indented. */
function toldOf(project: DbtProject, result: NodeResult): string | null {
  const message = messageOf(project, result)
  if (result.status !== 'error' || message === null) return message
  return `${headOf(project, result)}\n${message.replace(/^/gm, '  ')}`
}

/** What kind of error it is in dbt's words, and where. */
export function headOf(project: DbtProject, { code, kind, name, uniqueId, place }: NodeResult): string {
  const file = project.nodes.get(uniqueId)?.fileInPackage ?? place?.file ?? ''
  const what = /^(?:TEMPLATE|MODEL|GRAPH|PROJECT)_/.test(code ?? '') ? 'Compilation Error' : 'Runtime Error'
  return `${what} in ${kind} ${name} (${file})`
}

/** As dbt words it, where scripts read it: `Got 2 results, configured to fail if != 0`, `OK`, `INSERT 100`. */
export function messageOf(
  project: DbtProject,
  { uniqueId, status, kind, message, failures, rows, adapterResponse }: NodeResult,
): string | null {
  const node = project.nodes.get(uniqueId)
  if (kind === 'test' && node && failures !== undefined && (status === 'fail' || status === 'warn')) {
    const limit = String(node.config[status === 'fail' ? 'error_if' : 'warn_if'] ?? '!= 0')
    return `Got ${failures} ${failures === 1 ? 'result' : 'results'}, configured to ${status} if ${limit}`
  }
  if (status === 'pass') return null
  if (status !== 'success') return message
  if (kind === 'seed' && rows !== undefined) {
    const isFull = node?.config['full_refresh'] ?? project.options.flags.fullRefresh
    return `${isFull === true ? 'CREATE' : 'INSERT'} ${rows}`
  }
  const answer = adapterResponse['_message']
  return typeof answer === 'string' ? answer : 'OK'
}
