// Policies and statements at random, for `random.test.ts`. `{people}` is a table of `oracle.ts`, `{people:first}` that table as of a
// tag or a branch.

import fc from 'fast-check'
import type { ColumnMask, Grant, RowFilter } from '../../src/govern/index.ts'
import type { Policy } from './oracle.ts'
import type { Person } from './world.ts'

const members = ['nell', 'cole', 'rosa', 'mack'] as const satisfies readonly Person[]
export const askers: readonly Person[] = [...members, 'rita']
export const changers: readonly Person[] = [...members, ...members, 'rita']

const grantee: fc.Arbitrary<Grant['to']> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...members).map((name) => ({ kind: 'user' as const, name })) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('clerk', 'hr', 'boss', 'public').map((name) => ({ kind: 'role' as const, name })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'group' as const, name: 'staff' }) },
)
const grant: fc.Arbitrary<Grant> = fc
  .record({
    privilege: fc.constantFrom<Grant['privilege'][]>(
      'select',
      'select',
      'select',
      'select',
      'write',
      'all',
      'insert',
      'delete',
      'update',
      'alter',
    ),
    environment: fc.constantFrom('dev', '*', 'dev', '*', 'dev_analytics', 'prod'),
    namespace: fc.constantFrom('g', 'g', 'g', 'g', 'g', '*', 'other'),
    table: fc.constantFrom(
      '*',
      '*',
      'people',
      'people',
      'orders',
      'orders',
      'ledger',
      'ledger',
      'ledger',
      'shown',
      'joined',
      'counted',
      'p*',
      '*ed*',
    ),
    columns: fc.option(fc.subarray(['id', 'region', 'email', 'pay', 'person', 'n', 'gone', 'code'], { minLength: 1 }), {
      nil: undefined,
      freq: 2,
    }),
    to: grantee,
  })
  .map(({ privilege, columns, to, ...on }) => ({
    privilege,
    on,
    to,
    ...(columns && privilege === 'select' ? { columns } : {}),
  }))

const roles = fc.subarray(['clerk', 'hr', 'boss'])
const on = (table: string) => ({ environment: '*', namespace: 'g', table })
const filtered = (table: string, ...conditions: string[]) =>
  fc.record<RowFilter>({
    on: fc.constant(on(table)),
    except: roles,
    condition: fc.constantFrom(...conditions),
  })
const ofRegion = [
  `region = attribute('region')`,
  `region <> 'US' OR has_role('hr')`,
  `region IN (SELECT r.region FROM g.regions r WHERE r.boss = current_user)`,
]
const filter = fc
  .tuple(
    fc.oneof(
      filtered(
        'people',
        ...ofRegion,
        'id % 3 <> 0',
        'pay > 300',
        // Those whose code is a number.
        'id % 4 <> 1',
        'id % 4 <> 1',
        "email NOT LIKE '%7%'",
        `EXISTS (SELECT 1 FROM g.regions r WHERE r.region = people.region AND r.boss = current_user)`,
      ),
      filtered('orders', ...ofRegion, 'amount < 60', 'person IS NOT NULL'),
      filtered('ledger', ...ofRegion, 'id % 2 = 0', 'pay IS NULL OR pay < 500'),
      filtered('shown', 'id < 15', "region = 'EU'"),
    ),
    fc.option(roles, { nil: undefined, freq: 2 }),
  )
  .map(([one, to]) => ({ ...one, ...(to && to.length > 0 ? { to } : {}) }))
const masked = (table: string, column: string, ...expressions: string[]) =>
  fc.record<ColumnMask>({
    on: fc.constant(on(table)),
    column: fc.constant(column),
    except: roles,
    expression: fc.constantFrom(...expressions),
  })
