import type { Home, Problem, Run, Schedule, TableSummary } from '../../contract/index.ts'
import { mayAct } from '../../govern/index.ts'
import type { HttpDeps } from './deps.ts'
import type { Some } from './route.ts'
import { baseUrl } from './users.ts'

type Keys =
  | 'GET /api/home'
  | 'GET /api/connect'
  | 'GET /api/catalog'
  | 'GET /api/models'
  | 'GET /api/models/:id'
  | 'GET /api/tables/:namespace/:name'

const [runsShown, tablesShown] = [5, 8]

export function homeRoutes(deps: HttpDeps): Some<Keys> {
  const { about } = deps
  return {
    async 'GET /api/home'(asker) {
      const looks = mayAct(asker.principal, 'read', { kind: 'run', name: 'of this project' })
      const [{ dashboards }, { runs }, { schedules }, { namespaces }, problems] = await Promise.all([
        deps.dashboards.list(asker),
        looks ? deps.runs.list({ limit: runsShown }, asker) : { runs: [] },
        looks ? deps.runs.schedules(asker) : { schedules: [] },
        deps.catalog.list(asker),
        looks ? deps.problems() : [],
      ])
      return {
        project: { name: about.project.name, description: about.project.description },
        environment: asker.environment,
        dashboards,
        runs,
        nextSchedule: nextOf(schedules),
        tables: newest(namespaces.flatMap(({ tables }) => tables)).map(withoutColumns),
        open: whatIsOpen(runs, problems),
      }
    },
    'GET /api/connect': (asker) => deps.connect(asker, baseUrl(asker.context, deps)),
    'GET /api/models': (asker) => deps.models.list(asker),
    'GET /api/models/:id': ({ params, ...asker }) => deps.models.get(params.id, asker),
    'GET /api/catalog': (asker) => deps.catalog.list(asker),
    'GET /api/tables/:namespace/:name': ({ params, ...asker }) => deps.catalog.table(params, asker),
  }
}

/** What was written last; what never was comes after it. */
function newest(tables: readonly TableSummary[]): TableSummary[] {
  const at = ({ updatedAt }: TableSummary) => (updatedAt === null ? 0 : Date.parse(updatedAt))
  return tables.toSorted((one, other) => at(other) - at(one)).slice(0, tablesShown)
}

function withoutColumns(table: TableSummary): Home['tables'][number] {
  const { columns: _columns, ...rest } = table
  return rest
}

/** The schedule that fires first. */
function nextOf(schedules: readonly Schedule[]): Schedule | null {
  const coming = schedules.filter(({ nextAt }) => nextAt !== null)
  return coming.sort((one, other) => Date.parse(one.nextAt!) - Date.parse(other.nextAt!))[0] ?? null
}

/** What is wrong now: the last run, if it failed and nothing has succeeded since, and mistakes in files. */
export function whatIsOpen(runs: readonly Run[], problems: readonly Problem[]): Home['open'] {
  const last = runs.find(({ status }) => status === 'succeeded' || status === 'failed')
  const failed = last?.status === 'failed' ? [last] : []
  return [
    ...failed.map((run) => ({
      kind: run.failure?.code === 'TEST_FAILED' ? ('test' as const) : ('run' as const),
      problem: run.failure ?? {
        code: 'RUN_FAILED',
        message: 'the run failed',
        hint: 'Its page has the log of each step.',
      },
      runId: run.id,
      at: run.endedAt,
    })),
    ...problems.map((problem) => ({ kind: 'project' as const, problem, runId: null, at: null })),
  ]
}
