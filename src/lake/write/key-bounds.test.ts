import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TableName } from '../../catalog/index.ts'
import { equalColumns } from './key-bounds.ts'
import { openWorld } from '../world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world?.close())

const catalog = 'dev_analytics'
const at = (name: string): TableName => ({ catalog, namespace: 'raw', name })
const open = () => world.lake.openChanges({ catalog, principal: world.admin })
const begin = () => world.lake.begin({ catalog, principal: world.admin, door: 'cli' })

test.each<[string, [string, string][]]>([
  ['t.k = s.k', [['k', 'k']]],
  [
    'S.a = T.b and t.c = s."D d"',
    [
      ['b', 'a'],
      ['c', 'D d'],
    ],
  ],
  ['t.k = s.k AND t.day > current_date - 7 AND (t.x = 1 OR t.y = s.y)', [['k', 'k']]],
  ['t.k = s.k AND t.n + 1 = s.n /* or */', [['k', 'k']]],
  ['t.k = s.k OR t.k = 1', []],
  ['NOT t.k = s.k', []],
  ['t.k = t.l AND s.k = s.l', []],
  // The second AND belongs to BETWEEN, which binds tighter than "=".
  ['t.x BETWEEN s.a AND t.k = s.k', []],
  ['CASE WHEN t.a AND t.k = s.k THEN true END', []],
  ['t.k = s.k.part', []],
])('joined by %s', (condition, pairs) => expect(equalColumns(condition, 't', 's')).toEqual(pairs))

/** Four files with ten keys each, 0 to 39. */
async function fill(name: string, mode: string, more: Record<string, string> = {}): Promise<void> {
  for (let from = 0; from < 40; from += 10) {
    const changes = await open()
    const select = `select (${from} + i)::integer as k, 'old' as v from range(10) t(i)`
    await changes.append(at(name), select, { properties: { 'write.merge.mode': mode, ...more } })
    await changes.publish()
  }
}
const rows = async (name: string) => new Map((await world.rows(`select k, v from raw.${name}`)) as [number, string][])
const values = (keys: readonly number[], value: string) =>
  `(select unnest([${keys.join(', ')}])::integer as k, '${value}' as v) as s`
const filesOf = (keys: readonly number[]) => new Set(keys.map((key) => Math.floor(key / 10)))
const isConflict = (error: unknown) => (error as { code?: string }).code === 'COMMIT_CONFLICT'

const ways = {
  upsert: async (name: string, keys: readonly number[], value: string) => {
    const changes = await open()
    await changes.upsert(at(name), ['k'], `select * from ${values(keys, value)}`)
    return () => changes.publish()
  },
  merge: async (name: string, keys: readonly number[], value: string) => {
    const transaction = await begin()
    await transaction.query(
      `merge into raw.${name} as t using ${values(keys, value)} on t.k = s.k
      when matched then update set v = s.v when not matched then insert (k, v) values (s.k, s.v)`,
    )
    return () => transaction.commit()
  },
}

for (const [way, begun] of Object.entries(ways))
  for (const mode of ['copy-on-write', 'merge-on-read'])
    test(`two at the same time, by ${way}, ${mode}: none is lost, and apart they do not meet`, async () => {
      let number = 0
      // Beyond 39 are keys that come anew.
      const keys = fc.tuple(fc.integer({ min: 0, max: 49 }), fc.integer({ min: 1, max: 8 }))
      await fc.assert(
        fc.asyncProperty(keys, keys, async ([a, countA], [b, countB]) => {
          const name = `${way}_${mode.replaceAll('-', '_')}_${number++}`
          await fill(name, mode)
          const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index)
          const [keysA, keysB] = [range(a, countA), range(b, countB)]
          const [first, second] = [await begun(name, keysA, 'a'), await begun(name, keysB, 'b')]
          await first()
          const failure: unknown = await second().then(
            () => undefined,
            (error: unknown) => error,
          )
          const isApart = a + countA <= b || b + countB <= a
          const shareFile = [...filesOf(keysA)].some((file) => filesOf(keysB).has(file))
          if (isApart && !shareFile) expect(failure).toBeUndefined()
          if (!isApart) expect(failure).toSatisfy(isConflict)
          if (failure) {
            expect(failure).toSatisfy(isConflict)
            await (
              await begun(name, keysB, 'b')
            )()
          }
          const expected = new Map(range(0, 40).map((key) => [key, 'old']))
          for (const key of keysA) expected.set(key, 'a')
          for (const key of keysB) expected.set(key, 'b')
          expect(new Map([...(await rows(name))].sort(([x], [y]) => x - y))).toEqual(
            new Map([...expected].sort(([x], [y]) => x - y)),
          )
        }),
        {
          numRuns: 6,
          examples: [
            [
              [5, 3],
              [25, 3],
            ],
            [
              [45, 3],
              [45, 3],
            ],
            [
              [42, 2],
              [46, 2],
            ],
          ],
        },
      )
    }, 60_000)

