// Lineage of columns: a table of what each form of SQL means, and two promises held on generated queries.

import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Outline } from '../lake/index.ts'
import { columnLineage } from './columns.ts'

const tables: Record<string, string[]> = { t: ['id', 'a', 'b', 'c'], u: ['id', 'd', 'e', 'a'] }
const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
await connection.run('create table t (id int, a int, b int, c int)')
await connection.run('create table u (id int, d int, e int, a int)')
await connection.run('create schema s; create table s.w (k varchar, st struct(x int, y int), l int[], id int)')

async function outlineOf(sql: string): Promise<Outline> {
  const prepared = await connection.prepare(sql)
  const columns = Array.from({ length: prepared.columnCount }, (_, at) => ({
    name: prepared.columnName(at),
    type: String(prepared.columnType(at)),
  }))
  prepared.destroySync()
  const reader = await connection.runAndReadAll(
    'SELECT json_serialize_sql($1::VARCHAR, skip_null := true, skip_empty := true, skip_default := true)',
    [sql],
  )
  const typed = (names: string[]) => names.map((name) => ({ name, type: 'INTEGER' }))
  return {
    columns,
    tables: [
      ...Object.entries(tables).map(([name, of]) => ({
        written: { catalog: undefined, namespace: undefined, name },
        table: name,
        columns: typed(of),
      })),
      {
        written: { catalog: undefined, namespace: 's', name: 'w' },
        table: 'w',
        columns: typed(['k', 'st', 'l', 'id']),
      },
    ],
    tree: async () => (JSON.parse(String(reader.getRows()[0]![0])) as { statements: unknown[] }).statements[0],
    vainCasts: async () => [],
  }
}

const marks = { identity: '', derived: '~', aggregated: '#' }
/** `a: t.a, ~t.b | filter t.c`; `~` derived, `#` aggregated. */
async function shown(sql: string): Promise<string> {
  const { columns, rows, named, exact } = await columnLineage(await outlineOf(sql))
  const made = columns.map(
    ({ name, from }) =>
      `${name}: ${from
        .map(({ table, column, how }) => `${marks[how]}${table}.${column}`)
        .sort()
        .join(', ')}`,
  )
  const decided = rows.map(({ table, column, use }) => `${use} ${table}.${column}`).sort()
  return [
    made.join('; '),
    ...(decided.length > 0 ? [decided.join(', ')] : []),
    ...(named.length > 0 ? [`named ${named.map(({ table, column }) => `${table}.${column}`).join(', ')}`] : []),
    ...(exact ? [] : ['?']),
  ].join(' | ')
}

