// What dbt-core's event_time/sample_window.py makes of the same texts.

import { expect, test } from 'vitest'
import { sampleWindow } from './sample.ts'

test.each([
  ['3 days', '2026-03-31T10:20:30.5Z', '2026-03-28 10:20:30.500000+00:00', '2026-03-31 10:20:30.500000+00:00'],
  ['1 HOUR', '2026-03-01T00:20:00Z', '2026-02-28 23:20:00+00:00', '2026-03-01 00:20:00+00:00'],
  ['1 month', '2026-03-31T10:20:30Z', '2026-02-28 10:20:30+00:00', '2026-03-31 10:20:30+00:00'],
  ['14 months', '2026-01-15T00:00:00Z', '2024-11-15 00:00:00+00:00', '2026-01-15 00:00:00+00:00'],
  ['1 years', '2024-02-29T01:00:00Z', '2023-02-28 01:00:00+00:00', '2024-02-29 01:00:00+00:00'],
  [
    "{start: '2026-01-01', end: '2026-01-02 12:30'}",
    '2026-01-15',
    '2026-01-01 00:00:00+00:00',
    '2026-01-02 12:30:00+00:00',
  ],
])('%s at %s', (text, now, start, end) => expect(sampleWindow(text, Date.parse(now))).toEqual({ start, end }))

test.each(['days', '3', 'three days', '3 weeks', '3  days', '9999 years', '{start: x}', '{', '{start: 2026-01-01}'])(
  'no window: %s',
  (text) => expect(() => sampleWindow(text, 0)).toThrow(expect.objectContaining({ code: 'USAGE' })),
)
