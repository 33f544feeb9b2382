import { expect, test } from 'vitest'
import { dotted, dottedParts } from './dotted.ts'

test.each<[string, string[] | undefined]>([
  ['t', ['t']],
  ['raw.t', ['raw', 't']],
  ['raw."stg.users"', ['raw', 'stg.users']],
  ['dev."r.aw".t', ['dev', 'r.aw', 't']],
  ['raw."say ""hi"""', ['raw', 'say "hi"']],
  ['marts.*', ['marts', '*']],
  ['raw.50% off', ['raw', '50% off']],
  ['', undefined],
  ['raw.', undefined],
  ['.t', undefined],
  ['raw..t', undefined],
  ['raw."t', undefined],
  ['raw."t"x', undefined],
  ['raw.""', undefined],
])('%s', (text, parts) => {
  expect(dottedParts(text)).toEqual(parts)
  if (parts) expect(dottedParts(dotted(parts))).toEqual(parts)
})
