import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Failure } from '../base/failure.ts'
import { isSecretName, openLog } from './index.ts'
import { secretsIn } from './secrets.ts'

function capture({
  secrets = [] as string[],
  format = 'json' as 'json' | 'pretty' | 'auto',
  level = 'debug',
  isTTY = false,
} = {}) {
  const lines: string[] = []
  const log = openLog(
    { log: { level, format }, secrets },
    { stream: { write: (line: string) => lines.push(line), isTTY }, fields: { worker_id: 'w1' } },
  )
  return { log, lines, last: () => JSON.parse(lines.at(-1)!) as Record<string, unknown> }
}

test('a line is an event with fields and the context of its log', () => {
  const { log, last } = capture()
  log.child({ run_id: 'r1' }).info('step started', { attempt: 1, rows: 5n, at: new Date(0) })
  expect(last()).toEqual({
    level: 'info',
    time: expect.stringMatching(/Z$/),
    worker_id: 'w1',
    run_id: 'r1',
    attempt: 1,
    rows: '5',
    at: '1970-01-01T00:00:00.000Z',
    event: 'step started',
  })
})

test('an error is a record; a failure needs no stack', () => {
  const { log, last } = capture()
  log.error('failed', {
    error: new Failure('SQL_INVALID', 'no', { place: { file: 'a.sql', line: 1 }, cause: new Error('inner') }),
  })
  expect(last()['error']).toMatchObject({
    code: 'SQL_INVALID',
    message: 'no',
    place: { file: 'a.sql', line: 1 },
    cause: { message: 'inner', stack: expect.any(String) },
  })
  expect(last()['error']).not.toHaveProperty('stack')
})

test('auto is JSON off a terminal and pretty on one; the level holds', () => {
  const plain = capture({ format: 'auto', level: 'warn' })
  plain.log.info('quiet')
  plain.log.warn('loud')
  expect(plain.lines).toHaveLength(1)
  const terminal = capture({ format: 'auto', isTTY: true })
  terminal.log.info('step started', { run_id: 'r1' })
  expect(terminal.lines.join('')).toMatch(/INFO.*step started/)
  expect(() => JSON.parse(terminal.lines[0]!) as unknown).toThrow()
})

const address = 'postgres://ann:s3cr%20et@db/x'

test.each(['json', 'pretty'] as const)('no configured secret appears in a %s line, wherever it came from', (format) => {
  const secrets = secretsIn([address, 'tok"en\nvalue'])
  const { log, lines } = capture({ secrets, format })
  log
    .child({ url: address })
    .info(`connected to ${address}`, { deep: [{ text: 's3cr et' }], error: new Error('bad tok"en\nvalue') })
  for (const text of ['s3cr%20et', 's3cr et', 'tok"en', 'tok\\"en']) expect(lines.join('')).not.toContain(text)
  expect(lines.join('')).toContain('[hidden]')
})

test('fields named like secrets lose their value', () => {
  const { log, lines, last } = capture()
  log.info('x', {
    password: 'p1',
    headers: { Authorization: 'Bearer p2', 'x-api-key': 'p3' },
    dbPassword: 'p4',
    token: null,
    token_count: 7,
  })
  expect(last()).toMatchObject({
    password: '[hidden]',
    headers: { Authorization: '[hidden]', 'x-api-key': '[hidden]' },
    dbPassword: '[hidden]',
    token: null,
    token_count: 7,
  })
  expect(lines.join('')).not.toMatch(/p[1-4]/)
})

test('property: a secret of any characters is never written', () =>
  fc.assert(
    fc.property(fc.string({ minLength: 6, unit: 'grapheme' }), fc.boolean(), (secret, inEvent) => {
      fc.pre(/[^\s\w[\]]/.test(secret) && secret.trim() === secret)
      const { log, lines } = capture({ secrets: secretsIn([secret]) })
      log.info(inEvent ? `a ${secret} b` : 'event', { field: secret, nested: { list: [secret] } })
      const written = JSON.stringify(JSON.parse(lines[0]!))
      expect(written).not.toContain(JSON.stringify(secret).slice(1, -1))
    }),
  ))

test.each([
  ['password', true],
  ['DB_PASSWORD', true],
  ['apiKey', true],
  ['access_token', true],
  ['set-cookie', true],
  ['GITHUB_TOKEN', true],
  ['token_count', false],
  ['keyboard', false],
  ['primary_key', false],
  ['author', false],
  ['secretary', false],
])('isSecretName(%s) is %s', (name, expected) => expect(isSecretName(name)).toBe(expected))
