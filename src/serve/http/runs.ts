import type { HttpDeps } from './deps.ts'
import type { Some } from './route.ts'
import { audited } from './session.ts'

type Keys =
  | 'GET /api/runs'
  | 'POST /api/runs'
  | 'GET /api/runs/:id'
  | 'GET /api/runs/:id/log'
  | 'POST /api/runs/:id/cancel'
  | 'POST /api/runs/:id/retry'
  | 'GET /api/publications'
  | 'POST /api/publications/:id/rollback'
  | 'GET /api/schedules'

export function runRoutes(deps: HttpDeps): Some<Keys> {
  const { runs, publications } = deps
  return {
    'GET /api/runs': ({ query, ...asker }) => runs.list(query, asker),
    'POST /api/runs': ({ body, ...asker }) =>
      audited(deps, { ...asker, action: `start run of ${body.select ?? 'everything'}` }, () => runs.start(body, asker)),
    'GET /api/runs/:id': ({ params, ...asker }) => runs.get(params.id, asker),
    'GET /api/runs/:id/log': ({ params, query, ...asker }) => runs.log(params.id, query, asker),
    'POST /api/runs/:id/cancel': ({ params, ...asker }) =>
      audited(deps, { ...asker, action: `cancel run ${params.id}` }, () => runs.cancel(params.id, asker)),
    'POST /api/runs/:id/retry': ({ params, ...asker }) =>
      audited(deps, { ...asker, action: `retry run ${params.id}` }, () => runs.retry(params.id, asker)),
    'GET /api/publications': async ({ query, ...asker }) => ({ publications: await publications.list(query, asker) }),
    'POST /api/publications/:id/rollback': ({ params, ...asker }) =>
      audited(deps, { ...asker, action: `roll back publication ${params.id}` }, () =>
        publications.rollback(params.id, asker),
      ),
    'GET /api/schedules': (asker) => runs.schedules(asker),
  }
}
