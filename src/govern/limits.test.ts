import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limitNames, limitsOf, type Limit } from './limits.ts'
import { emptyPolicy, type Grantee, type Policy } from './policy.ts'
import { systemPrincipal, type Principal } from './principal.ts'

const ana: Principal = { id: 'u1', name: 'ana', role: 'member' }
const user: Grantee = { kind: 'user', name: 'ana' }
const role = (name: string): Grantee => ({ kind: 'role', name })
const policyOf = (limits: readonly Limit[], has: readonly Grantee[] = []): Policy => ({
  ...emptyPolicy,
  users: new Map([['u1', { name: 'ana', role: 'member', disabled: false, attributes: {} }]]),
  memberships: new Map([['user:ana', has]]),
  limits,
})
const rows = (most: number, to: Grantee): Limit => ({ name: 'rows', most, to })

test.each<[string, Limit[], number | undefined]>([
  ['nothing is said', [], undefined],
  ['of somebody else', [rows(5, role('hr')), rows(6, { kind: 'user', name: 'bob' })], undefined],
  ['of everybody', [rows(5, role('public'))], 5],
  ['of the built-in role', [rows(5, role('member')), rows(9, role('admin'))], 5],
  [
    'the most generous of roles and groups',
    [rows(5, role('a')), rows(8, { kind: 'group', name: 'g' }), rows(7, role('b'))],
    8,
  ],
  ['what is said of the user goes before, also when it is less', [rows(5, role('a')), rows(2, user)], 2],
  ['and when it is more', [rows(5, role('a')), rows(20, user)], 20],
  ['another limit says nothing of rows', [{ name: 'queries', most: 1, to: user }], undefined],
])('%s', (_, limits, most) => {
  const has = [role('a'), role('b'), { kind: 'group' as const, name: 'g' }]
  expect(limitsOf(policyOf(limits, has), ana).rows?.most).toBe(most)
})

test('who comes by a token has nothing of a user of that name; Boathouse itself is not bound', () => {
  const policy = policyOf([rows(5, user), rows(7, role('public'))])
  expect(limitsOf(policy, ana).rows).toEqual({ most: 5, setBy: 'rows of user:ana in access.yml' })
  expect(limitsOf(policy, { ...ana, id: 'jwt' }).rows?.most).toBe(7)
  expect(limitsOf(policy, systemPrincipal)).toEqual({})
})

test('a further role never takes away', () => {
  const names = ['a', 'b', 'c', 'd']
  const limit = fc.record({
    name: fc.constantFrom(...limitNames),
    most: fc.integer({ min: 1, max: 100 }),
    to: fc.constantFrom(...names).map(role),
  })
  const some = fc.subarray(names).map((all) => all.map(role))
  fc.assert(
    fc.property(fc.array(limit), some, some, (limits, had, more) => {
      const before = limitsOf(policyOf(limits, had), ana)
      const after = limitsOf(policyOf(limits, [...had, ...more]), ana)
      for (const name of limitNames)
        if (before[name]) expect(after[name]!.most).toBeGreaterThanOrEqual(before[name].most)
    }),
  )
})
