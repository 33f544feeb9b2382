// What the statements of `on-run-start` and `on-run-end` see of the run: which nodes were chosen and, at the end, what
// became of each, as the objects that dbt would give them.

import { Dict, fromJs, HostObject, type Callable } from '../jinja/index.ts'
import { isoTime, nodeDict, PlainObject, type DbtProject } from '../project/dbt/index.ts'
import { messageOf } from './artifacts/run-results.ts'
import type { Names } from './compile.ts'
import type { NodeResult } from './work.ts'

/** `results`, `schemas` and `database_schemas`. Operations are told only when they failed, as in dbt. */
export function namesAtEnd(project: DbtProject, results: readonly NodeResult[]): Names {
  const written = results.flatMap(({ uniqueId, status }) => {
    const node = ['error', 'fail', 'skipped'].includes(status) ? undefined : project.nodes.get(uniqueId)
    return node && node.kind !== 'test' ? [node] : []
  })
  const pairs = new Map(written.map(({ database, schema }) => [JSON.stringify([database, schema]), [database, schema]]))
  return {
    results: results
      .filter(({ kind, status }) => kind !== 'operation' || status === 'error')
      .map((result) => new RunResult(result, project)),
    schemas: [...new Set(written.map(({ schema }) => schema))],
    database_schemas: fromJs([...pairs.values()]),
  }
}

/** One node's result: `{{ result.node.unique_id }} {{ result.status }}`. */
class RunResult extends HostObject {
  override readonly typeName = 'RunResult'
  readonly #attributes: Readonly<Record<string, unknown>>

  constructor(result: NodeResult, project: DbtProject) {
    super()
    const { uniqueId, status, failures, timing, thread, executionMs, adapterResponse, compiledSql } = result
    const node = project.nodes.get(uniqueId)
    const told = {
      status,
      timing: timing.map(({ name, startedAt, completedAt }) => ({
        name,
        started_at: isoTime(startedAt),
        completed_at: isoTime(completedAt),
      })),
      thread_id: `Thread-${thread} (worker)`,
      execution_time: executionMs / 1_000,
      adapter_response: adapterResponse,
      message: status === 'skipped' ? null : messageOf(project, result) || null,
      failures: failures ?? (status === 'no-op' ? 0 : null),
      unique_id: uniqueId,
      compiled_code: compiledSql ?? null,
    }
    const dict = fromJs(told) as Dict
    const about = node
      ? new Dict([
          ...nodeDict(node).entries(),
          ['compiled', compiledSql !== undefined],
          ['compiled_code', compiledSql ?? null],
        ] as [string, unknown][])
      : (fromJs({ unique_id: uniqueId, name: result.name, resource_type: result.kind }) as Dict)
    const asDict: Callable = () => new Dict([...dict.entries(), ['node', about]])
    this.#attributes = {
      ...Object.fromEntries(dict.entries()),
      timing: (dict.get('timing') as Dict[]).map((each) => new PlainObject('TimingInfo', each)),
      node: new PlainObject('Node', about),
      to_dict: asDict,
      to_msg_dict: asDict,
    }
  }

  override attr(name: string): unknown {
    return Object.hasOwn(this.#attributes, name) ? this.#attributes[name] : undefined
  }

  override text(): string {
    return `RunResult(status='${String(this.#attributes['status'])}')`
  }
}
