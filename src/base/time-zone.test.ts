import { expect, test } from 'vitest'
import { offsetsOf, timeZoneNamed } from './time-zone.ts'

test.each([
  ['Europe/Berlin', 'Europe/Berlin'],
  ['europe/berlin', 'Europe/Berlin'],
  ['Etc/UTC', 'UTC'],
  ['GMT', 'UTC'],
  ['2', 'Etc/GMT-2'],
  ['-8.0', 'Etc/GMT+8'],
  ['+02:00', 'Etc/GMT+2'],
  ['-02', 'Etc/GMT+2'],
  ['0', 'UTC'],
  ['GMT+3', 'Etc/GMT+3'],
  ['GMT-02:00', 'Etc/GMT-2'],
  ['<+02>-2', 'Etc/GMT-2'],
  ['+05:30', undefined],
  ['99', undefined],
  ['Europe/Nowhere', undefined],
  ["x'; select 1 --", undefined],
  ['', undefined],
])('the zone %s is %s', (written, zone) => expect(timeZoneNamed(written)).toBe(zone))

test.each([
  ['Europe/Berlin', '2024-03-31T00:59:59Z', 3600],
  ['Europe/Berlin', '2024-03-31T01:00:00Z', 7200],
  ['Europe/Berlin', '2024-10-27T00:59:59Z', 7200],
  ['Europe/Berlin', '2024-10-27T01:00:00Z', 3600],
  ['Europe/Berlin', '4000-07-01T00:00:00Z', 7200],
  ['Europe/Berlin', '1500-01-01T00:00:00Z', 3208],
  ['Asia/Kolkata', '2024-01-01T00:00:00Z', 19_800],
  ['America/St_Johns', '2024-01-01T00:00:00Z', -12_600],
  ['Africa/Casablanca', '2024-03-10T02:00:00Z', 0],
  ['UTC', '2024-01-01T00:00:00Z', 0],
])('%s at %s is %i seconds east', (zone, moment, seconds) =>
  expect(offsetsOf(zone)(Date.parse(moment) / 1000)).toBe(seconds),
)
