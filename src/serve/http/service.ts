import { Failure } from '../../base/failure.ts'
import { openapi, type Answered, type Health } from '../../contract/index.ts'
import type { HttpDeps, HttpLimits } from './deps.ts'
import type { EventStreams } from './events.ts'
import { jsonAnswer } from './answer.ts'
import { JsonText, type Some } from './route.ts'

type Keys = 'GET /healthz' | 'GET /api/openapi.json' | 'GET /api/events'

export function serviceRoutes(deps: HttpDeps, limits: HttpLimits, streams: EventStreams): Some<Keys> {
  const health = healthCheck(deps, limits)
  let described: JsonText | undefined
  return {
    async 'GET /healthz'() {
      const answer = await health()
      return jsonAnswer(JSON.stringify(answer), answer.status === 'ok' ? 200 : 503)
    },
    async 'GET /api/openapi.json'() {
      return (described ??= new JsonText(JSON.stringify(openapi(deps.about.version))))
    },
    async 'GET /api/events'({ principal, known }) {
      return streams.open({ principal, signal: known.signal, ...(known.session ? { token: known.session.token } : {}) })
    },
  }
}

/** Really asks each part. Probes that come together share one check, so that many of them cost no more than one. */
function healthCheck(deps: HttpDeps, { healthMs }: HttpLimits): () => Promise<Health> {
  let underWay: Promise<Health> | undefined
  return () => (underWay ??= check().finally(() => (underWay = undefined)))

  async function check(): Promise<Answered<'GET /healthz'>> {
    const { db, redis } = deps.health
    const [dbFault, redisFault] = await Promise.all([fault('db', db), redis ? fault('redis', redis) : undefined])
    const messages = [dbFault, redisFault].filter((message) => message !== undefined)
    return {
      status: messages.length === 0 ? 'ok' : 'failed',
      db: dbFault === undefined ? 'ok' : 'failed',
      redis: redis === null ? 'off' : redisFault === undefined ? 'ok' : 'failed',
      ...(messages.length === 0 ? {} : { message: messages.join('; ') }),
    }
  }

  /** Undefined when well. What is told here is told to anybody, so it is the code and not the text. */
  async function fault(part: string, ask: () => Promise<void>): Promise<string | undefined> {
    const answered = new AbortController()
    const late = async () => {
      await deps.clock.sleep(healthMs, answered.signal)
      throw new Failure('RECORDS_FAILED', `no answer within ${healthMs} ms`)
    }
    try {
      await Promise.race([ask(), late()])
      return undefined
    } catch (error) {
      const reason = (error as Error).message
      deps.log.warn('health check failed', { part, reason })
      return `${part}: ${error instanceof Failure && error.message.startsWith('no answer') ? error.message : 'does not answer; the log says why'}`
    } finally {
      answered.abort()
    }
  }
}
