// Which file has the commands that begin with a word: a command line loads that file and no other. To load all takes
// several times as long as most commands need. `index.ts` has all of them, for help.

import type { Command } from '../command.ts'

const run = () => import('./run.ts')
const up = () => import('./up.ts')
const grants = () => import('./grants.ts')
const insight = () => import('./insight.ts')
const models = () => import('./models.ts')
const misc = () => import('./misc.ts')
const ci = () => import('./ci.ts')
const query = () => import('./query.ts')
const short = () => import('./dbt/short.ts')

const files: Readonly<Record<string, readonly (() => Promise<object>)[]>> = {
  dbt: [() => import('./dbt/index.ts')],
  seed: [short],
  snapshot: [short],
  show: [short],
  docs: [short],
  parse: [short],
  deps: [short],
  'source-freshness': [short],
  query: [query],
  sql: [query],
  run: [run],
  ingest: [run],
  build: [run],
  test: [run],
  runs: [run],
  compile: [models],
  ls: [models],
  check: [insight],
  lineage: [insight],
  preview: [insight],
  impact: [ci],
  ci: [ci],
  metrics: [() => import('./metrics.ts')],
  table: [
    () => import('./table.ts'),
    () => import('./table-files.ts'),
    () => import('./table-refs.ts'),
    () => import('./table-maintenance.ts'),
  ],
  publications: [() => import('./publications.ts')],
  env: [() => import('./environments.ts')],
  user: [() => import('./users.ts')],
  token: [() => import('./tokens.ts')],
  role: [grants],
  grant: [grants],
  revoke: [grants],
  access: [() => import('./access.ts')],
  init: [() => import('./init.ts')],
  doctor: [() => import('./doctor.ts')],
  up: [up],
  down: [up],
  status: [up],
  logs: [up],
  dev: [up],
  reset: [up],
  serve: [up],
  worker: [up],
  version: [misc],
}

/** The commands that begin with the word; undefined for a word that is not known here. */
export async function commandsOf(word: string): Promise<readonly Command[] | undefined> {
  const loads = Object.hasOwn(files, word) ? files[word] : undefined
  if (!loads) return undefined
  const modules = await Promise.all(loads.map((load) => load()))
  return modules.flatMap((one) => Object.values(one).filter(isCommand))
}

const isCommand = (value: unknown): value is Command =>
  typeof value === 'object' && value !== null && 'summary' in value && 'run' in value
