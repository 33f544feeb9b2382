// The decision as laws: what nothing grants is refused, more grants never take away, and nothing but an exception loosens a
// row filter or a mask.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  authoriseTable,
  decide,
  decideFor,
  emptyPolicy,
  type Decision,
  type Grant,
  type Grantee,
  grantedPrivileges,
  like,
  mayKnow,
  mayKnowOf,
  type Policy,
  privileges,
  seesAll,
  subjectOf,
} from './policy.ts'
import type { Principal } from './principal.ts'

const ana: Principal = { id: 'u1', name: 'ana', role: 'member' }
const table = { catalog: 'dev_analytics', namespace: 'raw', name: 'orders' }
const policyOf = (more: Partial<Policy>): Policy => ({
  ...emptyPolicy,
  users: new Map([['u1', { name: 'ana', role: 'member', disabled: false, attributes: { region: 'EU' } }]]),
  environments: new Map([
    ['dev_analytics', ['dev', 'dev_analytics']],
    ['fork_x', ['x', 'fork_x', 'dev', 'dev_analytics']],
  ]),
  ...more,
})

// Few names, so that rules meet.
const name = (...names: string[]) => fc.constantFrom(...names)
const pattern = fc.record(
  {
    environment: name('*', 'dev', 'prod', 'DEV*'),
    namespace: name('*', 'raw', 'marts'),
    table: name('*', 'orders', 'ord*', 'x'),
  },
  { requiredKeys: [] },
)
const grantee: fc.Arbitrary<Grantee> = fc.oneof(
  fc.record({ kind: fc.constant('user' as const), name: name('ana', 'bob') }),
  fc.record({ kind: fc.constant('group' as const), name: name('eu', 'us') }),
  fc.record({ kind: fc.constant('role' as const), name: name('analyst', 'hr', 'public') }),
)
const grant: fc.Arbitrary<Grant> = fc
  .record({
    privilege: fc.constantFrom(...grantedPrivileges),
    on: pattern,
    to: grantee,
    columns: fc.option(fc.subarray(['id', 'email', 'region'], { minLength: 1 }), { nil: undefined }),
  })
  .map(({ columns, ...one }) => (columns && one.privilege === 'select' ? { ...one, columns } : one))
const roles = fc.subarray(['analyst', 'hr'])
const rowFilter = fc
  .record({ on: pattern, to: fc.option(roles, { nil: undefined }), except: roles, condition: name('a', 'b') })
  .map(({ to, ...one }) => (to ? { ...one, to } : one))
const mask = fc.record({ on: pattern, column: name('email', 'ID'), except: roles, expression: name('NULL', "'x'") })
const membership = fc.record({
  of: fc.constantFrom('user:ana', 'group:eu', 'role:analyst', 'role:hr'),
  in: grantee.filter(({ kind }) => kind !== 'user'),
})
const policy = fc
  .record({
    grants: fc.array(grant, { maxLength: 5 }),
    rowFilters: fc.array(rowFilter, { maxLength: 3 }),
    masks: fc.array(mask, { maxLength: 3 }),
    memberships: fc.array(membership, { maxLength: 4 }),
  })
  .map(({ memberships, ...more }) =>
    policyOf({
      ...more,
      memberships: new Map(
        [...Map.groupBy(memberships, ({ of }) => of)].map(([of, all]) => [of, all.map((one) => one.in)]),
      ),
    }),
  )
const on = fc.record({
  catalog: name('dev_analytics', 'prod_analytics', 'fork_x'),
  namespace: name('raw', 'marts'),
  name: name('orders', 'x'),
})
const action = fc.constantFrom(...privileges)

const shows = ({ verdict, columns }: Decision, column: string) =>
  verdict === 'allowed' && (columns === 'all' || columns.has(column))

