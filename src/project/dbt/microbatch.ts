// Which models are built batch by batch, and what is odd about those.

import { behaviourFlag } from './config.ts'
import type { MacroTable } from './macros.ts'
import type { Reading } from './reading.ts'
import type { DbtNode, DbtProject } from './types.ts'

/** A project's own strategy of that name works without batches if the flag says so. */
export function isMicrobatch({ config }: DbtNode, project: DbtProject, macros: MacroTable): boolean {
  if (config['materialized'] !== 'incremental' || config['incremental_strategy'] !== 'microbatch') return false
  const isBatched = behaviourFlag(project, 'require_batched_execution_for_custom_microbatch_strategy') !== false
  return isBatched || macros.find(project.name, 'get_incremental_microbatch_sql')?.package === 'dbt'
}

/** A batch of a model that reads nothing by its time is all there is, once for each batch. */
export function warnOfUnfiltered(reading: Reading, node: DbtNode): void {
  const { project, macros } = reading
  if (node.kind !== 'model' || !isMicrobatch(node, project, macros)) return
  const hasTime = (id: string) => (project.nodes.get(id) ?? project.sources.get(id))?.config['event_time']
  if (node.dependsOn.some(hasTime)) return
  reading.warn(
    `The microbatch model '${node.name}' has no 'ref' or 'source' input with an 'event_time' configuration. \nThis means no filtering can be applied and can result in unexpected duplicate records in the resulting microbatch model.`,
    node.patch ?? node.place,
    { name: 'MicrobatchModelNoEventTimeInputs', code: 'I074' },
  )
}
