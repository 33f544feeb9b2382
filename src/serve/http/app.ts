// Every route of the contract, each behind the same steps, with one handler for whatever fails.

import { Hono } from 'hono'
import { Failure } from '../../base/failure.ts'
import { routes, splitRoute, type Route, type RouteKey } from '../../contract/index.ts'
import { accessRoutes } from './access.ts'
import { failureAnswer, jsonAnswer } from './answer.ts'
import { dashboardRoutes } from './dashboards.ts'
import type { HttpDeps, HttpLimits } from './deps.ts'
import type { EventStreams } from './events.ts'
import { homeRoutes } from './home.ts'
import { queryRoutes } from './query.ts'
import { enter, JsonText, type Handler, type Handlers, type HttpContext, type HttpEnv } from './route.ts'
import { runRoutes } from './runs.ts'
import { serviceRoutes } from './service.ts'
import { sessionRoutes } from './session.ts'
import { webApp } from './static.ts'
import { authenticate, begin, guard, sameOrigin } from './steps.ts'
import { uploadRoutes } from './upload.ts'
import { userRoutes } from './users.ts'

type Options = { limits: HttpLimits; streams: EventStreams; stopping: AbortSignal }

export function createApp(deps: HttpDeps, { limits, streams, stopping }: Options): Hono<HttpEnv> {
  const handlers: Handlers = {
    ...serviceRoutes(deps, limits, streams),
    ...sessionRoutes(deps),
    ...homeRoutes(deps),
    ...dashboardRoutes(deps),
    ...queryRoutes(deps, limits),
    ...uploadRoutes(deps, limits),
    ...runRoutes(deps),
    ...userRoutes(deps),
    ...accessRoutes(deps),
  }
  const app = new Hono<HttpEnv>()
  app.use(begin(deps, limits, stopping), guard(deps, limits))
  app.use('/api/*', authenticate(deps), sameOrigin(deps))
  for (const key of Object.keys(routes) as RouteKey[]) register(key)
  app.all('/api/*', unknownRoute)
  app.all('/iceberg/*', (context) => deps.iceberg.answer(context.req.raw, context.get('known')))
  const web = webApp(deps.settings.webDir, deps.clock)
  app.get('*', web)
  app.notFound(unknownRoute)
  app.onError((error, context) => {
    const { requestId } = context.get('known')
    if (context.req.path.startsWith('/iceberg/')) return deps.iceberg.failed(error, requestId)
    return failureAnswer(error, requestId, deps.log)
  })
  return app

  function register<Key extends RouteKey>(key: Key) {
    const { method, path } = splitRoute(key)
    const route: Route = routes[key]
    const handler = handlers[key] as unknown as Handler<Key>
    app.on(method, path, async (context: HttpContext) => {
      const answer: unknown = await handler(await enter(key, route, context, { deps, limits }))
      if (answer instanceof Response) return answer
      const text = answer instanceof JsonText ? answer.text : JSON.stringify(answer)
      if (deps.settings.checkAnswers) route.response.parse(JSON.parse(text))
      return jsonAnswer(text)
    })
  }
}

function unknownRoute(context: HttpContext): never {
  throw new Failure('NOT_FOUND', `there is no ${context.req.method} ${context.req.path.slice(0, 200)}`, {
    hint: '/api/openapi.json lists what there is.',
  })
}
