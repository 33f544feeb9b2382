// What can be said of the dbt project without building it. Part of the composition root.

import { Failure } from './base/failure.ts'
import type { Insight } from './cli/insight.ts'
import { systemPrincipal } from './govern/index.ts'
import type { Lake } from './lake/index.ts'
import type { Models } from './models.ts'
import {
  checkProject,
  columnGraph,
  impactOf,
  loadProject,
  nodeNamed,
  previewRows,
  remadeNodes,
  select,
  type DbtProject,
} from './transform/index.ts'

export function openInsight({ lake, models }: { lake: Lake; models: Models }): Insight {
  const project: Insight['project'] = async (environment, reading) => {
    const found = await models.project(environment, reading)
    if (!found)
      throw new Failure('NOT_FOUND', 'the project has no dbt_project.yml', {
        hint: 'Models are a dbt project beside boathouse.yml: dbt_project.yml and a folder models/.',
      })
    return found
  }
  const check: Insight['check'] = async ({ environment, reading, select: patterns = [], exclude = [], signal }) => {
    const found = await project(environment, reading)
    const isPart = patterns.length > 0 || exclude.length > 0
    const only = isPart ? new Set(select(found, { select: [...patterns], exclude: [...exclude] })) : undefined
    return {
      project: found,
      ...(await checkProject({ project: found, lake, principal: systemPrincipal, only, signal })),
    }
  }
  const version = async (one: DbtProject, signal: AbortSignal) => {
    const checked = await checkProject({ project: one, lake, principal: systemPrincipal, signal })
    return { project: one, graph: await columnGraph(one, checked) }
  }
  return {
    project,
    projectAt: (dir, { target, options: { vars, env, startedAt, onLog } }) =>
      loadProject(dir, { target, vars, env, startedAt, onLog }),
    async compare(before, after, signal) {
      return impactOf(await version(before, signal), await version(after, signal))
    },
    remade: (before, after, signal) => remadeNodes(before, after, { lake, principal: systemPrincipal, signal }),
    check,
    async columns(options) {
      const checked = await check(options)
      return { project: checked.project, checked, graph: await columnGraph(checked.project, checked) }
    },
    async preview({ environment, principal, model, cte, limit, signal }) {
      const found = await project(environment)
      const node = nodeNamed(found, model)
      return {
        name: node.name,
        ...(await previewRows(node, { cte, limit }, { project: found, lake, principal, signal })),
      }
    },
  }
}
