import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Action, authorise, mayAct, type Principal, type Resource } from './principal.ts'
import { hashPassword, needsRehash, verifyPassword } from './password.ts'
import { addressKey, rateLimiter } from './rate-limit.ts'

describe('who may do what', () => {
  const principals: Principal[] = [
    { id: 'u1', name: 'ada', role: 'admin' },
    { id: 'u2', name: 'rob', role: 'reader' },
    { id: 'system', name: 'system', role: 'system' },
    { id: 'u4', name: 'mia', role: 'member' },
  ]
  const table: Resource = { kind: 'table', name: 'prod.marts.x' }
  const unnamed: Resource = { ...table, environment: { name: 'prod', protected: true, named: false } }
  const named: Resource = { ...table, environment: { name: 'prod', protected: true, named: true } }

  // one letter each for admin, reader, system, member: y or n
  test.each<[string, Action, Resource]>([
    ['yyyn', 'read', table],
    ['ynyn', 'write', table],
    ['ynyn', 'create', table],
    ['ynyn', 'drop', table],
    ['yyyn', 'read', unnamed],
    ['nnnn', 'write', unnamed],
    ['nnnn', 'drop', unnamed],
    ['ynyn', 'write', named],
    ['nnnn', 'manage', table],
    ['yyyy', 'run', { kind: 'query', name: 'q', owner: 'u2' }],
    ['yynn', 'cancel', { kind: 'query', name: 'q', owner: 'u2' }],
    ['ynnn', 'cancel', { kind: 'query', name: 'q', owner: 'u3' }],
    ['yyyy', 'read', { kind: 'dashboard', name: 'sales' }],
    ['ynyn', 'run', { kind: 'run', name: 'all' }],
    ['ynyn', 'rollback', { kind: 'publication', name: 'p' }],
    ['ynnn', 'create', { kind: 'user', name: 'bob' }],
    ['ynnn', 'read', { kind: 'audit', name: 'audit' }],
    ['nnnn', 'write', { kind: 'audit', name: 'audit' }],
    ['nynn', 'create', { kind: 'token', name: 't', owner: 'u2' }],
    ['nnnn', 'read', { kind: 'unheard of', name: 'x' } as unknown as Resource],
    ['nnnn', 'fly' as Action, table],
    ['nnnn', 'constructor' as Action, table],
  ])('%s %s %o', (expected, action, resource) => {
    expect(principals.map((principal) => (mayAct(principal, action, resource) ? 'y' : 'n')).join('')).toBe(expected)
  })

  test('an unknown role may nothing', () => {
    const ghost = { id: 'x', name: 'x', role: 'root' } as unknown as Principal
    expect(mayAct(ghost, 'read', table)).toBe(false)
    expect(mayAct({ ...ghost, role: 'owner' as never }, 'cancel', { kind: 'query', name: 'q', owner: 'y' })).toBe(false)
  })

  test('a refusal names who, what and which', () => {
    expect(() => authorise(principals[1]!, 'write', table)).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN', message: 'rob (reader) may not write the table prod.marts.x' }),
    )
  })
})

describe('passwords', () => {
  const cost = { logN: 4, r: 2, p: 1 }

  test('a hash carries its parameters and a salt of its own', async () => {
    const [one, two] = [await hashPassword('correct horse', cost), await hashPassword('correct horse', cost)]
    expect(one).toMatch(/^\$scrypt\$ln=4,r=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
    expect(one).not.toBe(two)
    expect([await verifyPassword('correct horse', one), await verifyPassword('Correct horse', one)]).toEqual([
      true,
      false,
    ])
    expect([needsRehash(one, cost), needsRehash(one), needsRehash('junk')]).toEqual([false, true, true])
  })

  test('agrees with RFC 7914', async () => {
    // section 12: P = "pleaseletmein", S = "SodiumChloride", N = 16384, r = 8, p = 1, the first 32 of 64 bytes
    const salt = Buffer.from('SodiumChloride').toString('base64').replace(/=+$/, '')
    const hash = Buffer.from('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2', 'hex')
      .toString('base64')
      .replace(/=+$/, '')
    expect(await verifyPassword('pleaseletmein', `$scrypt$ln=14,r=8,p=1$${salt}$${hash}`)).toBe(true)
  })

  test('the default parameters work, several at once', async () => {
    const hash = await hashPassword('correct horse')
    expect(hash).toContain('$scrypt$ln=15,r=8,p=3$')
    expect(
      await Promise.all([1, 2, 3].map((n) => verifyPassword(n === 2 ? 'wrong horse!' : 'correct horse', hash))),
    ).toEqual([true, false, true])
  })

  test.each([
    ['ä (one character)', 'zärtliche Kuh', 'zärtliche Kuh'.normalize('NFD')],
    ['full width', 'passwordABC1', 'passwordＡＢＣ１'],
  ])('the same characters typed otherwise: %s', async (_, one, other) => {
    expect(await verifyPassword(other, await hashPassword(one, cost))).toBe(true)
  })

  // A hash that is cut off, empty, or asks for absurd work must match nothing and cost nothing.
  test.each([
    '',
    '$scrypt$',
    '$scrypt$ln=4,r=2,p=1$AAAA$',
    '$scrypt$ln=4,r=2,p=1$AAAA$AAAA',
    '$scrypt$ln=40,r=99,p=99$AAAA$' + 'A'.repeat(43),
    '$argon2id$v=19$m=1$AAAA$AAAA',
    'correct horse',
  ])('a malformed hash never matches: %s', async (hash) =>
    expect(await verifyPassword('correct horse', hash)).toBe(false),
  )

  test('too short, too long', async () => {
    await expect(hashPassword('123456789', cost)).rejects.toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }))
    await expect(hashPassword('x'.repeat(1_025), cost)).rejects.toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    )
    expect(await verifyPassword('x'.repeat(1_000_000), await hashPassword('correct horse', cost))).toBe(false)
  })
})

describe('rate limits', () => {
  test('a burst, then a trickle', () => {
    let now = 0
    const limiter = rateLimiter({ burst: 2, perMinute: 6 }, { now: () => now })
    expect([limiter.take('a'), limiter.take('a'), limiter.take('a'), limiter.take('b')]).toEqual([0, 0, 10_000, 0])
    now = 10_000
    expect([limiter.take('a'), limiter.take('a')]).toEqual([0, 10_000])
    limiter.giveBack('a')
    expect(limiter.take('a')).toBe(0)
  })

  test('never more than the burst and the trickle, whatever the clock does', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5_000, max: 60_000 }), { maxLength: 60 }), (steps) => {
        let [now, forward, taken] = [0, 0, 0]
        const limiter = rateLimiter({ burst: 3, perMinute: 10 }, { now: () => now })
        for (const step of steps) {
          now += step
          forward += Math.max(0, step)
          if (limiter.take('key') === 0) taken++
        }
        expect(taken).toBeLessThanOrEqual(3 + forward / 6_000 + 1e-6)
      }),
    ))

  test('keys that an attacker invents do not grow the memory without end', () => {
    const limiter = rateLimiter({ burst: 1, perMinute: 0.001, keysMax: 10 }, { now: () => 0 })
    limiter.take('old')
    for (let key = 0; key < 9; key++) limiter.take(`k${key}`)
    expect(limiter.take('old')).toBeGreaterThan(0)
    for (let key = 0; key < 10; key++) limiter.take(`l${key}`)
    expect(limiter.take('old')).toBe(0)
  })

  test.each([
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', ''],
  ])('the key of address %s is %s', (address, key) => expect(addressKey(address)).toBe(key))
})
