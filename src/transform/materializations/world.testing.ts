// A lake and a project that is run several times, as a person would.

import { openWorld } from '../../lake/world.ts'
import { recordFiles } from '../../project/dbt/index.ts'
import { loadProject, type LoadOptions } from '../project.ts'
import { runModel } from '../materialize.ts'
import { topologicalOrder } from '../project.ts'
import type { NodeResult } from '../work.ts'

const system = { id: 'system', name: 'system', role: 'system' as const }

export type RunOptions = Partial<LoadOptions> & { publish?: boolean }

export async function openRuns() {
  const world = await openWorld()
  return {
    ...world,
    /** Runs all models and snapshots of a project in their order and publishes what came of it. Answers the results by name. */
    async run(files: Record<string, string>, { publish = true, ...options }: RunOptions = {}) {
      const project = await loadProject('/project', {
        files: recordFiles({ 'dbt_project.yml': 'name: shop', ...files }),
        target: { name: 'dev', catalog: 'dev_analytics', database: 'shop_db' },
        startedAt: Date.now(),
        ...options,
      } as LoadOptions)
      const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: system })
      const work = { project, lake: world.lake, changes, principal: system }
      const results: Record<string, NodeResult> = {}
      for (const id of topologicalOrder(project)) {
        const node = project.nodes.get(id)
        if (!node || !['model', 'snapshot', 'seed'].includes(node.kind) || node.config['materialized'] === 'ephemeral')
          continue
        results[node.name] = await runModel(node, work)
      }
      if (publish) await changes.publish()
      return { results, changes, work, project }
    },
  }
}
