import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { timestamp } from './dbt/python/yaml-values.ts'
import { readOrdinaryYaml } from './yaml-ordinary.ts'
import { parseWholeYaml, parseYaml, type Outline } from './yaml.ts'

const anything = z.unknown()
const isOrdinary = (text: string): boolean =>
  readOrdinaryYaml(text, { scalar: (each) => each, looseBrackets: true }) !== undefined

type Version = '1.1' | '1.2'

/** What `parse` finds: the value with its order of keys, and where all of it stands. */
function found(parse: typeof parseYaml, text: string, version: Version): string {
  let outline: Outline | undefined
  const tags = version === '1.1' ? [timestamp] : []
  const { value } = parse('f.yml', text, anything, { version, tags, onOutline: (told) => (outline = told) })
  const written = JSON.stringify(value, (_, each: unknown) => (Object.is(each, -0) ? '-0' : each))
  return `${written}\n${JSON.stringify(outline)}`
}

const words = fc.constantFrom(
  ...`a|b c|it is|yes|n|null|~|1|1.0|-0|017|0x1f|1_000|2024-01-02|1:30|.5|x # no|x#y|http://x.y/z|a:b|-x|- y|it's|é`.split(
    '|',
  ),
  ...`"q"|"a\\nb"|"\\u00e9 \\\\"|'s'|'it''s'|"a|b"|'a|b'|""|''|[]|{}|[a, 1, "x, y"]|[a,b]|{a: 1, "b": [x]}`.split('|'),
  ...`[a,/b]/{a: {/}}/|/>/|-/>-/|+/>2/&a x/*a/!!str 1/? a/: b/@a/%a/---/.../<</#/, a`.split('/'),
)
const keys = fc.constantFrom('', '', 'a: ', 'b: ', 'c d: ', '"q": ', "'s' : ", 'e:  ', '1: ', 'yes: ', 'a:b: ', '<<: ')
const lines = fc.array(
  fc
    .tuple(
      fc.constantFrom('', '', '  ', '  ', '    ', '   ', ' ', '\t'),
      fc.constantFrom('', '', '', '- ', '- - ', '-'),
      keys,
      words,
      fc.constantFrom('', '', '', ' ', ' # c', ' x'),
    )
    .map((parts) => parts.join('')),
  { minLength: 1, maxLength: 7 },
)
const texts = fc
  .tuple(lines, fc.constantFrom('\n', '\n', '\n', '\r\n', '\n\n'), fc.constantFrom('', '\n'))
  .map(([all, by, end]) => all.join(by) + end)

const runs = process.env['SOAK'] ? 200_000 : 3_000

test(`what is read in one pass is what the library reads: ${runs} texts`, () => {
  let read = 0
  fc.assert(
    fc.property(texts, fc.constantFrom<Version>('1.1', '1.2'), (text, version) => {
      if (!isOrdinary(text)) return
      read++
      expect(found(parseYaml, text, version)).toBe(found(parseWholeYaml, text, version))
    }),
    { numRuns: runs },
  )
  expect(read).toBeGreaterThan(runs / 40)
})

const properties = `
# what people write
version: 2

models:
- name: orders   # at the same depth
  description: >
    Folded over
    two lines.

      And deeper.
  columns:
    - name: id
      data_tests: [unique, not_null]
    - name: status
      description: "{{ doc('orders_status') }}"
      data_tests:
        - accepted_values:
            arguments:
              values: ['placed', 'shipped',
                "it's back"]
              quote: true
    - name: note
      description: goes on
        in the next line

        and behind an empty one
      meta: {owner: "a: b", level: 3, more: {x: []}}
  config:
    enabled:
    sql_header: |
      select 1; -- # no comment
        and deeper
`

test.each([
  properties,
  `---\n${properties}`,
  properties.replaceAll('\n', '\r\n'),
  properties.trim(),
  'a: |\n    a\n#',
  '- a\n- - b\n  - c: 1\n    d: 2\n-\n-   e: |-\n      x\n',
  "\"a b\": 'c'\n'it''s': \"\\u00e9\\n\"\n",
])('is read in one pass: %j', (text) => {
  expect(isOrdinary(text)).toBe(true)
  expect(found(parseYaml, text, '1.1')).toBe(found(parseWholeYaml, text, '1.1'))
})

test.each([
  ['nothing', ''],
  ['a text alone', 'a'],
  ['an anchor', 'a: &x 1\nb: *x'],
  ['a tag', 'a: !!str 1'],
  ['keys of another mapping', 'a:\n  <<: b'],
  ['a key twice', 'a: 1\na: 2'],
  ['a tab', 'a:\t1'],
  ['a second document', 'a: 1\n---\nb: 2'],
  ['a key that JavaScript knows', '__proto__: 1'],
  ['a key in a text', 'a: b: c'],
  ['a line that belongs to nothing', 'a:\n    b: 1\n  c: 2'],
  ['a bracket that does not end', 'a: [1, 2'],
  ['a quote that does not end', 'a: "b\nc: d'],
  ['text behind a quote', 'a: "b" c'],
  ['very deep lists', `a: ${'['.repeat(200)}${']'.repeat(200)}`],
])('is left to the library: %s', (_, text) => expect(isOrdinary(text)).toBe(false))
