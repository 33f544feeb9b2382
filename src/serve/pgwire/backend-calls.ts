// Functions that do something to a connection rather than give a value: `pg_sleep`, `pg_cancel_backend`, `pg_terminate_backend`.
// The connection does them itself, before the statement that they stand in is run with their values as constants.

import { Failure } from '../../base/failure.ts'
import { tokens } from '../../lake/index.ts'

export type BackendCall = { does: 'sleep' | 'cancel' | 'terminate'; argument: number }

/** Other connections, by what `pg_backend_pid()` gives. */
export interface Backends {
  /** False where there is none. @throws FORBIDDEN for one of somebody else */
  signal(id: number, does: 'cancel' | 'terminate'): boolean
}

const words = { pg_sleep: 'sleep', pg_cancel_backend: 'cancel', pg_terminate_backend: 'terminate' } as const

/** Those with a number for their argument, in the order in which they stand; others are no functions that the lake knows. */
export function backendCalls(sql: string, ownId: number): BackendCall[] {
  if (!/\bpg_(sleep|cancel_backend|terminate_backend)\b/i.test(sql)) return []
  const all = [...tokens(sql.replace(/\bpg_backend_pid\s*\(\s*\)/gi, String(ownId)))]
  return all.flatMap(({ kind, text }, at): BackendCall[] => {
    const name = text.toLowerCase()
    if (kind !== 'word' || !Object.hasOwn(words, name)) return []
    const argument = argumentOf(all.slice(at + 1, at + 10).map((token) => token.text))
    return argument === undefined ? [] : [{ does: words[name as keyof typeof words], argument }]
  })
}

/** `(1.5)`, `('1.5')`, `(1::int)`, `(CAST('1' AS INTEGER))`. */
function argumentOf(behind: readonly string[]): number | undefined {
  const [, number] =
    /^\((?:cast\()?\(?'?(\d{1,10}(?:\.\d{1,6})?)'?\)?(?:::\w+\)|as \w+\)\)|\))/i.exec(
      behind.map((text) => (/^as$/i.test(text) ? 'as ' : text)).join(''),
    ) ?? []
  return number === undefined ? undefined : Number(number)
}

/** @throws QUERY_TIMEOUT, and what the signal was aborted with */
export async function sleep(seconds: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const waits = Math.min(seconds * 1_000, timeoutMs)
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, waits)
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
    if (signal.aborted) resolve()
  })
  signal.throwIfAborted()
  if (seconds * 1_000 > timeoutMs)
    throw new Failure('QUERY_TIMEOUT', `canceling statement due to statement timeout, after ${timeoutMs} ms`)
}
