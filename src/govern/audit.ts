// Who did what, and who was refused. A row of the audit is on disk before its answer ends: whoever awaits `record` and
// cannot have its row gets no answer. Rows that come while a write is under way share the next one, so the price of a
// sync is paid per write and not per row, and an idle server writes at once.
//
// The query log is for looking at, not for proving: its rows ride along and are dropped, with a warning, when the log
// store is down.

import type { Clock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'
import { newId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { AuditRow, QueryLogRow, Records } from '../records/index.ts'
import type { Principal } from './principal.ts'

export type Verdict = 'allowed' | 'refused' | 'failed'
export type AuditEntry = {
  /** Null when nobody is known: a failed log-in. */
  principal: Pick<Principal, 'name'> | null
  /** Where it came from: cli, http, dashboard, run, doctor. */
  door: string
  action: string
  verdict: Verdict
  sql?: string | undefined
  /** Full names of what was read or changed. */
  tables?: readonly string[] | undefined
  rows?: number | undefined
  ms?: number | undefined
  requestId?: string | undefined
  failureCode?: string | undefined
  catalog?: string | undefined
  /** Snapshot ids of the tables that were read, by full name; null for a table without rows. */
  snapshots?: Readonly<Record<string, string | null>> | undefined
}
export type QueryLogEntry = {
  principal: Pick<Principal, 'name'>
  door: string
  catalog: string
  sql: string
  ms: number
  tables?: readonly string[] | undefined
  rows?: number | undefined
  cached?: boolean | undefined
  runId?: string | undefined
  requestId?: string | undefined
  failureCode?: string | undefined
}

/** Times as the rows have them, both ends included. */
export type LogRange = { from?: string | undefined; to?: string | undefined; principal?: string | undefined }

/** `text` is looked for in the action, the SQL and the names of tables, whatever the case. */
export type AuditQuestion = LogRange & {
  verdict?: Verdict | undefined
  door?: string | undefined
  text?: string | undefined
  before?: string | undefined
  limit: number
}

/** What somebody tried who may have typed anything for a name. */
export const logInAs = (name: string): string => `log in as ${name.replace(/[^\p{L}\p{N}._@+-]/gu, '?').slice(0, 100)}`

/** Somebody whose secret opens nothing. */
export const refusedLogIn = (door: string, action: string, requestId: string): AuditEntry => ({
  principal: null,
  door,
  action,
  verdict: 'refused',
  failureCode: 'UNAUTHENTICATED',
  requestId,
})

export interface Audit {
  /** Resolves when the row is on disk. @throws RECORDS_FAILED when it cannot be written */
  record(entry: AuditEntry): Promise<void>
  /** Newest first. */
  list(options?: { limit?: number; before?: string; principal?: string }): Promise<AuditRow[]>
  /** All rows of a range, newest first, page by page. */
  scan(range: LogRange): AsyncIterable<AuditRow>
  /** Newest first. Looks at so many rows at once and no more: `next`, a row's id, is where to go on, null at the end. */
  find(question: AuditQuestion): Promise<{ rows: AuditRow[]; next: string | null }>
}
export interface QueryLog {
  /** Never throws and never waits. */
  record(entry: QueryLogEntry): void
  /** Newest first. */
  list(options?: { limit?: number; before?: string }): Promise<QueryLogRow[]>
  scan(range: LogRange): AsyncIterable<QueryLogRow>
}
export interface AuditLogs {
  audit: Audit
  queries: QueryLog
  /** Deletes what is older; returns how many rows. */
  purge(keep: { auditMs: number; queriesMs: number }): Promise<{ audit: number; queries: number }>
  /** Waits for what was recorded so far. */
  flush(): Promise<void>
}

const [scannedAtOnceMax, lookedAtMax] = [2_000, 20_000]
const [rowsPerWriteMax, waitingMax, queriesWaitingMax, sqlLengthMax, purgedAtOnceMax] = [
  500, 10_000, 2_000, 100_000, 5_000,
]

type Waiting = { row: AuditRow; done: () => void; failed: (error: Failure) => void }

export function openAuditLogs({
  records,
  clock,
  log,
}: {
  records: Pick<Records, 'log'>
  clock: Clock
  log: Log
}): AuditLogs {
  let audits: Waiting[] = []
  let queries: QueryLogRow[] = []
  let dropped = 0
  let writing: Promise<void> | undefined

  const stamp = () => ({ id: newId(clock.now()), at: new Date(clock.now()).toISOString() })

  function wake() {
    writing ??= writeAll().finally(() => {
      writing = undefined
      if (audits.length + queries.length > 0) wake()
    })
  }

  async function writeAll() {
    // One turn of the loop: what arrives together is written together.
    await new Promise((resolve) => setImmediate(resolve))
    while (audits.length + queries.length > 0) {
      const auditBatch = audits.splice(0, rowsPerWriteMax)
      const queryBatch = queries.splice(0, rowsPerWriteMax)
      try {
        await records.log.transaction().execute(async (trx) => {
          if (auditBatch.length > 0)
            await trx
              .insertInto('audit')
              .values(auditBatch.map(({ row }) => row))
              .execute()
          if (queryBatch.length > 0) await trx.insertInto('query_log').values(queryBatch).execute()
        })
        for (const { done } of auditBatch) done()
      } catch (error) {
        dropped += queryBatch.length
        const failure = notWritten(error)
        log.error('audit not written', { rows: auditBatch.length, reason: (error as Error).message })
        for (const { failed } of auditBatch) failed(failure)
      }
    }
    if (dropped > 0) log.warn('query log rows dropped', { rows: dropped })
    dropped = 0
  }

  return {
    audit: {
      record: (entry) =>
        new Promise((done, failed) => {
          if (audits.length >= waitingMax)
            return failed(
              new Failure('RECORDS_FAILED', `${waitingMax} rows of the audit log are waiting to be written`),
            )
          audits.push({ row: auditRow(stamp(), entry), done, failed })
          wake()
        }),
      async list({ limit = 100, before, principal } = {}) {
        let query = records.log.selectFrom('audit').selectAll().orderBy('id', 'desc').limit(limit)
        if (before !== undefined) query = query.where('id', '<', before)
        if (principal !== undefined) query = query.where('principal', '=', principal)
        return await query.execute()
      },
      scan: (range) => scanLog<AuditRow>('audit', range),
      async find({ verdict, door, text, limit, ...range }) {
        const wanted = text?.toLowerCase()
        const fits = (row: AuditRow) =>
          (verdict === undefined || row.verdict === verdict) &&
          (door === undefined || row.door === door) &&
          (wanted === undefined ||
            [row.action, row.sql, row.tables_json].some((one) => one?.toLowerCase().includes(wanted)))
        const rows: AuditRow[] = []
        let looked = 0
        for await (const row of scanLog<AuditRow>('audit', range)) {
          if (fits(row)) rows.push(row)
          if (rows.length >= limit || ++looked >= lookedAtMax) return { rows, next: row.id }
        }
        return { rows, next: null }
      },
    },

    queries: {
      record(entry) {
        if (queries.length >= queriesWaitingMax) {
          dropped++
          return
        }
        queries.push(queryRow(stamp(), entry))
        wake()
      },
      async list({ limit = 100, before } = {}) {
        let query = records.log.selectFrom('query_log').selectAll().orderBy('id', 'desc').limit(limit)
        if (before !== undefined) query = query.where('id', '<', before)
        return await query.execute()
      },
      scan: (range) => scanLog<QueryLogRow>('query_log', range),
    },

    async purge({ auditMs, queriesMs }) {
      return { audit: await purgeTable('audit', auditMs), queries: await purgeTable('query_log', queriesMs) }
    },

    async flush() {
      while (writing) await writing
    },
  }

  async function* scanLog<Row extends { id: string }>(
    table: 'audit' | 'query_log',
    { from, to, principal, before: first }: LogRange & { before?: string | undefined },
  ): AsyncGenerator<Row, undefined> {
    for (let before = first; ;) {
      let query = records.log.selectFrom(table).selectAll().orderBy('id', 'desc').limit(scannedAtOnceMax)
      if (before !== undefined) query = query.where('id', '<', before)
      if (principal !== undefined) query = query.where('principal', '=', principal)
      // Ids begin with their time, but another process's clock may differ a little: the column counts.
      if (from !== undefined) query = query.where('at', '>=', from)
      if (to !== undefined) query = query.where('at', '<=', to)
      const rows = (await query.execute()) as unknown as Row[]
      yield* rows
      if (rows.length < scannedAtOnceMax) return
      before = rows.at(-1)!.id
    }
  }

  /** In portions: one long delete would hold up the rows that answers are waiting for. */
  async function purgeTable(table: 'audit' | 'query_log', keepMs: number): Promise<number> {
    const limit = new Date(clock.now() - keepMs).toISOString()
    for (let total = 0; ;) {
      const { numDeletedRows } = await records.log
        .deleteFrom(table)
        .where('id', 'in', (eb) => eb.selectFrom(table).select('id').where('at', '<', limit).limit(purgedAtOnceMax))
        .executeTakeFirst()
      total += Number(numDeletedRows)
      if (numDeletedRows < BigInt(purgedAtOnceMax)) return total
    }
  }
}

type Stamp = { id: string; at: string }

const auditRow = (stamp: Stamp, entry: AuditEntry): AuditRow => ({
  ...stamp,
  principal: entry.principal?.name ?? '',
  door: entry.door,
  action: entry.action,
  sql: shortened(entry.sql),
  tables_json: asJson(entry.tables),
  rows: entry.rows ?? null,
  ms: whole(entry.ms),
  verdict: entry.verdict,
  request_id: entry.requestId ?? null,
  failure_code: entry.failureCode ?? null,
  catalog: entry.catalog ?? null,
  snapshots_json: entry.snapshots ? JSON.stringify(entry.snapshots) : null,
})

const queryRow = (stamp: Stamp, entry: QueryLogEntry): QueryLogRow => ({
  ...stamp,
  principal: entry.principal.name,
  door: entry.door,
  catalog: entry.catalog,
  sql: shortened(entry.sql) ?? '',
  tables_json: asJson(entry.tables),
  rows: entry.rows ?? null,
  ms: whole(entry.ms) ?? 0,
  cached: entry.cached ? 1 : 0,
  run_id: entry.runId ?? null,
  request_id: entry.requestId ?? null,
  failure_code: entry.failureCode ?? null,
})

const asJson = (tables: readonly string[] | undefined) => (tables ? JSON.stringify(tables) : null)
const whole = (ms: number | undefined) => (ms === undefined ? null : Math.round(ms))

/** PostgreSQL cannot hold U+0000 in text; a megabyte of SQL in every row helps nobody. */
function shortened(sql: string | undefined): string | null {
  if (sql === undefined) return null
  const text = sql.replaceAll('\0', '\u{fffd}')
  return text.length <= sqlLengthMax
    ? text
    : `${text.slice(0, sqlLengthMax)} … (${text.length - sqlLengthMax} characters more)`
}

/** Says why, where it is not ours: a full disk is nothing that one guesses. */
function notWritten(error: unknown): Failure {
  const cannot = 'the audit log cannot be written'
  return error instanceof Failure
    ? new Failure('RECORDS_FAILED', `${cannot}: ${error.message}`, { cause: error, hint: error.hint })
    : new Failure('RECORDS_FAILED', cannot, { cause: error })
}
