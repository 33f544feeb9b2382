// sources.json, version 3.

import type { DbtProject, DbtSource } from '../../project/dbt/index.ts'
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
  return {
    unique_id: uniqueId,
    max_loaded_at: freshness.maxLoadedAt,
    snapshotted_at: freshness.snapshottedAt,
    max_loaded_at_time_ago_in_s: freshness.ageSeconds,
    status,
    criteria: { warn_after: warnAfter ?? nothing, error_after: errorAfter ?? nothing, filter: filter ?? null },
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

const nothing = { count: null, period: null }
