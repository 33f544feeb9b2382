// What the routes need from the other rooms, in the words of the contract. `main` gives the real rooms (`rooms.ts`
// makes most of this from them), tests give small ones in memory.

import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type {
  AccessCheck,
  Catalog,
  Connect,
  Dashboard,
  DashboardData,
  DashboardQuestion,
  Dashboards,
  DimensionValues,
  Environment,
  Event,
  Model,
  Models,
  Privilege,
  Problem,
  Publication,
  Run,
  RunDetail,
  RunLog,
  Runs,
  Schedules,
  Session,
  Table,
  Uploaded,
} from '../../contract/index.ts'
import type { Govern, Principal } from '../../govern/index.ts'
import type { Lake } from '../../lake/index.ts'
import type { IcebergRest } from '../iceberg-rest/index.ts'

/** Who asks, for which environment, and until when. Every call into a room carries it. */
export type Asker = {
  principal: Principal
  environment: Environment
  /** Somebody named the environment (`?env=`, or the server was started for it): a protected one may then be written. */
  environmentNamed: boolean
  requestId: string
  /** Aborts when the client goes away or the server stops. */
  signal: AbortSignal
}

export type HttpDeps = {
  about: {
    version: string
    project: { name: string; description: string | null; timezone: string }
    /** The server's own environment: one of `environments`. */
    environment: string
    environmentNamed: boolean
    environments: readonly Environment[]
    features: Session['features']
  }
  govern: Pick<Govern, 'users' | 'sessions' | 'audit' | 'access'> & { tokens: Pick<Govern['tokens'], 'authenticate'> }
  /** Each really asks and throws when it fails. Without Redis: null. */
  health: { db(): Promise<void>; redis: (() => Promise<void>) | null }
  lake: Pick<Lake, 'query' | 'begin' | 'describe' | 'openScratch' | 'numbers' | 'sequenceOf'>
  catalog: {
    list(asker: Asker): Promise<Catalog>
    /** @throws TABLE_NOT_FOUND */
    table(name: { namespace: string; name: string }, asker: Asker): Promise<Table>
  }
  models: {
    /** @throws FORBIDDEN for those who may not look at the project */
    list(asker: Asker): Promise<Models>
    /** @throws NOT_FOUND */
    get(id: string, asker: Asker): Promise<Model>
  }
  /** @throws NOT_FOUND, TABLE_NOT_FOUND */
  checkAccess(asked: { user: string; table: string; action: Privilege }, asker: Asker): Promise<AccessCheck>
  dashboards: {
    list(asker: Asker): Promise<Dashboards>
    /** @throws NOT_FOUND */
    get(name: string, asker: Asker): Promise<Dashboard>
    data(name: string, question: DashboardQuestion, asker: Asker): Promise<DashboardData>
    values(
      name: string,
      filter: string,
      question: { search?: string | undefined; limit: number; asOf?: string | undefined },
      asker: Asker,
    ): Promise<DimensionValues>
  }
  runs: {
    list(options: { limit: number; before?: string | undefined }, asker: Asker): Promise<Runs>
    start(options: { select?: string | undefined }, asker: Asker): Promise<Run>
    /** @throws NOT_FOUND, as the three below */
    get(id: string, asker: Asker): Promise<RunDetail>
    log(id: string, options: { after: number; limit: number }, asker: Asker): Promise<RunLog>
    cancel(id: string, asker: Asker): Promise<Run>
    retry(id: string, asker: Asker): Promise<Run>
    schedules(asker: Asker): Promise<Schedules>
  }
  publications: {
    list(options: { limit: number }, asker: Asker): Promise<Publication[]>
    /** @throws NOT_FOUND, COMMIT_CONFLICT when a table moved on */
    rollback(id: string, asker: Asker): Promise<Publication>
  }
  uploads: {
    /** Takes over the content of `path`, a file of the spool that is removed afterwards. */
    add(
      upload: { path: string; fileName: string; table: string; mode: 'replace' | 'append' },
      asker: Asker,
    ): Promise<Uploaded>
  }
  connect(asker: Asker, baseUrl: string): Promise<Connect>
  /** Everything below `/iceberg`. */
  iceberg: IcebergRest
  /** Mistakes in the files of the project, as they are now. */
  problems(): Promise<Problem[]>
  /** Calls `listener` for everything that happens until the answer is called. */
  events(listener: (event: Event) => void): () => void
  settings: HttpSettings
  clock: Clock
  log: Log
}

type Limit = { burst: number; perMinute: number }

export type HttpSettings = {
  host: string
  /** 0 takes any free port. */
  port: number
  publicUrl?: string | undefined
  /** The built web app; a page that says how to build it when it is not there. */
  webDir: string
  /** Where uploads are written while they arrive. */
  spoolDir: string
  uploadBytesMax: number
  queryTimeoutMs: number
  /** The rest has usual values: see `usualLimits`. */
  limits?: Partial<HttpLimits>
  /** Holds every answer to the contract: for tests, as it costs a parse of each. */
  checkAnswers?: boolean
}

export type HttpLimits = {
  /** Of a JSON body. */
  bodyBytesMax: number
  bodyMs: number
  headersMs: number
  /** An upload in which nothing arrives for this long is given up. */
  uploadIdleMs: number
  perPrincipal: Limit
  perAddress: Limit
  /** Queries of one principal at the same time. */
  queriesMax: number
  /** JSON of one answer that is not streamed. */
  answerBytesMax: number
  eventStreamsMax: number
  eventStreamsPerPrincipalMax: number
  /** Events that a slow page may have waiting. */
  eventsWaitingMax: number
  heartbeatMs: number
  healthMs: number
  /** How long `close` waits for what is under way. */
  graceMs: number
}

export const usualLimits: HttpLimits = {
  bodyBytesMax: 8 * 2 ** 20,
  bodyMs: 30_000,
  headersMs: 15_000,
  uploadIdleMs: 60_000,
  perPrincipal: { burst: 2_000, perMinute: 12_000 },
  perAddress: { burst: 2_000, perMinute: 12_000 },
  queriesMax: 32,
  answerBytesMax: 128 * 2 ** 20,
  eventStreamsMax: 1_000,
  eventStreamsPerPrincipalMax: 50,
  eventsWaitingMax: 256,
  heartbeatMs: 15_000,
  healthMs: 2_000,
  graceMs: 10_000,
}
