// What only the lake knows about a dashboard: whether the columns that its panels name are there. Nothing is run.

import { asFailure, Failure, type Place } from '../base/failure.ts'
import { didYouMean, suggest } from '../base/suggest.ts'
import type { Column, DashboardProblem } from '../contract/index.ts'
import { compile, compileRows } from '../semantic/index.ts'
import { withRevision, type Ask, type CompiledDashboard } from './compile.ts'
import { conditionSql } from './filters.ts'
import { panelFailure, toProblem } from './problem.ts'
import { fillFilters } from './sql-panel.ts'

export type Bind = (sql: string) => Promise<readonly Pick<Column, 'name'>[]>

/**
 * The dashboard without the panels that cannot work, each of them a problem. Tables that are not there yet are no
 * mistake of the file: such a panel stays and says so when it is asked.
 */
export async function checkDashboard(dashboard: CompiledDashboard, bind: Bind): Promise<CompiledDashboard> {
  const found = await Promise.all([...dashboard.asks.values()].map((ask) => checkAsk(ask, dashboard, bind)))
  const problems = found.filter((problem) => problem !== null)
  if (problems.length === 0) return dashboard
  const broken = new Set(problems.map(({ panel }) => panel))
  const { definition } = dashboard
  return withRevision({
    ...dashboard,
    asks: new Map([...dashboard.asks].filter(([id]) => !broken.has(id))),
    definition: {
      ...definition,
      panels: definition.panels.filter(({ id }) => !broken.has(id)),
      problems: [...definition.problems, ...problems],
    },
  })
}

async function checkAsk(
  ask: Ask,
  { models, file, filters }: CompiledDashboard,
  bind: Bind,
): Promise<DashboardProblem | null> {
  const filled =
    ask.kind === 'sql' ? fillFilters(ask.sql, (id, column) => conditionSql(filters.get(id)!, new Map(), column)) : null
  const inSql = (place: Place): Place | null => {
    const origin = filled?.origin(place)
    return origin ? file.within([...ask.path, 'sql'], origin) : null
  }
  try {
    const columns = await bind(
      filled?.sql ??
        (ask.kind === 'rows'
          ? compileRows(ask.question, models).sql
          : ask.kind === 'metrics'
            ? compile(ask.question, models).sql
            : ''),
    )
    const names = columns.map(({ name }) => name)
    const missing = ask.kind === 'sql' ? ask.columns.find((name) => !names.includes(name)) : undefined
    if (missing === undefined) return null
    throw new Failure('SQL_INVALID', `the result has no column "${missing}"${didYouMean(missing, names)}`, {
      name: missing,
      suggestions: suggest(missing, names),
    })
  } catch (error) {
    const failure = panelFailure(asFailure(error), file, ask.path, inSql)
    return failure.code === 'DASHBOARD_INVALID' ? toProblem(failure, ask.panel.id) : null
  }
}