describe('laws', () => {
  test('without a grant nothing is allowed, whatever else the policy says', () =>
    fc.assert(
      fc.property(policy, on, action, (one, where, what) => {
        const bare = { ...one, grants: [] }
        expect(decide(bare, ana, what, where).verdict).toBe('refused')
        expect(mayKnow(bare, ana, where)).toBe(false)
        expect(mayKnowOf(bare, ana, { catalog: where.catalog })).toBe(false)
      }),
    ))

  test('a further grant takes nothing away and loosens no filter and no mask', () =>
    fc.assert(
      fc.property(policy, grant, on, action, (one, more, where, what) => {
        const [before, after] = [
          decide(one, ana, what, where),
          decide({ ...one, grants: [...one.grants, more] }, ana, what, where),
        ]
        if (before.verdict === 'refused') return
        expect(after.verdict).toBe('allowed')
        for (const column of ['id', 'email', 'region', 'other'])
          if (shows(before, column)) expect(shows(after, column)).toBe(true)
        expect(after.filters).toEqual(before.filters)
        expect(after.masks).toEqual(before.masks)
      }),
    ))

  test('a further filter or mask shows nothing more, and takes no right away', () =>
    fc.assert(
      fc.property(policy, rowFilter, mask, on, (one, filter, cover, where) => {
        const more = { ...one, rowFilters: [...one.rowFilters, filter], masks: [...one.masks, cover] }
        const [before, after] = [decide(one, ana, 'select', where), decide(more, ana, 'select', where)]
        expect([after.verdict, after.columns]).toEqual([before.verdict, before.columns])
        for (const condition of before.filters) expect(after.filters).toContain(condition)
        for (const [column, expression] of before.masks) expect(after.masks.get(column)).toBe(expression)
      }),
    ))

  test('only a select has filters and masks; what is refused shows no column', () =>
    fc.assert(
      fc.property(policy, on, action, (one, where, what) => {
        const decision = decide(one, ana, what, where)
        if (decision.verdict === 'refused') expect(decision.columns).toEqual(new Set())
        if (what !== 'select') expect([decision.filters, decision.masks.size]).toEqual([[], 0])
        expect(decision.verdict === 'allowed' && !mayKnow(one, ana, where)).toBe(false)
        expect(
          mayKnow(one, ana, where) && !mayKnowOf(one, ana, { catalog: where.catalog, namespace: where.namespace }),
        ).toBe(false)
      }),
    ))

  test('a fork shows at most what its origin shows of the same table', () =>
    fc.assert(
      fc.property(policy, (one) => {
        const [origin, fork] = [
          decide(one, ana, 'select', table),
          decide(one, ana, 'select', { ...table, catalog: 'fork_x' }),
        ]
        if (origin.verdict === 'refused' || fork.verdict === 'refused') return
        for (const condition of origin.filters) expect(fork.filters).toContain(condition)
        for (const column of origin.masks.keys()) expect(fork.masks.has(column)).toBe(true)
      }),
    ))

  test('administrators and Boathouse itself see everything; a disabled one nothing', () =>
    fc.assert(
      fc.property(policy, on, action, (one, where, what) => {
        for (const role of ['admin', 'system'] as const) {
          const decision = decide(one, { id: 'a', name: 'a', role }, what, where)
          expect(seesAll(decision)).toBe(true)
        }
        const gone = {
          ...one,
          users: new Map([['u1', { name: 'ana', role: 'admin' as const, disabled: true, attributes: {} }]]),
        }
        expect(decide(gone, ana, what, where).verdict).toBe('refused')
        expect(mayKnow(gone, ana, where)).toBe(false)
      }),
    ))

  test('a view shows to nobody what is hidden from them, whoever owns it', () =>
    fc.assert(
      fc.property(policy, on, (one, where) => {
        const owner = subjectOf(one, { id: 'a', name: 'a', role: 'admin' })
        const seen = decideFor(one, owner, 'select', where, subjectOf(one, ana))
        const bound = decideFor(one, { ...subjectOf(one, ana), role: 'reader' }, 'select', where, subjectOf(one, ana))
        expect([seen.filters, seen.masks]).toEqual([bound.filters, bound.masks])
      }),
    ))
})

