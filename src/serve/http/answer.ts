// The one place where failures get their status and values become JSON.

import { asFailure, Failure, Failures } from '../../base/failure.ts'
import type { Log } from '../../base/log.ts'
import type { Failure as FailureBody, Problem } from '../../contract/index.ts'

/** What the other side is told. Of our own mistakes only that there was one: the log has the rest. */
export function failureBody(failure: Failure, requestId: string): FailureBody {
  if (failure.code === 'INTERNAL')
    return { code: 'INTERNAL', message: 'something went wrong inside Boathouse', hint: failure.hint, requestId }
  const all = failure instanceof Failures && failure.all.length > 1 ? { all: failure.all.map(asProblem) } : {}
  return { ...asProblem(failure), ...all, requestId }
}

export function asProblem(failure: Failure): Problem {
  const { file, line, column } = failure.place ?? {}
  const place = { ...(file ? { file } : {}), ...(line ? { line } : {}), ...(column ? { column } : {}) }
  const { suggestions } = failure.context
  return {
    code: failure.code,
    message: failure.message,
    ...(Object.keys(place).length > 0 ? { place } : {}),
    hint: failure.hint,
    ...(isTexts(suggestions) && suggestions.length > 0 ? { suggestions: [...suggestions] } : {}),
  }
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')

/** Logs what is ours to repair, and answers with the status of the code. */
export function failureAnswer(error: unknown, requestId: string, log: Log): Response {
  const failure = asFailure(error)
  if (failure.code === 'INTERNAL') {
    const cause = (failure.cause ?? failure) as Error
    log.error('request failed unexpectedly', { request_id: requestId, error: failure.message, stack: cause.stack })
  }
  const { retryAfterMs } = failure.context
  const headers: Record<string, string> = { 'content-type': 'application/json; charset=utf-8' }
  if (typeof retryAfterMs === 'number') headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1_000)))
  // The rest of the body was not read, so the connection cannot carry another request.
  if (failure.code === 'PAYLOAD_TOO_LARGE') headers['connection'] = 'close'
  return new Response(JSON.stringify(failureBody(failure, requestId)), { status: failure.help.status, headers })
}

export const jsonAnswer = (text: string, status = 200): Response =>
  new Response(text, { status, headers: { 'content-type': 'application/json; charset=utf-8' } })
