// sources.json, version 3.

import { isRecord } from '../../base/record.ts'
import type { DbtProject, DbtSource, Period } from '../../project/dbt/index.ts'
import type { FreshnessResult } from '../freshness.ts'
import { metadata, type Invocation } from './common.ts'

export function sourcesArtifact(
  project: DbtProject,
  results: readonly FreshnessResult[],
  invocation: Invocation,
  elapsedMs: number,
): Record<string, unknown> {
  return {
    metadata: metadata('sources', 3, invocation),
    results: results.map((result) => resultOf(project.sources.get(result.uniqueId), result)),
    elapsed_time: elapsedMs / 1000,
  }
}

function resultOf(source: DbtSource | undefined, result: FreshnessResult): Record<string, unknown> {
  const { uniqueId, status, message, freshness, adapterResponse, timing, thread, executionMs } = result
  if (!freshness) return { unique_id: uniqueId, error: message, status: 'runtime error' }
  const { warnAfter, errorAfter, filter } = source?.freshness ?? {}
  // Null where the source says null; nobody's word is a limit without numbers.
  const limit = (key: string, after: Period | undefined) => {
    const said = source?.config['freshness']
    return after ?? (isRecord(said) && said[key] === null ? null : nothing)
  }
  return {
    unique_id: uniqueId,
    max_loaded_at: asPython(freshness.maxLoadedAt),
    snapshotted_at: asPython(freshness.snapshottedAt),
    max_loaded_at_time_ago_in_s: freshness.ageSeconds,
    status,
    criteria: {
      warn_after: limit('warn_after', warnAfter),
      error_after: limit('error_after', errorAfter),
      filter: filter ?? null,
    },
    adapter_response: adapterResponse,
    timing: timing.map(({ name, startedAt, completedAt }) => ({
      name,
      started_at: new Date(startedAt).toISOString(),
      completed_at: new Date(completedAt).toISOString(),
    })),
    thread_id: `Thread-${thread} (worker)`,
    execution_time: executionMs / 1000,
  }
}

/** A time as Python's `isoformat` writes one with a zone: no fraction where there is none. */
const asPython = (time: string): string => time.replace(/(\.\d+)?Z$/, (_, part) => `${fraction(part)}+00:00`)
const fraction = (part: string | undefined): string => (Number(part ?? 0) === 0 ? '' : part!.padEnd(7, '0'))

const nothing = { count: null, period: null }
