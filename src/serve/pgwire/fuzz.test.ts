// Whatever comes over the socket, the server answers with its protocol or closes, and serves the next one. With SOAK=1
// for ten minutes.

import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  bind,
  cstring,
  execute,
  int16,
  int32,
  logIn,
  message,
  openRaw,
  parse,
  query,
  startup,
  sync,
  type RawClient,
} from '../../../test/support/pg-raw.ts'
import { openPgWorld, password, type PgWorld } from '../../../test/support/pg-world.ts'

const seconds = Number(process.env.SOAK_SECONDS ?? (process.env.SOAK ? 600 : 0))
let world: PgWorld
beforeAll(async () => {
  world = await openPgWorld()
})
afterAll(() => world.close())

const sql = fc.constantFrom(
  'select 1',
  'select $1::int + 1',
  'select nope',
  'begin',
  'commit',
  'rollback',
  'savepoint a',
  'rollback to a',
  'declare c cursor with hold for select range from range(5000)',
  'fetch 10 from c',
  'close all',
  'copy (select range from range(3000)) to stdout',
  'set statement_timeout = 100',
  'show all',
  'discard all',
  'prepare p as select $1',
  "execute p('x')",
  'select * from pg_class',
  "select 'a'::regclass, obj_description(1, 'pg_class')",
  ';;',
  '',
  "select '",
  '/* never closed',
  'select $$ x $$; select 2',
)
const name = fc.constantFrom('', 'a', 'b')
const valid = fc.oneof(
  sql.map(query),
  fc.tuple(name, sql).map(([one, text]) => parse(one, text)),
  fc.tuple(name, name).map(([portal, one]) => bind(portal, one)),
  fc
    .tuple(name, name, fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 3 }))
    .map(([portal, one, values]) =>
      message(
        'B',
        cstring(portal),
        cstring(one),
        int16(1),
        int16(1),
        int16(values.length),
        ...values.flatMap((value) => [int32(value.length), Buffer.from(value)]),
        int16(0),
      ),
    ),
  fc.tuple(fc.constantFrom('S', 'P'), name).map(([what, one]) => message('D', Buffer.from(what), cstring(one))),
  fc.tuple(name, fc.integer({ min: 0, max: 3 })).map(([portal, rows]) => execute(portal, rows)),
  fc.tuple(fc.constantFrom('S', 'P'), name).map(([what, one]) => message('C', Buffer.from(what), cstring(one))),
  fc.constant(sync),
  fc.constant(message('H')),
  fc.constant(message('d', Buffer.from('data'))),
)
const bytes = fc.uint8Array({ maxLength: 200 }).map((some) => Buffer.from(some))
/** A message with some of its bytes changed, or cut. */
const broken = fc
  .tuple(valid, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.nat())
  .map(([one, changes, cut]) => {
    const copy = Buffer.from(one)
    for (const [at, value] of changes) copy[at % copy.length] = value
    return cut % 3 === 0 ? copy.subarray(0, cut % copy.length) : copy
  })
const conversation = fc.record({
  knocks: fc.boolean(),
  messages: fc.array(
    fc.oneof({ weight: 6, arbitrary: valid }, { weight: 1, arbitrary: broken }, { weight: 1, arbitrary: bytes }),
    {
      maxLength: 15,
    },
  ),
  leaves: fc.boolean(),
})

async function talk({ knocks, messages, leaves }: { knocks: boolean; messages: Buffer[]; leaves: boolean }) {
  const client = await openRaw(world.port)
  client.socket.on('error', () => {})
  if (knocks) client.send(fc.sample(bytes, 1)[0]!, startup({ user: 'rob' }))
  else await logIn(client, { user: 'rob', password })
  client.send(...messages)
  // Ends the conversation whatever state it is in, or is garbage after garbage.
  if (!leaves) {
    client.send(sync, message('X'))
    client.socket.end()
    await heard(client)
  }
  client.close()
}

/** Everything that comes is a message of the protocol. */
async function heard(client: RawClient): Promise<void> {
  const late = setTimeout(() => client.close(), 5_000)
  for (let one = await client.next(); one; one = await client.next()) expect(one.type).toMatch(/[1-3A-Za-z]/)
  clearTimeout(late)
}

test('no conversation breaks the server', async () => {
  const length = seconds
    ? { numRuns: 10_000_000, interruptAfterTimeLimit: seconds * 1_000, markInterruptAsFailure: false }
    : { numRuns: 60, seed: 20240331 }
  await fc.assert(fc.asyncProperty(conversation, talk), length)
  const client = await openRaw(world.port)
  await logIn(client, { user: 'rob', password })
  client.send(query('select 42'))
  expect((await client.until('Z')).map(({ type }) => type).join('')).toBe('TDCZ')
  client.close()
  await expect.poll(() => world.server.status().connections, { timeout: 20_000 }).toBe(0)
  expect(world.errors).toEqual([])
})
