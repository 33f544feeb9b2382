// Bodies come from outside: their size and their time are bounded before anything is made of them.

import type { Context } from 'hono'
import { Failure } from '../../base/failure.ts'
import { showBytes } from '../../base/units.ts'

type Limits = { bodyBytesMax: number; bodyMs: number }

/** The JSON of a request. @throws REQUEST_INVALID, PAYLOAD_TOO_LARGE */
export async function readJson(context: Context, limits: Limits): Promise<unknown> {
  const type = context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  // A form of another site can send text/plain without asking first; only JSON says that it is meant for us.
  if (type !== 'application/json')
    throw new Failure('REQUEST_INVALID', `body: send JSON with content-type: application/json, not ${type ?? 'none'}`)
  const text = await readText(context.req.raw, limits)
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new Failure('REQUEST_INVALID', `body: ${text === '' ? 'empty' : 'not JSON'}`, { cause: error })
  }
}

/** The text of a request. @throws REQUEST_INVALID when it is late or not UTF-8, PAYLOAD_TOO_LARGE */
export async function readText({ headers, body }: Request, { bodyBytesMax, bodyMs }: Limits): Promise<string> {
  if (Number(headers.get('content-length') ?? 0) > bodyBytesMax) throw tooLarge('a request', bodyBytesMax)
  const bytes: Uint8Array[] = []
  let size = 0
  if (body)
    for await (const chunk of withDeadline(body, bodyMs)) {
      size += chunk.length
      if (size > bodyBytesMax) throw tooLarge('a request', bodyBytesMax)
      bytes.push(chunk)
    }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(bytes))
  } catch (error) {
    throw new Failure('REQUEST_INVALID', 'body: not UTF-8', { cause: error })
  }
}
/** By its own account: so that a large body need not be read to be refused. */
export function refuseTooLarge(context: Context, bytesMax: number, what: string): void {
  if (Number(context.req.header('content-length') ?? 0) > bytesMax) throw tooLarge(what, bytesMax)
}

export const tooLarge = (what: string, bytesMax: number, setting?: string): Failure =>
  new Failure('PAYLOAD_TOO_LARGE', `${what} may have at most ${showBytes(bytesMax)}`, {
    hint: setting ? `Send less, or raise ${setting}.` : 'Send less.',
  })

/** Ends with REQUEST_INVALID when the whole stream takes longer than `ms`. */
async function* withDeadline(body: ReadableStream<Uint8Array>, ms: number): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  const late = new Failure('REQUEST_INVALID', `body: not complete after ${ms / 1_000} s`)
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    reader.cancel(late).catch(() => {})
  }, ms)
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (isLate) throw late
      if (done) return
      yield value
    }
  } finally {
    clearTimeout(timer)
    reader.cancel().catch(() => {})
  }
}