const mask = fc.oneof(
  masked(
    'people',
    'email',
    `left(email, 2) || '***'`,
    'NULL',
    `CASE WHEN has_role('hr') THEN email ELSE 'hidden' END`,
    `region || id`,
  ),
  masked('people', 'mail', `'was mail'`, `CASE WHEN region = attribute('region') THEN email END`),
  masked('people', 'pay', 'NULL', 'pay // 100 * 100', `'none'`),
  masked('people', 'code', `'0'`, 'NULL'),
  masked('people', 'gone', 'NULL', `'?'`),
  masked('people', 'id', '-id'),
  masked('people', 'region', `'??'`),
  masked('orders', 'amount', 'NULL', 'amount // 10'),
  masked('orders', 'person', 'person + 1'),
  masked('ledger', 'email', `'***'`),
  masked('shown', 'email', `'of the view'`),
)
/** What somebody has as a rule, so that not all is refused. */
const usual = fc.tuple(
  fc.constantFrom(
    [],
    [undefined],
    [undefined],
    [undefined],
    [['id', 'region', 'email', 'person', 'amount']],
    [['id', 'region', 'pay', 'code']],
  ),
  fc.constantFrom(
    [],
    ['write' as const],
    ['write' as const],
    ['write' as const],
    ['insert' as const],
    ['update' as const, 'delete' as const],
  ),
)
const people = (kind: 'user' | 'role') => (name: string) => ({ kind, name })

export const policy: fc.Arbitrary<Policy> = fc
  .record({
    more: fc.array(grant, { maxLength: 6 }),
    usuals: fc.tuple(...members.map(() => usual)),
    rowFilters: fc.array(filter, { maxLength: 3 }),
    masks: fc.uniqueArray(mask, { maxLength: 4, selector: ({ on: { table }, column }) => `${table}.${column}` }),
    clerks: fc.subarray([...members]),
    hr: fc.subarray([...members]),
    isBossHr: fc.boolean(),
    staff: fc.subarray([...members]),
    regions: fc.tuple(...members.map(() => fc.constantFrom(undefined, 'EU', 'US', "E' OR '1'='1"))),
  })
  .map(({ more, usuals, rowFilters, masks, clerks, hr, isBossHr, staff, regions }) => ({
    grants: [
      ...more,
      ...usuals.flatMap(([sees, writes], at): Grant[] => {
        const to = { kind: 'user' as const, name: members[at]! }
        return [
          ...sees.map((columns) => ({
            privilege: 'select' as const,
            on: on('*'),
            to,
            ...(columns ? { columns } : {}),
          })),
          ...writes.map((privilege) => ({ privilege, on: on('ledger'), to })),
        ]
      }),
    ],
    rowFilters,
    // One name of a column alone: which of two masks counts is not what is asked here.
    masks: masks.filter(
      ({ column }) => column !== 'mail' || !masks.some((one) => one.column === 'email' && one.on.table === 'people'),
    ),
    roles: [
      { name: 'clerk', members: [...clerks.map(people('user')), { kind: 'group' as const, name: 'staff' }] },
      {
        name: 'hr',
        members: [...hr.map(people('user')), ...(isBossHr ? [{ kind: 'role' as const, name: 'boss' }] : [])],
      },
      { name: 'boss', members: [{ kind: 'user' as const, name: 'mack' }] },
    ],
    groups: [{ name: 'staff', users: staff }],
    attributes: members.flatMap((user, at) =>
      regions[at] === undefined ? [] : [{ user, values: { region: regions[at]! } }],
    ),
  }))

