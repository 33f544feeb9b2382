// What happens in other processes, as events: runs from their logs, publications from the records.
//
// A run's last line is written before its end, so a run that was heard of is looked at until it has ended.

import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import type { Event } from '../../../contract/index.ts'
import type { Orchestrator } from '../../../orchestrate/index.ts'
import type { Records } from '../../../records/index.ts'
import { runOf } from './runs.ts'

type Options = {
  orchestrator: Pick<Orchestrator, 'events' | 'get'>
  records: Pick<Records, 'catalog'>
  environmentOf(catalog: string): string
  emit(event: Event): void
  clock: Clock
  log: Log
  signal: AbortSignal
  /** How often the records are asked. */
  pollMs?: number
}

const [gatherMs, usualPollMs, overlapMs] = [100, 1_000, 10_000]
const endedStatuses = ['succeeded', 'failed', 'cancelled']

/** Emits until the signal is aborted; then resolves. A records store that is away for a while is waited for. */
export async function followNews(options: Options): Promise<void> {
  await Promise.all([keep('runs', options, followRuns), keep('publications', options, followPublications)])
}

async function keep(what: string, options: Options, follow: (options: Options) => Promise<void>): Promise<void> {
  const { signal, clock, log } = options
  while (!signal.aborted) {
    try {
      await follow(options)
    } catch (error) {
      if (signal.aborted) return
      log.warn('live events interrupted', { what, reason: (error as Error).message })
      await clock.sleep(5 * (options.pollMs ?? usualPollMs), signal).catch(() => {})
    }
  }
}

async function followRuns({ orchestrator, emit, clock, signal, pollMs = usualPollMs }: Options): Promise<void> {
  const active = new Map<string, string>()
  let news = Promise.withResolvers<void>()
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {})
  void (async () => {
    for await (const { runId } of orchestrator.events(signal)) {
      if (!active.has(runId)) active.set(runId, '')
      news.resolve()
    }
  })().catch(failed.reject)
  while (!signal.aborted) {
    const round = AbortSignal.any([signal])
    const waits = [
      news.promise,
      failed.promise,
      aborted(signal),
      ...(active.size > 0 ? [clock.sleep(pollMs, round).catch(() => {})] : []),
    ]
    await Promise.race(waits)
    if (signal.aborted) return
    await clock.sleep(gatherMs, signal).catch(() => {}) // lines come in bursts; one event tells them all
    news = Promise.withResolvers<void>()
    for (const [id, before] of active) {
      const run = runOf(await orchestrator.get(id))
      const text = JSON.stringify(run)
      if (text !== before) emit({ kind: 'run', run })
      if (endedStatuses.includes(run.status)) active.delete(id)
      else active.set(id, text)
    }
  }
}

async function followPublications({
  records,
  environmentOf,
  emit,
  clock,
  signal,
  pollMs = usualPollMs,
}: Options): Promise<void> {
  // Clocks of processes differ and transactions end late, so the last seconds are looked at again.
  let since = new Date(clock.now() - overlapMs).toISOString()
  let seen = new Set<string>((await newest(records, since)).map(({ id }) => id))
  while (!signal.aborted) {
    await clock.sleep(pollMs, signal).catch(() => {})
    if (signal.aborted) return
    const now = clock.now()
    const rows = await newest(records, since)
    for (const { id, catalog } of rows.filter((row) => !seen.has(row.id))) {
      const tables = await records.catalog
        .selectFrom('publication_tables')
        .select(['namespace', 'name'])
        .where('publication_id', '=', id)
        .execute()
      emit({
        kind: 'published',
        publication: id,
        environment: environmentOf(catalog),
        tables: tables.map(({ namespace, name }) => `${catalog}.${namespace}.${name}`),
      })
    }
    seen = new Set(rows.map(({ id }) => id))
    since = new Date(now - overlapMs).toISOString()
  }
}

const newest = (records: Pick<Records, 'catalog'>, since: string) =>
  records.catalog
    .selectFrom('publications')
    .select(['id', 'catalog'])
    .where('published_at', '>', since)
    .orderBy('published_at')
    .execute()

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true }),
  )
