import { expect, test } from 'vitest'
import { enginePattern } from './date-patterns.ts'

test.each([
  ['YYYY-MM-DD', '%Y-%m-%d'],
  ['yyyy-mm-dd hh24:mi:ss.us', '%Y-%m-%d %H:%M:%S.%f'],
  ['YYYYMMDDHH24MISS', '%Y%m%d%H%M%S'],
  ['IYYY-"W"IW', '%G-W%V'],
  ['DD Mon YY, HH12:MI AM', '%d %b %y, %I:%M %p'],
  ['100%', '100%%'],
  ['"50%"', '50%%'],
  ['DDD', '%j'],
  ['', ''],
  ['Month', undefined],
  ['MON', undefined],
  ['Q', undefined],
  ['YYYY-MM-DDTHH24', undefined],
  ['"open', 'open'],
  ['HH24h', '%Hh'],
])('%s is %s', (pattern, engine) => expect(enginePattern(pattern)).toBe(engine))