const number = fc.integer({ min: 0, max: 24 })
const region = fc.constantFrom("'EU'", "'US'", "'AS'", "'??'")
const value = fc.constantFrom(
  'a.id',
  'a.region',
  'a.email',
  'a.pay',
  `coalesce(a.email, 'none')`,
  'length(a.email)',
  'a.pay + a.id',
  'upper(a.region)',
  `CASE WHEN a.pay > 400 THEN a.email ELSE a.region END`,
  `concat_ws('-', a.region, a.email)`,
)
/** Of rows `a` that have the columns of people. */
const condition: fc.Arbitrary<string> = fc.oneof(
  number.map((n) => `a.id < ${n}`),
  number.map((n) => `a.id = ${n}`),
  region.map((one) => `a.region = ${one}`),
  region.map((one) => `a.region <> ${one}`),
  number.map((n) => `a.pay > ${n * 30}`),
  number.map((n) => `a.email LIKE 'u${n % 10}%'`),
  fc.constantFrom(
    'a.email IS NULL',
    'a.pay IS NOT NULL',
    "a.email >= 'u5'",
    'a.id % 2 = 0 OR a.pay < 200',
    "a.region IN ('EU', 'AS')",
    'true',
  ),
  number.map((n) => `a.id IN (SELECT o.person FROM {orders} o WHERE o.amount > ${n})`),
  number.map((n) => `EXISTS (SELECT 1 FROM {orders} o WHERE o.person = a.id AND o.id <> ${n})`),
  number.map((n) => `NOT EXISTS (SELECT 1 FROM {orders} o WHERE o.person = a.id AND o.amount > ${n})`),
  number.map((n) => `a.pay > (SELECT avg(b.pay) - ${n} FROM {people} b WHERE b.region = a.region)`),
  fc.constant('a.pay = (SELECT max(b.pay) FROM {people} b)'),
)
/** Something with the columns id, region, email and pay. */
const source = fc.oneof(
  { weight: 5, arbitrary: fc.constant('{people}') },
  { weight: 2, arbitrary: fc.constantFrom('{ledger}', '{shown}') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('(SELECT id, region, mail AS email, pay FROM {people:first})', '{people:side}'),
  },
  { weight: 1, arbitrary: condition.map((where) => `(SELECT * FROM {people} a WHERE ${where})`) },
  {
    weight: 1,
    arbitrary: fc.constant(
      '(SELECT id, region, email, pay FROM {people} UNION ALL SELECT id, region, email, pay FROM {ledger})',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant(
      '(SELECT id, region, email, pay FROM {people} EXCEPT SELECT id, region, email, pay FROM {shown})',
    ),
  },
)
const join = fc.constantFrom('JOIN', 'LEFT JOIN', 'FULL JOIN', 'RIGHT JOIN')
const any = fc.constantFrom(
  '{people}',
  '{orders}',
  '{ledger}',
  '{shown}',
  '{joined}',
  '{counted}',
  '{people:first}',
  '{people:side}',
)

/** A SELECT whose rows are the same in any order, each column with a name of its own. */
export const question: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(value, value, source, condition)
      .map(([x, y, from, where]) => `SELECT ${x} AS x, ${y} AS y FROM ${from} a WHERE ${where}`),
  },
  { weight: 2, arbitrary: any.map((from) => `SELECT * FROM ${from} a`) },
  {
    weight: 1,
    arbitrary: fc.tuple(source, condition).map(([from, where]) => `SELECT a.* FROM ${from} a WHERE ${where}`),
  },
  fc.tuple(any, number).map(([from, n]) => `SELECT count(*) AS n, ${n} AS m FROM ${from} a`),
  fc
    .tuple(
      source,
      fc.constantFrom(
        'min(a.email) AS x, max(a.email) AS y',
        'min(a.id) AS x, max(a.pay) AS y',
        'count(a.email) AS x, count(DISTINCT a.region) AS y',
        `string_agg(a.email, ',' ORDER BY a.id, a.email) AS x`,
        'max_by(a.email, a.id) AS x',
        'CAST(sum(a.pay) AS BIGINT) AS x',
      ),
    )
    .map(([from, list]) => `SELECT ${list} FROM ${from} a`),
  fc
    .tuple(source, condition)
    .map(
      ([from, where]) =>
        `SELECT a.region AS r, count(*) AS n, max(a.email) AS e FROM ${from} a WHERE ${where} GROUP BY a.region HAVING count(*) > 1`,
    ),
  fc
    .tuple(source, join, condition)
    .map(
      ([from, how, where]) =>
        `SELECT a.id AS x, a.email AS y, o.id AS z, o.amount AS w FROM ${from} a ${how} {orders} o ON o.person = a.id WHERE ${where}`,
    ),
  fc
    .tuple(fc.constantFrom('SEMI', 'ANTI'), number)
    .map(
      ([how, n]) =>
        `SELECT a.id AS x, a.email AS y FROM {people} a ${how} JOIN {orders} o ON o.person = a.id AND o.amount > ${n}`,
    ),
  fc
    .constantFrom('a.id', 'a.pay', 'a.email')
    .map(
      (by) =>
        `SELECT a.id AS x, row_number() OVER (ORDER BY ${by}, a.id, a.email) AS y, lag(a.email) OVER (ORDER BY a.id, a.email) AS z FROM {people} a`,
    ),
  condition.map(
    (where) =>
      `SELECT a.id AS x, a.email AS y FROM {people} a WHERE ${where} QUALIFY rank() OVER (PARTITION BY a.region ORDER BY a.pay DESC) = 1`,
  ),
  fc
    .tuple(fc.constantFrom('UNION', 'UNION ALL', 'EXCEPT', 'INTERSECT'), condition)
    .map(
      ([word, where]) => `SELECT a.id AS x FROM {people} a WHERE ${where} ${word} SELECT o.person AS x FROM {orders} o`,
    ),
  fc
    .tuple(fc.constantFrom('', 'MATERIALIZED ', 'NOT MATERIALIZED '), condition)
    .map(
      ([how, where]) =>
        `WITH w AS ${how}(SELECT * FROM {people} a WHERE ${where}), v AS (SELECT region AS r, count(*) AS n FROM w GROUP BY region) SELECT w.id AS x, w.email AS y, v.n AS z FROM w JOIN v ON v.r = w.region`,
    ),
  fc.constant(
    'WITH RECURSIVE w AS (SELECT a.id AS x, a.email AS y FROM {people} a WHERE a.id = 1 UNION ALL SELECT b.id, b.email FROM {people} b, w WHERE b.id = w.x + 2) SELECT * FROM w',
  ),
  condition.map(
    (where) =>
      `SELECT a.id AS x, (SELECT CAST(sum(o.amount) AS BIGINT) FROM {orders} o WHERE o.person = a.id) AS y FROM {people} a WHERE ${where}`,
  ),
  fc.constant(
    'SELECT a.id AS x, b.y FROM {people} a, LATERAL (SELECT max(o.amount) AS y FROM {orders} o WHERE o.person <= a.id) b',
  ),
  number.map(
    (n) => `SELECT a.id AS x, a.email AS y FROM {people} a ORDER BY a.id, a.email LIMIT ${n % 7} OFFSET ${n % 3}`,
  ),
  fc.constant(
    'SELECT DISTINCT ON (a.region) a.region AS x, a.email AS y FROM {people} a ORDER BY a.region, a.id, a.email',
  ),
  fc
    .constantFrom('{orders}', '{shown}', '{people}')
    .map((from) => `SELECT CAST(to_json(a) AS VARCHAR) AS x FROM ${from} a`),
  fc
    .constantFrom("COLUMNS('e.*')", "COLUMNS('.*a.*')", '* EXCLUDE (id)', `* REPLACE (upper(region) AS region)`)
    .map((list) => `SELECT ${list} FROM {people}`),
  fc.constant(
    'SELECT a.id AS x, b.email AS y FROM {people} a JOIN {people:first} f ON f.id = a.id JOIN {people} b ON b.email = f.mail',
  ),
  fc.constant("PIVOT (SELECT region, pay FROM {people}) ON region IN ('EU', 'US') USING max(pay)"),
  fc.constant('UNPIVOT (SELECT id, region, email FROM {people}) ON region, email'),
  fc
    .constantFrom('{people}', '{shown}', '{ledger}')
    .map((from) => `SELECT column_name AS x, min AS y, max AS z, count AS n FROM (SUMMARIZE ${from})`),
  // It fails where the code of a row is no number, and must not where only one of a hidden row is.
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(
        'WHERE CAST(a.code AS BIGINT) >= 0',
        'WHERE NOT (CAST(a.code AS BIGINT) > 5)',
        'GROUP BY CAST(a.code AS BIGINT)',
        'HAVING max(CAST(a.code AS BIGINT)) >= 0',
        'JOIN {orders} o ON CAST(a.code AS BIGINT) = o.id',
      )
      .map((rest) => `SELECT count(*) AS n FROM {people} a ${rest}`),
  },
)

