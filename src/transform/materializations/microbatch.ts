// A microbatch model: one piece of time after the other, each as if it were a run of its own.

import type { DbtMacro, DbtNode } from '../../project/dbt/index.ts'
import type { Compiler } from '../compile.ts'
import type { Outcome, Work } from '../work.ts'

export type Batch = { id: string; startMs: number; endMs: number }

export const batchesOf = (_node: DbtNode, _work: Work): Batch[] | undefined => undefined

export async function runBatches(
  _node: DbtNode,
  _macro: DbtMacro,
  _batches: readonly Batch[],
  _parts: { work: Work; compiler: Compiler },
): Promise<Outcome> {
  throw new Error('not yet')
}
