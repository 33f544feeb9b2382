// What a project has, as the first line of each command tells it.

import type { DbtProject } from '../../../project/dbt/index.ts'
import { counted } from '../../output.ts'
import type { DbtLog, Event } from './log.ts'

/** Kinds of nodes in dbt's words, where those are others. */
export const kindWords: Readonly<Record<string, string>> = {
  test: 'data test',
  unit_test: 'unit test',
  operation: 'project hook',
  saved_query: 'saved query',
}

/** `Found 5 models, 3 seeds, 20 data tests`, and how the work is spread. */
export function sayFound(log: DbtLog, project: DbtProject): void {
  const counts = new Map<string, number>()
  const add = (what: string, count = 1) => counts.set(what, (counts.get(what) ?? 0) + count)
  for (const { kind } of project.nodes.values()) add(kindWords[kind] ?? kind)
  add('operation', project.operations.size)
  add('source', project.sources.size)
  add('exposure', project.exposures.size)
  add('metric', project.metrics.size)
  add('macro', project.macros.length)
  add('group', project.groups.size)
  add('semantic model', project.semanticModels.size)
  add('saved query', project.savedQueries.size)
  add('unit test', project.unitTests.size)
  const listed = [...counts].filter(([, count]) => count > 0).map(([what, count]) => counted(count, what))
  const event: Event = { name: 'FoundStats', code: 'W006', data: { stat_line: listed.join(', ') } }
  log.info(`Found ${listed.join(', ')}`, event)
}