describe('examples', () => {
  const to: Grantee = { kind: 'user', name: 'ana' }

  test.each<[string, Grant['on'], Parameters<typeof decide>[3], boolean]>([
    ['by environment', { environment: 'dev' }, table, true],
    ['by its catalog', { environment: 'dev_analytics' }, table, true],
    ['of another environment', { environment: 'prod' }, table, false],
    ['in a fork', { environment: 'dev' }, { ...table, catalog: 'fork_x' }, true],
    ['of the fork only', { environment: 'x' }, table, false],
    ['by namespace', { namespace: 'raw' }, table, true],
    ['case', { namespace: 'RAW', table: 'Orders' }, table, true],
    ['by pattern', { table: 'ord*' }, table, true],
    [
      'of a table is none of its namespace',
      { namespace: 'raw', table: 'orders' },
      { catalog: 'dev_analytics', namespace: 'raw' },
      false,
    ],
    ['of a namespace', { namespace: 'raw' }, { catalog: 'dev_analytics', namespace: 'raw' }, true],
    ['of a namespace is none of the environment', { namespace: 'raw' }, { catalog: 'dev_analytics' }, false],
    ['of an unknown catalog', { environment: 'dev' }, { ...table, catalog: 'dev' }, true],
  ])('a grant %s', (_, pattern, where, allowed) => {
    const one = policyOf({ grants: [{ privilege: 'all', on: pattern, to }] })
    expect(decide(one, ana, 'create', where).verdict).toBe(allowed ? 'allowed' : 'refused')
  })

  test('roles come by groups and by roles, round in circles too', () => {
    const memberships = new Map<string, Grantee[]>([
      ['user:ana', [{ kind: 'group', name: 'eu' }]],
      ['group:eu', [{ kind: 'role', name: 'a' }]],
      ['role:a', [{ kind: 'role', name: 'b' }]],
      [
        'role:b',
        [
          { kind: 'role', name: 'a' },
          { kind: 'role', name: 'admin' },
        ],
      ],
    ])
    const subject = subjectOf(policyOf({ memberships }), ana)
    expect([[...subject.roles].sort(), [...subject.groups], subject.role]).toEqual([
      ['a', 'b', 'member'],
      ['eu'],
      'member',
    ])
  })

  test('what a token says of itself is no user: a name alone has no grants of that user', () => {
    const grants: Grant[] = [{ privilege: 'all', on: {}, to }]
    const stranger: Principal = {
      id: 'jwt:ana',
      name: 'ana',
      role: 'member',
      roles: ['admin', 'hr'],
      attributes: { region: 'US' },
    }
    const subject = subjectOf(policyOf({ grants }), stranger)
    expect([...subject.roles].sort()).toEqual(['hr', 'member'])
    expect(decide(policyOf({ grants }), stranger, 'select', table).verdict).toBe('refused')
  })

  test('a role that this version does not know has nothing', () => {
    const ghost = { id: 'x', name: 'x', role: 'root' } as unknown as Principal
    const one = policyOf({})
    expect(privileges.map((action) => decide(one, ghost, action, table).verdict)).not.toContain('allowed')
    expect([mayKnow(one, ghost, table), mayKnowOf(one, ghost, { catalog: 'dev_analytics' })]).toEqual([false, false])
  })

  test('a role that was taken away since the log-in counts no more', () => {
    const one = policyOf({ users: new Map([['u1', { name: 'ana', role: 'member', disabled: false, attributes: {} }]]) })
    expect(decide(one, { ...ana, role: 'admin' }, 'drop', table).verdict).toBe('refused')
  })

  test('a protected environment is named first, even with the grant', () => {
    const one = policyOf({ grants: [{ privilege: 'all', on: {}, to }] })
    const environment = { name: 'prod', protected: true, named: false }
    expect(() => authoriseTable(one, ana, 'drop', table, environment)).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN' }),
    )
    expect(authoriseTable(one, ana, 'drop', table, { ...environment, named: true }).verdict).toBe('allowed')
    expect(authoriseTable(one, ana, 'select', table, environment).verdict).toBe('allowed')
    expect(() => authoriseTable(one, ana, 'manage', table)).toThrow(/may not manage/)
  })

  test.each([
    ['*', '', true],
    ['a*', 'A', true],
    ['a*a', 'a', false],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'acb', false],
    ['*.x', 'a.x', true],
    ['a.b', 'aXb', false],
    ['', 'a', false],
    ['**', 'x', true],
    [`${'a*'.repeat(50)}b`, 'a'.repeat(10_000), false],
  ])('%s is like %s: %s', (text, other, expected) => expect(like(text, other)).toBe(expected))
})
