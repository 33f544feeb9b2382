// How fast rows leave the PostgreSQL endpoint: the same million rows of eight columns from an Iceberg table here and from
// PostgreSQL itself, read by one client that only counts bytes, in text and in binary. And what one small query costs.
// The server has a process of its own, as PostgreSQL has; so the client's work is the same for both.
//
// Expect about half of PostgreSQL's throughput: rows are encoded in the engine's process and copied once more.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bind, execute, logIn, openRaw, parse, startup, sync, type RawClient } from '../../test/support/pg-raw.ts'
import { openPgWorld, password } from '../../test/support/pg-world.ts'
import { startPostgres } from '../../test/support/postgres.ts'
import { circumstances, machineLoad, measure, ratioByRounds, seconds, table, tenths, type Case } from '../measure.ts'

const [rounds, rows] = [Number(process.env.BENCH_ROUNDS ?? 5), Number(process.env.BENCH_ROWS ?? 1_000_000)]
const lines = (
  series: string,
) => `select ${series}::int as id, ${series} * 1000003::bigint as key, (${series} / 7.0)::double precision as ratio,
  (${series} * 1.25)::decimal(12,2) as amount, date '2020-01-01' + (${series} % 3000)::int as day,
  timestamp '2020-01-01' + (${series} || ' seconds')::interval as at, 'item ' || (${series} % 1000) as item,
  'some longer text of the row ' || ${series} as note`

/** The server's side: a lake with the table, until the parent is gone. */
async function serve(): Promise<void> {
  const world = await openPgWorld({ queryTimeoutMs: 300_000 })
  await world.rows('create schema raw')
  await world.rows(`create table raw.wide as ${lines('range')} from range(${rows})`)
  process.send!(world.port)
  await once(process, 'disconnect')
  await world.close()
}
if (process.argv[2] === 'serve') {
  await serve()
  process.exit(0)
}

const loadBefore = machineLoad()
const server = fork(fileURLToPath(import.meta.url), ['serve'], { execArgv: ['--disable-warning=ExperimentalWarning'] })
const [port] = (await once(server, 'message')) as [number]
const postgres = await startPostgres()

const here = await openRaw(port)
await logIn(here, { user: 'ada', password })
const there = await openRaw(Number(new URL(postgres.url).port))
there.send(startup({ user: 'boathouse', database: 'postgres' }))
await there.until('Z')
// From here on nothing is kept of what comes.
for (const { socket } of [here, there]) socket.removeAllListeners('data')

/** Sends one statement and reads its answer to the end without keeping it. */
async function drain(client: RawClient, sql: string, format = 0): Promise<number> {
  const { socket } = client
  let [bytes, last] = [0, Buffer.alloc(0)]
  await new Promise<void>((resolve) => {
    const onData = (more: Buffer) => {
      bytes += more.length
      last = Buffer.concat([last, more.subarray(-6)]).subarray(-6)
      // ReadyForQuery is the last message of every answer.
      if (last[0] === 0x5a && last.readInt32BE(1) === 5) {
        socket.off('data', onData)
        resolve()
      }
    }
    socket.on('data', onData)
    client.send(parse('', sql), bind('', '', format), execute(''), sync)
  })
  return bytes
}

await drain(there, `create table wide as ${lines('n')} from generate_series(0, ${rows - 1}) n`)
await drain(there, 'vacuum analyze wide')

const cases: Case[] = [0, 1].flatMap((format) => {
  const name = format === 0 ? 'text' : 'binary'
  return [
    { name: `PostgreSQL, ${name}`, run: async () => void (await drain(there, 'select * from wide', format)) },
    { name: `here, ${name}`, run: async () => void (await drain(here, 'select * from raw.wide', format)) },
  ]
})
// What was asked before is in the cache here, so another row is asked for each time, and the same one again.
const oneRow = (of: string) => `select * from ${of} where id = ${Math.floor(Math.random() * rows)}`
const asked: [string, RawClient, () => string][] = [
  ['PostgreSQL, select 1', there, () => 'select 1'],
  ['here, select 1', here, () => 'select 1'],
  ['PostgreSQL, another row of the table', there, () => oneRow('wide')],
  ['here, another row of the table', here, () => oneRow('raw.wide')],
  ['here, the same row again', here, () => 'select * from raw.wide where id = 4711'],
]
const small: Case[] = asked.map(([name, client, sql]) => ({
  name,
  run: async () => {
    const times: number[] = []
    for (let count = 0; count < 50; count++) {
      const started = performance.now()
      await drain(client, sql())
      times.push(performance.now() - started)
    }
    return { p50: times.toSorted((a, b) => a - b)[25]! }
  },
}))

const samples = await measure([...cases, ...small], { rounds, warmUp: true })
const bytes = await drain(here, 'select * from raw.wide')
const text = [
  '# Measurements of the PostgreSQL endpoint',
  '',
  `Printed by \`bench/wire/run.sh\`: ${circumstances()}, PostgreSQL 15.`,
  `Rounds: ${rounds}, each case once in every round. Load of the machine before ${loadBefore.toFixed(1)}, after ${machineLoad().toFixed(1)}: above the number of`,
  'cores, others were at work too; then times are too long and only what was measured side by side can be compared.',
  '',
  `${rows.toLocaleString('en')} rows of eight columns, ${(bytes / 1e6).toFixed(0)} MB in text, from an Iceberg table and from a table of PostgreSQL:`,
  '',
  ...table(
    samples,
    cases.map(({ name }) => ({ name, show: seconds })),
  ),
  '',
  `PostgreSQL takes ${ratioByRounds(samples, 'here, text', 'PostgreSQL, text').toFixed(2)} of the time in text and ${ratioByRounds(samples, 'here, binary', 'PostgreSQL, binary').toFixed(2)} in binary.`,
  '',
  'A statement on an open connection, the median of 50. Here `select 1` and the same row come from the result cache:',
  '',
  ...table(
    samples,
    small.map(({ name }) => ({
      name: `${name}: p50`,
      title: name,
      show: (ms: number) => `${tenths(ms)} ms`.replace(' ms ms', ' ms'),
    })),
  ),
  '',
].join('\n')
writeFileSync(fileURLToPath(new URL('../../docs/reference/bench-wire.md', import.meta.url)), text)
process.stdout.write(text)
here.close()
there.close()
server.disconnect()
await Promise.all([once(server, 'exit'), postgres.stop()])