test.each([
  ['select id, a + b as x, a as y from t', 'id: t.id; x: ~t.a, ~t.b; y: t.a'],
  ['select t.id from t where b > 1 order by c', 'id: t.id | filter t.b, order t.c'],
  ['select a as x, x + 1 as y from t', 'x: t.a; y: ~t.a'],
  ['with w as (select id, a + 1 as y from t) select y, w.id from w', 'y: ~t.a; id: t.id'],
  ['with t as (select id as a from t) select a from t', 'a: t.id'],
  ['select * from t', 'id: t.id; a: t.a; b: t.b; c: t.c'],
  ['select * exclude (a) replace (b + c as b) from t', 'id: t.id; b: ~t.b, ~t.c; c: t.c | named t.a'],
  ['with w as (select b from t) select y from (select a as y, c from t)', 'y: t.a | named t.b, t.c'],
  ['select * rename (a as z) from t', 'id: t.id; z: t.a; b: t.b; c: t.c'],
  ['select u.*, t.b from t, u', 'id: u.id; d: u.d; e: u.e; a: u.a; b: t.b'],
  ['select t.a, d from t join u on t.id = u.id', 'a: t.a; d: u.d | join t.id, join u.id'],
  ['select id, d from t left join u using (id)', 'id: t.id, u.id; d: u.d | join t.id, join u.id'],
  [
    'select * from t natural join (select id, d from u)',
    'id: t.id, u.id; a: t.a; b: t.b; c: t.c; d: u.d | join t.id, join u.id',
  ],
  ['select a from t semi join u using (id)', 'a: t.a | join t.id, join u.id'],
  ['select a, sum(b) as s, count(*) as n from t group by a', 'a: t.a; s: #t.b; n:  | group t.a'],
  ['select a + 1 as g, max(b) as m from t group by 1 having min(c) > 0', 'g: ~t.a; m: #t.b | filter t.c, group t.a'],
  ['select a, max(b) from t group by all', 'a: t.a; max(b): #t.b | group t.a, group t.b'],
  ['select sum(a) filter (where b > 1) as s from t', 's: #t.a, #t.b'],
  ['select id, row_number() over (partition by a order by b) as n from t', 'id: t.id; n: ~t.a, ~t.b'],
  ['select id from t qualify row_number() over (partition by a order by b) = 1', 'id: t.id | filter t.a, filter t.b'],
  ['select distinct a, b from t', 'a: t.a; b: t.b | group t.a, group t.b'],
  ['select distinct on (a) id from t order by a, b', 'id: t.id | group t.a, order t.b'],
  ['select id from t union all select d from u', 'id: t.id, u.d'],
  ['select id from t union select d from u', 'id: t.id, u.d | group t.id, group u.d'],
  [
    'select id, a from t except select d, e from u',
    'id: t.id, u.d; a: t.a, u.e | group t.a, group t.id, group u.d, group u.e',
  ],
  ['select id, a from t union all by name select e as a, d from u', 'id: t.id; a: t.a, u.e; d: u.d'],
  ['select (select max(d) from u where u.id = t.id) as m from t', 'm: #u.d, ~t.id, ~u.id'],
  ['select id from t where exists (select 1 from u where u.id = t.id)', 'id: t.id | filter t.id, filter u.id'],
  ['select case when a > 1 then b else c end as k from t', 'k: ~t.a, ~t.b, ~t.c'],
  ['select st.x as x, w.st.y, s.w.k from s.w', 'x: ~w.st; y: ~w.st; k: w.k'],
  ["select st['x'] as x, st.x + id as z from s.w", 'x: ~w.st; z: ~w.id, ~w.st'],
  ['select list_transform(l, x -> x + id) as z, [y for y in l] as v from s.w', 'z: ~w.id, ~w.l; v: ~w.l'],
  ['select unnest(l) as x from s.w', 'x: ~w.l'],
  ['select i from s.w, unnest(l) as v(i)', 'i: ~w.l | filter w.l'],
  ['select z from t, lateral (select t.a + t.b as z)', 'z: ~t.a, ~t.b'],
  ['select q.z from (select a, b from t) as q(y, z)', 'z: t.b | named t.a'],
  ['select x.two from (values (1, 2)) as x(one, two)', 'two: '],
  [
    'with recursive r(n, m) as (select id, a from t union all select n + 1, b from r join t on n = id where n < 5) select m from r',
    'm: t.a, t.b | join t.id',
  ],
  [
    "from (select k, id from s.w) pivot (sum(id) for k in ('x', 'y'))",
    'x: #w.id, #w.k; y: #w.id, #w.k | group w.k | ?',
  ],
  ['from t unpivot (v for k in (a, b))', 'id: t.id; c: t.c; k: ; v: ~t.a, ~t.b | filter t.a, filter t.b'],
  ["select columns('a|b') from t", 'a: t.a, t.b, t.c, t.id; b: t.a, t.b, t.c, t.id | ?'],
  ['select t from t', 't: ~t.a, ~t.b, ~t.c, ~t.id'],
  ['select st.* from s.w', 'x: ~w.st; y: ~w.st | ?'],
  ['select "sum(a)" from (select sum(a), b from t group by b)', 'sum(a): #t.a | group t.b'],
  ['select id from t order by b limit 1', 'id: t.id | order t.b'],
  ['select 1 as one from t limit 3', 'one: '],
])('%s', async (sql, expected) => {
  expect(await shown(sql)).toBe(expected)
})

// --- generated queries ------------------------------------------------------------------------------------------------

type Query = { sql: string; columns: string[] }
/** Decisions, one after the other: a list of numbers is a query, and shrinks to a smaller one. */
type Dice = (sides: number) => number

function queryOf(dice: Dice, depth: number): Query {
  const kind = depth <= 0 ? 0 : dice(8)
  if (kind === 7) {
    const [one, other] = [queryOf(dice, depth - 1), queryOf(dice, depth - 1)]
    const width = Math.min(one.columns.length, other.columns.length)
    const cut = ({ sql, columns }: Query) => `select ${columns.slice(0, width).join(', ')} from (${sql})`
    const words = ['union all', 'union', 'except', 'intersect', 'union all by name'][dice(5)]!
    const names = words.endsWith('name')
      ? [...new Set([...one.columns.slice(0, width), ...other.columns.slice(0, width)])]
      : one.columns.slice(0, width)
    return { sql: `${cut(one)} ${words} ${cut(other)}`, columns: names }
  }
  if (kind === 6) {
    const [body, around] = [queryOf(dice, depth - 1), dice(2)]
    const first = body.columns[0]!
    return around === 0
      ? { sql: `with q as (${body.sql}) select * from q where ${first} is not null`, columns: body.columns }
      : {
          sql: `with q as materialized (${body.sql}) select q.*, q.${first} + 1 as extra from q`,
          columns: [...body.columns, 'extra'],
        }
  }
  return selectOf(dice, depth)
}

