import { describe, expect, test } from 'vitest'
import type { Failures } from '../base/failure.ts'
import { accessRules, AccessFile } from './access.ts'
import { parseYaml } from './yaml.ts'

const read = (text: string) => accessRules(parseYaml('access.yml', text, AccessFile).value)

test('each rule becomes one for one pattern, names in lower case', () => {
  const rules = read(`
roles:
  Analyst:
  hr: {members: [group:people, 'user:Zoe']}
groups:
  people: [Ann]
users:
  bob: {roles: analyst, groups: [people, eu], attributes: {region: EU, level: 3}}
grants:
  - {to: [analyst, user:kim], privileges: [select, insert], on: [marts.*, prod.raw.Orders]}
  - {to: public, privileges: select, on: marts.people, columns: [id]}
  - {to: hr, privileges: all, on: '*'}
row_filters:
  - {on: marts.*, where: "region = attribute('region')", except: hr}
masks:
  - {on: marts.people, column: [email, phone], show: "'***'", except: [hr, analyst]}
`)
  const all = { environment: '*', namespace: 'marts', table: '*' }
  const people = { ...all, table: 'people' }
  expect(rules.roles).toEqual([
    { name: 'analyst', members: [{ kind: 'user', name: 'bob' }] },
    {
      name: 'hr',
      members: [
        { kind: 'group', name: 'people' },
        { kind: 'user', name: 'zoe' },
      ],
    },
  ])
  expect(rules.groups).toEqual([
    { name: 'people', users: ['ann', 'bob'] },
    { name: 'eu', users: ['bob'] },
  ])
  expect(rules.attributes).toEqual([{ user: 'bob', values: { region: 'EU', level: '3' } }])
  expect(rules.grants).toHaveLength(10)
  expect(rules.grants).toContainEqual({
    privilege: 'insert',
    on: { environment: 'prod', namespace: 'raw', table: 'orders' },
    to: { kind: 'user', name: 'kim' },
  })
  expect(rules.grants.slice(-2)).toEqual([
    { privilege: 'select', on: people, columns: ['id'], to: { kind: 'role', name: 'public' } },
    { privilege: 'all', on: { environment: '*', namespace: '*', table: '*' }, to: { kind: 'role', name: 'hr' } },
  ])
  expect(rules.rowFilters).toEqual([{ on: all, except: ['hr'], condition: "region = attribute('region')" }])
  expect(rules.masks.map(({ column, on }) => [column, on])).toEqual([
    ['email', people],
    ['phone', people],
  ])
})

test('a table with dots or other signs in its name is named in quotes', () => {
  const { rowFilters } = read(`
row_filters:
  - on: [raw."stg.users", 'dev.raw."50% ""off"""']
    where: "region = 'EU'"
`)
  expect(rowFilters.map(({ on }) => on)).toEqual([
    { environment: '*', namespace: 'raw', table: 'stg.users' },
    { environment: 'dev', namespace: 'raw', table: '50% "off"' },
  ])
  expect(() => read(`masks: [{on: 'raw."t', column: a, show: b}]`)).toThrow()
})

test('limits in milliseconds and bytes, each for one', () => {
  const { limits } = read(`
roles:
  analyst:
limits:
  - {to: [analyst, user:Kim], query_timeout: 1.5min, rows: 1000}
  - {to: public, scan_bytes: 2GiB, queries: 2}
`)
  const [analyst, kim, everybody] = [
    { kind: 'role', name: 'analyst' },
    { kind: 'user', name: 'kim' },
    { kind: 'role', name: 'public' },
  ]
  expect(limits).toEqual([
    { name: 'query_timeout', most: 90_000, to: analyst },
    { name: 'rows', most: 1_000, to: analyst },
    { name: 'query_timeout', most: 90_000, to: kim },
    { name: 'rows', most: 1_000, to: kim },
    { name: 'scan_bytes', most: 2 ** 31, to: everybody },
    { name: 'queries', most: 2, to: everybody },
  ])
})

describe('mistakes are told where they stand', () => {
  test.each([
    [
      'grants:\n  - {to: analyst, privileges: select, on: marts.*}',
      2,
      'there is no role "analyst"; add it under roles',
    ],
    ['grants:\n  - {to: group:x, privileges: select, on: marts.*}', 2, 'there is no group "x"; add it under groups'],
    ['grants:\n  - to: public\n    privileges: read\n    on: marts.*', 3, 'privileges'],
    ['grants:\n  - to: public\n    privileges: select\n    on: marts', 4, 'namespace.table'],
    [
      'grants:\n  - to: public\n    privileges: insert\n    on: a.b\n    columns: [x]',
      5,
      'columns are for select only',
    ],
    ['grants:\n  - to: public\n    privileges: select\n    on: a.*\n    columns: [x]', 5, 'name one'],
    ['masks:\n  - {on: a.b, column: c, show: "1", except: hr}', 2, 'there is no role "hr"'],
    ['row_filters:\n  - {on: a.b}', 2, '"where" is missing'],
    ['limits:\n  - {to: analyst, rows: 5}', 2, 'there is no role "analyst"'],
    ['limits:\n  - {to: public}', 2, 'at least one of query_timeout'],
    ['limits:\n  - to: public\n    query_timeout: 30', 3, 'query_timeout'],
    ['limits:\n  - to: public\n    scan_bytes: lots', 3, 'a size such as 500MB'],
    ['row_filter: []', 1, 'did you mean "row_filters"'],
    ['roles:\n  admin:', 2, 'built in'],
    ['users:\n  ana: {roles: admin}', 2, 'boathouse user'],
  ])('%s', (text, line, words) => {
    const found = (() => {
      try {
        return read(text)
      } catch (error) {
        return error as Failures
      }
    })() as Failures
    const [first] = found.all
    expect(first?.message).toContain(words)
    expect(first?.place).toMatchObject({ file: 'access.yml', line })
  })
})
