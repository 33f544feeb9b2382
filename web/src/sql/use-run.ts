// One statement at a time: rows are shown while they arrive, and cancelling stops the engine, not only the page.

import { useCallback, useEffect, useReducer, useRef } from 'react'
import type { Cached, Column, Failure, Provenance, Row } from '../../../src/contract/index.ts'
import { asFailure, call, lines } from '../api/call.ts'
import type { Statement } from './statements.ts'

export type RunState = {
  status: 'idle' | 'running' | 'done' | 'failed' | 'cancelled'
  statement: Statement | null
  columns: Column[] | null
  rows: Row[]
  startedAt: number
  ms: number | null
  truncated: boolean
  provenance: Provenance | null
  cached: Cached | null
  failure: Failure | null
}
const idle: RunState = {
  status: 'idle',
  statement: null,
  columns: null,
  rows: [],
  startedAt: 0,
  ms: null,
  truncated: false,
  provenance: null,
  cached: null,
  failure: null,
}

/** Redrawing for every chunk would cost more than reading it. */
const drawEveryMs = 120

export function useRun(): {
  run: RunState
  start: (statement: Statement, asOf: string | null) => Promise<RunState>
  cancel: () => void
} {
  const [run, set] = useReducer((_: RunState, next: RunState) => next, idle)
  const current = useRef<{ id: string; abort: AbortController } | null>(null)

  const cancel = useCallback(() => {
    const running = current.current
    if (!running) return
    current.current = null
    running.abort.abort()
    void call('DELETE /api/query/:id', { params: { id: running.id } }).catch(() => undefined)
  }, [])
  useEffect(() => cancel, [cancel])

  const start = useCallback(
    async (statement: Statement, asOf: string | null): Promise<RunState> => {
      cancel()
      const mine = { id: queryId(), abort: new AbortController() }
      current.current = mine
      let state: RunState = { ...idle, status: 'running', statement, startedAt: performance.now() }
      const show = (next: Partial<RunState>) => {
        state = { ...state, ...next }
        if (current.current === mine || current.current === null) set(state)
      }
      show({})
      const rows: Row[] = []
      let drawnAt = 0
      try {
        const body = { sql: statement.text, id: mine.id, ...(asOf ? { asOf } : {}) }
        for await (const line of lines('POST /api/query/stream', { body, signal: mine.abort.signal })) {
          if (line.kind === 'header') show({ columns: line.columns, provenance: line.provenance, cached: line.cached })
          else if (line.kind === 'rows') {
            for (const row of line.rows) rows.push(row)
            if (performance.now() - drawnAt < drawEveryMs) continue
            drawnAt = performance.now()
            show({ rows: [...rows] })
          } else if (line.kind === 'end')
            show({ status: 'done', rows: [...rows], ms: line.ms, truncated: line.truncated })
          else show({ status: 'failed', rows: [], failure: line.failure })
        }
        if (state.status === 'running')
          show({
            status: 'failed',
            rows: [],
            failure: {
              code: 'INCOMPLETE',
              message: 'The answer ended before its end: rows are missing.',
              hint: 'Run it again.',
              requestId: '',
            },
          })
      } catch (error) {
        if (mine.abort.signal.aborted) show({ status: 'cancelled', rows: [...rows] })
        else show({ status: 'failed', rows: [], failure: asFailure(error) })
      }
      if (current.current === mine) current.current = null
      return state
    },
    [cancel],
  )
  return { run, start, cancel }
}

/** Not randomUUID: browsers give that only to pages with TLS. */
function queryId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
