import type { HttpDeps } from './deps.ts'
import type { Some } from './route.ts'

type Keys =
  | 'GET /api/dashboards'
  | 'GET /api/dashboards/:name'
  | 'POST /api/dashboards/:name/data'
  | 'GET /api/dashboards/:name/filters/:id/values'

export const dashboardRoutes = ({ dashboards }: HttpDeps): Some<Keys> => ({
  'GET /api/dashboards': (asker) => dashboards.list(asker),
  'GET /api/dashboards/:name': ({ params, ...asker }) => dashboards.get(params.name, asker),
  'POST /api/dashboards/:name/data': ({ params, body, ...asker }) => dashboards.data(params.name, body, asker),
  'GET /api/dashboards/:name/filters/:id/values': ({ params, query, ...asker }) =>
    dashboards.values(params.name, params.id, query, asker),
})
