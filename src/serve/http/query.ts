// SQL over HTTP. Rows are JSON when they leave the engine's process and stay that text until they leave this one.

import { asFailure, Failure } from '../../base/failure.ts'
import { newId } from '../../base/ids.ts'
import { showBytes } from '../../base/units.ts'
import type { QueryLine } from '../../contract/index.ts'
import { authorise } from '../../govern/index.ts'
import { queryText, quoteName, type QueryResult } from '../../lake/index.ts'
import { failureBody } from './answer.ts'
import type { Asker, HttpDeps, HttpLimits } from './deps.ts'
import { JsonText, type Some } from './route.ts'

type Keys =
  | 'POST /api/query'
  | 'POST /api/query/stream'
  | 'DELETE /api/query/:id'
  | 'GET /api/tables/:namespace/:name/preview'

type Running = { owner: string; cancel: AbortController }
type Question = { sql: string; id?: string | undefined; rowsMax: number; asOf?: string | undefined }

export function queryRoutes(deps: HttpDeps, limits: HttpLimits): Some<Keys> {
  const running = new Map<string, Running>()

  return {
    async 'POST /api/query'({ body, ...asker }) {
      await using query = await start(body, asker)
      const text = await wholeResult(query.result, asker.signal, limits)
      return new JsonText(`{"id":${JSON.stringify(query.id)},${text(deps.clock.now() - query.startedMs)}`)
    },

    async 'POST /api/query/stream'({ body, ...asker }) {
      const query = await start(body, asker)
      return new Response(streamed(query, asker), {
        headers: { 'content-type': 'application/x-ndjson; charset=utf-8', 'x-accel-buffering': 'no' },
      })
    },

    async 'DELETE /api/query/:id'({ params, principal }) {
      const found = running.get(params.id)
      if (found) {
        authorise(principal, 'cancel', { kind: 'query', name: params.id, owner: found.owner })
        found.cancel.abort(new Failure('QUERY_CANCELLED', 'the query was cancelled'))
      }
      return { ok: true }
    },

    async 'GET /api/tables/:namespace/:name/preview'({ params, query: { limit, snapshot }, ...asker }) {
      // One row more than is shown tells whether there are more.
      const sql = `select * from ${quoteName(params.namespace)}.${quoteName(params.name)} limit ${limit + 1}`
      await using query = await start({ sql, rowsMax: limit, asOf: snapshot }, asker)
      const text = await wholeResult(query.result, asker.signal, limits)
      return new JsonText(`{${text(deps.clock.now() - query.startedMs)}`)
    },
  }

  type Started = AsyncDisposable & { id: string; result: QueryResult; startedMs: number }

  /** Runs until disposed, cancelled by its id, or the client is gone. */
  async function start({ sql, id = newId(deps.clock.now()), rowsMax, asOf }: Question, asker: Asker): Promise<Started> {
    const { principal, environment, environmentNamed, requestId } = asker
    authorise(principal, 'run', { kind: 'query', name: id, owner: principal.id })
    if (running.has(id))
      throw new Failure('ALREADY_EXISTS', `a query with the id ${id} is running`, { hint: 'Choose another id.' })
    const mine = [...running.values()].filter(({ owner }) => owner === principal.id)
    if (mine.length >= limits.queriesMax)
      throw new Failure('RATE_LIMITED', `${mine.length} of your queries are running`, {
        hint: 'Wait for one, or cancel one.',
      })
    const cancel = new AbortController()
    running.set(id, { owner: principal.id, cancel })
    const end = () => running.delete(id)
    const startedMs = deps.clock.now()
    try {
      const result = await queryText(deps.lake, sql, {
        principal,
        catalog: environment.catalog,
        environmentNamed,
        requestId,
        door: 'http',
        rowsMax,
        timeoutMs: deps.settings.queryTimeoutMs,
        signal: AbortSignal.any([asker.signal, cancel.signal]),
        ...(asOf === undefined ? {} : { asOf }),
      })
      const dispose = async () => {
        end()
        cancel.abort(new Failure('QUERY_CANCELLED', 'the answer has ended'))
      }
      return { id, result, startedMs, [Symbol.asyncDispose]: dispose }
    } catch (error) {
      end()
      // The reason that was given says more than that something was aborted.
      throw cancel.signal.aborted ? (cancel.signal.reason as Failure) : error
    }
  }

  /** Header, rows, end; or header, rows, failure. The reader sets the pace. */
  function streamed(query: Started, { requestId }: Asker): ReadableStream<Uint8Array> {
    const lines = linesOf(query, requestId)
    const encoder = new TextEncoder()
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { done, value } = await lines.next()
          if (done) controller.close()
          else controller.enqueue(encoder.encode(`${value}\n`))
        },
        async cancel() {
          await query[Symbol.asyncDispose]()
          await lines.return(undefined)
        },
      },
      { highWaterMark: 1 },
    )
  }

  async function* linesOf(query: Started, requestId: string): AsyncGenerator<string, undefined> {
    const { id, result, startedMs } = query
    const { columns, provenance, cached } = result
    const show = (line: QueryLine) => JSON.stringify(line)
    try {
      yield show({ kind: 'header', id, columns, provenance, cached })
      let rowCount = 0
      for await (const chunk of result.chunks) {
        if (chunk.rowCount === 0) continue
        rowCount += chunk.rowCount
        yield `{"kind":"rows","rows":${chunk.json}}`
      }
      yield show({ kind: 'end', rowCount, truncated: result.truncated(), ms: deps.clock.now() - startedMs })
    } catch (error) {
      const cancelled = running.get(id)?.cancel.signal
      const failure = asFailure(cancelled?.aborted ? cancelled.reason : error)
      if (failure.code === 'INTERNAL')
        deps.log.error('query failed unexpectedly', { request_id: requestId, error: failure.message })
      yield show({ kind: 'failure', failure: failureBody(failure, requestId) })
    } finally {
      await result.chunks.return(undefined)
      await query[Symbol.asyncDispose]()
    }
  }
}

/** The rest of a Result's JSON after its brace and first fields, given how long it took. */
async function wholeResult(
  result: QueryResult,
  signal: AbortSignal,
  { answerBytesMax }: HttpLimits,
): Promise<(ms: number) => string> {
  const rows: string[] = []
  let size = 0
  for await (const { rowCount, json } of result.chunks) {
    signal.throwIfAborted()
    if (rowCount === 0) continue
    size += json.length
    if (size > answerBytesMax)
      throw new Failure('QUERY_TOO_LARGE', `the result is larger than ${showBytes(answerBytesMax)}`, {
        hint: 'Select fewer columns or rows, or stream it (POST /api/query/stream).',
      })
    const text = json.trim()
    rows.push(text.slice(1, -1))
  }
  const { columns, provenance, cached } = result
  const truncated = result.truncated()
  return (ms) => {
    const fields = JSON.stringify({ columns, truncated, ms, provenance, cached })
    return `${fields.slice(1, -1)},"rows":[${rows.join(',')}]}`
  }
}
