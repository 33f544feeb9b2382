// The examples are those of dbt-core's materializations/incremental/microbatch.py.

import { expect, test } from 'vitest'
import type { DbtNode } from '../../project/dbt/index.ts'
import type { Work } from '../work.ts'
import { batchesOf } from './microbatch.ts'

const batches = (config: Record<string, unknown>, others: Record<string, unknown>, exists: boolean, now: string) =>
  batchesOf(
    { name: 'm', config, place: { file: 'm.sql' } } as unknown as DbtNode,
    { project: { options: { flags: { others, fullRefresh: false }, startedAt: Date.parse(now) } } } as unknown as Work,
    exists,
  ).map(({ id, start, end }) => `${id} ${start.slice(0, 16)} ${end.slice(0, 16)}`)

const from = (start?: string, end?: string) => ({ event_time_start: start, event_time_end: end })

test.each<[Record<string, unknown>, Record<string, unknown>, boolean, string, string[]]>([
  [
    { batch_size: 'day', begin: '2024-09-16' },
    {},
    false,
    '2024-09-17T16:06:00Z',
    ['20240916 2024-09-16 00:00 2024-09-17 00:00', '20240917 2024-09-17 00:00 2024-09-18 00:00'],
  ],
  [
    { batch_size: 'day', begin: '2020-01-01' },
    {},
    true,
    '2024-09-17T16:06:00Z',
    ['20240916 2024-09-16 00:00 2024-09-17 00:00', '20240917 2024-09-17 00:00 2024-09-18 00:00'],
  ],
  [
    { batch_size: 'day', begin: '2020-01-01', lookback: 0 },
    {},
    true,
    '2024-09-17T16:06:00Z',
    ['20240917 2024-09-17 00:00 2024-09-18 00:00'],
  ],
  [
    { batch_size: 'hour', begin: '2020-01-01', lookback: 0 },
    {},
    true,
    '2024-09-17T16:06:00Z',
    ['20240917T16 2024-09-17 16:00 2024-09-17 17:00'],
  ],
  [
    { batch_size: 'month', begin: '2024-07-20' },
    {},
    false,
    '2024-09-01T00:00:00Z',
    ['202407 2024-07-01 00:00 2024-08-01 00:00', '202408 2024-08-01 00:00 2024-09-01 00:00'],
  ],
  [
    { batch_size: 'year', begin: '2023-05-05' },
    {},
    false,
    '2024-01-01T00:00:01Z',
    ['2023 2023-01-01 00:00 2024-01-01 00:00', '2024 2024-01-01 00:00 2025-01-01 00:00'],
  ],
  [
    { batch_size: 'day', begin: '2020-01-01' },
    from('2024-01-01 10:00', '2024-01-02'),
    true,
    '2024-09-17T16:06:00Z',
    ['20240101 2024-01-01 00:00 2024-01-02 00:00'],
  ],
])('%j %j', (config, others, exists, now, expected) => expect(batches(config, others, exists, now)).toEqual(expected))

test('what a model must say is asked for', () => {
  expect(() => batches({ begin: '2024-01-01' }, {}, false, '2024-01-01')).toThrow(
    expect.objectContaining({ code: 'MODEL_INVALID' }),
  )
  expect(() => batches({ batch_size: 'day' }, {}, false, '2024-01-01')).toThrow(
    expect.objectContaining({ code: 'MODEL_INVALID' }),
  )
})