function selectOf(dice: Dice, depth: number): Query {
  const source = (alias: string) => {
    if (depth > 0 && dice(3) === 0) {
      const { sql, columns } = queryOf(dice, depth - 1)
      return { sql: `(${sql}) as ${alias}`, columns }
    }
    const name = dice(2) === 0 ? 't' : 'u'
    return { sql: `${name} as ${alias}`, columns: tables[name]! }
  }
  const left = source('x')
  const joins = dice(4)
  const right = joins > 1 ? source('y') : undefined
  const names = [...left.columns.map((name) => `x.${name}`), ...(right ? right.columns.map((name) => `y.${name}`) : [])]
  const column = () => names[dice(names.length)]!
  const expression = (level: number): string => {
    switch (level <= 0 ? 0 : dice(9)) {
      case 1:
        return `(${expression(level - 1)} + ${expression(level - 1)})`
      case 2:
        return `case when ${column()} > ${dice(4)} then ${expression(level - 1)} else ${expression(level - 1)} end`
      case 3:
        return `(select max(z.d) from u as z where z.id = ${column()})`
      case 4:
        return `coalesce(${column()}, ${dice(5)})`
      case 5:
        return `sum(${column()}) over (partition by ${column()})`
      case 6:
        return `list_sum(list_transform([${column()}, 1], p -> p + ${column()}))`
      case 7:
        return `(exists (select 1 from t as z where z.a = ${column()}))::int`
      default:
        return column()
    }
  }
  const from = right
    ? joins === 2
      ? `${left.sql} join ${right.sql} on ${column()} = ${column()}`
      : dice(2) === 0
        ? `${left.sql} left join ${right.sql} on x.${left.columns[0]} = y.${right.columns[0]}`
        : `${left.sql} cross join lateral (select x.${left.columns[0]} as j, y0.* from (select * from ${right.sql.replace(/ as y$/, ' as y1')}) as y0) as y`
    : left.sql
  const where = dice(3) === 0 ? ` where ${column()} ${['> 1', 'is not null', `in (select d from u)`][dice(3)]}` : ''
  switch (dice(5)) {
    case 0: {
      const [key, value] = [column(), column()]
      const having = dice(3) === 0 ? ` having min(${column()}) < 9` : ''
      return {
        sql: `select ${key} as g, ${['sum', 'max', 'count'][dice(3)]}(${value}) as v from ${from}${where} group by ${['1', 'g', key][dice(3)]}${having}`,
        columns: ['g', 'v'],
      }
    }
    case 1:
      if (right) break
      return { sql: `select * from ${from}${where}`, columns: left.columns }
    case 2: {
      if (right || left.columns.length < 2) break
      const [gone, ...kept] = left.columns
      return {
        sql: `select * exclude (${gone}) replace (${expression(1)} as ${kept[0]}) from ${from}${where}`,
        columns: kept,
      }
    }
  }
  const items = Array.from({ length: 1 + dice(3) }, (_, at) => `${expression(2)} as e${at}`)
  const columns = items.map((_, at) => `e${at}`)
  if (dice(3) === 0) {
    items.push('e0 + 1 as f')
    columns.push('f')
  }
  const distinct = dice(6) === 0 ? 'distinct ' : ''
  const qualify = dice(6) === 0 ? ` qualify rank() over (order by ${column()}) <= 2` : ''
  return { sql: `select ${distinct}${items.join(', ')} from ${from}${where}${qualify}`, columns }
}

const generated = fc.array(fc.nat(5_039), { minLength: 5, maxLength: 60 }).map((numbers) => {
  let at = 0
  return queryOf((sides) => (numbers[at++ % numbers.length]! + Math.floor(at / numbers.length)) % sides, 3).sql
})

const fill = `
  delete from t; delete from u;
  insert into t select i, i % 3, nullif(i % 4, 0), i % 5 from range(6) r(i);
  insert into u select i, nullif(i % 3, 2), i % 2, i % 4 from range(5) r(i);`

/** Values of each row, without the columns of which `isOut` says so; in an order of their own. */
async function rowsOf(sql: string, isOut: (index: number) => boolean): Promise<string[]> {
  const reader = await connection.runAndReadAll(sql)
  return reader
    .getRowsJson()
    .map((row) => JSON.stringify(row.filter((_, index) => !isOut(index))))
    .sort()
}

test('what the lineage leaves out makes no difference: values may change, columns may go', async () => {
  let bound = 0
  await fc.assert(
    fc.asyncProperty(generated, async (sql) => {
      await connection.run(fill)
      const outline = await outlineOf(sql).catch(() => undefined)
      if (!outline) return
      bound++
      const { columns, rows, named } = await columnLineage(outline)
      for (const [table, names] of Object.entries(tables)) {
        for (const column of names) {
          const is = (one: { table: string; column: string }) => one.table === table && one.column === column
          if (rows.some(is)) continue
          const made = columns.map(({ from }) => from.some(is))
          if (named.some(is) && !made.includes(true)) continue
          const before = await rowsOf(sql, (index) => made[index]!)
          await connection.run('begin')
          try {
            await connection.run(
              made.includes(true)
                ? `update ${table} set ${column} = case when ${column} is null then 1 when ${column} = 2 then null else ${column} * 7 + 3 end`
                : `alter table ${table} drop column ${column}`,
            )
            expect(await rowsOf(sql, (index) => made[index]!), `${table}.${column} in ${sql}`).toEqual(before)
          } finally {
            await connection.run('rollback')
          }
        }
      }
    }),
    { numRuns: 60 },
  )
  expect(bound).toBeGreaterThan(40)
})
