import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Govern } from '../../govern/index.ts'
import type { Lake } from '../../lake/index.ts'

export type PgSettings = {
  host: string
  /** 0 takes any free one. */
  port: number
  /** PEM texts. */
  tls: { cert: string; key: string } | undefined
  /** Whether clients of other machines may come without TLS. */
  plaintext: boolean
  /** `scram` for passwords and tokens of our own; `password` takes the secret itself, over TLS or from this machine. */
  auth: 'scram' | 'password'
  connectionsMax: number
  queryTimeoutMs: number
  /** The zone that every statement runs in. */
  timeZone: string
}

/** An environment as a database of the server. */
export type PgDatabase = { name: string; catalog: string; protected: boolean }

export type PgDeps = {
  /** The project's name, which is a database too: the one that is current. */
  project: string
  databases: readonly PgDatabase[]
  /** Of a client that names none. */
  current: PgDatabase
  /** Whether the current environment was named, so that it may be written though protected. */
  currentNamed: boolean
  version: string
  lake: Pick<Lake, 'query' | 'begin' | 'describe' | 'openScratch' | 'numbers' | 'sequenceOf'>
  govern: Pick<Govern, 'wire' | 'audit' | 'access'>
  clock: Clock
  log: Log
  settings: PgSettings
}