test('an append that cannot match is no conflict for a merge; one that can is', async () => {
  await fill('appended', 'merge-on-read')
  for (const [key, conflicts] of [
    [100, false],
    [12, true],
  ] as const) {
    const publish = await ways.merge('appended', [11, 13], 'merged')
    const changes = await open()
    await changes.append(at('appended'), `select ${key}::integer as k, 'appended' as v`)
    await changes.publish()
    if (conflicts) await expect(publish()).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
    else await publish()
  }
})

test.each(['copy-on-write', 'merge-on-read'])(
  'as in Spark, `snapshot` lets rows through that came meanwhile, and never rows that went: %s',
  async (mode) => {
    const name = `snapshot_${mode.replaceAll('-', '_')}`
    await fill(name, mode, { 'write.merge.isolation-level': 'snapshot' })
    const publish = await ways.merge(name, [11, 13], 'merged')
    const changes = await open()
    await changes.append(at(name), `select 12::integer as k, 'appended' as v`)
    await changes.publish()
    await publish()
    expect(await world.rows(`select k, v from raw.${name} where k between 11 and 13 order by all`)).toEqual([
      [11, 'merged'],
      [12, 'appended'],
      [12, 'old'],
      [13, 'merged'],
    ])
    const late = await ways.merge(name, [11, 13], 'late')
    await world.rows(`delete from raw.${name} where k = 11`)
    await expect(late()).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
  },
)

test('null keys are found by an upsert and never by a merge', async () => {
  for (const name of ['nulls_upsert', 'nulls_merge']) {
    const changes = await open()
    await changes.append(at(name), `select * from (values (1, 'old'), (null, 'old')) t(k, v)`)
    await changes.publish()
  }
  const changes = await open()
  await changes.upsert(at('nulls_upsert'), ['k'], `select null::integer as k, 'new' as v`)
  await changes.publish()
  expect(await rows('nulls_upsert')).toEqual(
    new Map([
      [1, 'old'],
      [null, 'new'],
    ]),
  )
  await world.rows(
    `merge into raw.nulls_merge as t using (select null::integer as k, 'new' as v) as s on t.k = s.k
    when matched then update set v = s.v when not matched then insert (k, v) values (s.k, s.v)`,
  )
  expect(await world.rows('select v from raw.nulls_merge where k is null order by v')).toEqual([['new'], ['old']])
})

test.each([
  ['text', `'a''b'`, `'zz'`],
  ['text, of numbers', `'10'`, `'9'`],
  ['decimal', '-1.50::decimal(10, 2)', '3.25::decimal(10, 2)'],
  ['date', `date '1969-12-31'`, `date '2024-02-29'`],
  ['timestamptz', `timestamptz '2024-02-29 12:00:00.000001+00'`, `timestamptz '2024-03-01 00:00:00+00'`],
  ['bigint', '-9007199254740993::bigint', '9007199254740993::bigint'],
])('keys of type %s are found by their bounds', async (type, low, high) => {
  const name = `typed_${type.replace(/\W+/g, '_')}`
  const changes = await open()
  await changes.append(at(name), `select unnest([${low}, ${high}]) as k, 'old' as v`)
  await changes.publish()
  await world.rows(
    `merge into raw.${name} as t using (select unnest([${low}, ${high}]) as k) as s on s.k = t.k
    when matched then update set v = 'new' when not matched then insert (k, v) values (s.k, 'lost')`,
  )
  expect(await world.rows(`select v, count(*) from raw.${name} group by v`)).toEqual([['new', 2]])
})