/** What tells of all rows, and so is for those who see all of the table. */
export const wholeOnly: fc.Arbitrary<{ sql: string; of: string }> = fc
  .tuple(
    fc.constantFrom('people', 'orders', 'ledger'),
    fc.constantFrom(
      'SELECT * FROM {t}$files',
      'SELECT count(*) FROM {t}$snapshots',
      'SELECT * FROM {t}.manifests',
      'SELECT * FROM {t}$partitions',
      'SELECT * FROM {t}$entries',
      'SELECT * FROM {t}.refs',
      `SELECT * FROM table_changes('{t}')`,
      'SELECT count(*) FROM {t}$changes',
      'SELECT * FROM {t}$properties',
      'EXPLAIN SELECT * FROM {t}',
      'EXPLAIN ANALYZE SELECT count(*) FROM {t} WHERE id = 1',
      'EXPLAIN (FORMAT json) SELECT region FROM {t} GROUP BY region',
      'SHOW CREATE TABLE {t}',
      'SHOW TBLPROPERTIES {t}',
      'SHOW BRANCHES IN TABLE {t}',
    ),
  )
  .map(([of, sql]) => ({ sql: sql.replaceAll('{t}', `{${of}}`), of }))

/** A change of the ledger, in parts that an oracle can run by itself; `{k}` is a number that no row has. */
export type Change = {
  kind: 'insert' | 'delete' | 'update' | 'merge'
  /** INSERT: its rows. UPDATE: what `pay` becomes. MERGE: the statement. */
  gives: string
  /** Behind FROM and USING. */
  beside: string
  where: string
  /** Behind RETURNING, of a column called with `a.` before it. */
  told: string | undefined
}
const told = fc.option(fc.constantFrom('a.id, a.region', 'a.*', 'a.email, a.pay', 'a.id, length(a.email) AS l'), {
  nil: undefined,
  freq: 3,
})
const change = (kind: Change['kind'], more: Partial<Change>): Change => ({
  kind,
  gives: '',
  beside: '',
  where: 'true',
  told: undefined,
  ...more,
})
const ofLedger = fc.oneof(
  number.map((n) => `a.id = ${n}`),
  number.map((n) => `a.id % 5 = ${n % 5}`),
  region.map((one) => `a.region = ${one}`),
  number.map((n) => `a.pay > ${n * 30} AND a.id > 10`),
  fc.constantFrom("a.email = '***'", 'a.email IS NULL'),
  number.map((n) => `a.id IN (SELECT b.id FROM {people} b WHERE b.pay > ${n * 30})`),
)
export const changes: fc.Arbitrary<Change> = fc.oneof(
  fc
    .record({ r: region, n: number, told })
    .map(({ r, n, told: list }) => change('insert', { gives: `VALUES ({k}, ${r}, 'u${n}', ${n * 40})`, told: list })),
  fc.record({ where: condition, told }).map(({ where, told: list }) =>
    change('insert', {
      gives: `SELECT a.id + {k}, a.region, a.email, a.pay FROM {people} a WHERE ${where}`,
      told: list,
    }),
  ),
  fc.record({ where: ofLedger, told }).map((more) => change('delete', more)),
  fc
    .record({ beside: fc.constantFrom('{people} b', '{shown} b'), told })
    .map((more) => change('delete', { ...more, where: 'b.id = a.id AND b.pay > 200' })),
  fc
    .record({
      where: ofLedger,
      gives: fc.constantFrom('a.pay + 7', 'NULL', '(SELECT max(b.pay) FROM {people} b)'),
      told,
    })
    .map((more) => change('update', more)),
  fc
    .record({ where: ofLedger, told })
    .map(({ where, told: list }) =>
      change('update', { gives: 'b.pay', beside: '{people} b', where: `b.id = a.id AND ${where}`, told: list }),
    ),
  fc
    .constantFrom(
      `MERGE INTO {ledger} a USING {people} b ON a.id = b.id WHEN MATCHED THEN UPDATE SET pay = b.pay`,
      `MERGE INTO {ledger} a USING (VALUES (3)) b(id) ON a.id = b.id WHEN MATCHED THEN DELETE`,
      `INSERT INTO {ledger} (id, region, email, pay) VALUES (3, 'EU', 'u', 1) ON CONFLICT (id) DO NOTHING`,
      `INSERT INTO {ledger} (id, region, email, pay) VALUES (4, 'EU', 'u', 1) ON CONFLICT (id) DO UPDATE SET pay = excluded.pay`,
    )
    .map((gives) => change('merge', { gives })),
)
