import { expect, test } from 'vitest'
import { longInsert } from './long-insert.ts'

const wide = 'x'.repeat(300_000)
test.each<[string, string[] | undefined]>([
  ['insert into t values (1), (2)', ['insert into t values (1), (2)']],
  [
    `INSERT INTO "a b"."t" (a, "b""") VALUES (1, ')'), (now(), "c"), ((3), E'\\'),(');\n`,
    [`INSERT INTO "a b"."t" (a, "b""") VALUES (1, ')'), (now(), "c"), ((3), E'\\'),(')`],
  ],
  [
    `insert into t values ('${wide}'), ('${wide}'),\n  ('it''s'), (4)`,
    [`insert into t values ('${wide}'), ('${wide}')`, "insert into t values ('it''s'), (4)"],
  ],
  ['insert into t values (1) returning a', undefined],
  ['insert into t values (1); drop table t', undefined],
  ['insert into t values (1 -- )\n)', undefined],
  ['insert into t values ($$)$$)', undefined],
  ["insert into t values ('open", undefined],
  ['insert into t select * from u', undefined],
  ['select 1', undefined],
])('%.60s', (text, parts) => {
  const found = longInsert(text)
  expect(found?.map(({ sql }) => sql)).toEqual(parts)
  for (const { sql, start } of found ?? [])
    expect(text.slice(start + sql.length - 3, start + sql.length)).toBe(sql.slice(-3))
})
