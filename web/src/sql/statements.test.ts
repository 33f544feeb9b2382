import { expect, test } from 'vitest'
import { statementAt, statements, wordAt } from './statements.ts'

test.each([
  ['select 1', ['select 1']],
  ['select 1; select 2;', ['select 1', 'select 2']],
  [' select \';\' ; select "a;b" ', ["select ';'", 'select "a;b"']],
  ["select 'it''s; fine'; x", ["select 'it''s; fine'", 'x']],
  ["select e'\\';'; x", ["select e'\\';'", 'x']],
  ['select 1 -- a; b\n; select 2', ['select 1 -- a; b', 'select 2']],
  ['/* a; /* b; */ c; */ select 1; -- end', ['/* a; /* b; */ c; */ select 1']],
  ['select $$a;b$$; select $q$;$q$', ['select $$a;b$$', 'select $q$;$q$']],
  [';;\n-- only a comment\n;', []],
  ["select 'open; never closed", ["select 'open; never closed"]],
])('%s', (script, wanted) => expect(statements(script).map(({ text }) => text)).toEqual(wanted))

test.each([
  [0, 'select 1'],
  [8, 'select 1'],
  [9, 'select 1'],
  [10, 'select 2'],
  [40, 'select 2'],
])('the cursor at %i runs %s', (at, text) => expect(statementAt('select 1; select 2\n\n', at)?.text).toBe(text))

test.each([
  [1, 8, 'amont'],
  [2, 6, 'marts'],
  [2, 11, '.'],
  [3, 7, '"a b"'],
])('line %i column %i is the word %s', (line, column, word) => {
  const script = 'x;\nselect amont\nfrom marts.t\nwhere "a b"'
  const range = wordAt(statements(script)[1]!, line, column)!
  expect(script.slice(range.from, range.to)).toBe(word)
})
