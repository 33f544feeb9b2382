import { mkdtempSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { answering, type TestRequest } from '../../../test/support/http-server.ts'
import { realClock } from '../../base/clock.ts'
import {
  cachedCredentials,
  containerCredentials,
  defaultCredentials,
  environmentCredentials,
  instanceCredentials,
  sharedCredentials,
  webIdentityCredentials,
} from './credentials.ts'

const folder = mkdtempSync(join(tmpdir(), 'boathouse-keys-'))
afterAll(() => rm(folder, { recursive: true }))
const expiration = '2030-01-01T00:00:00Z'
const keys = { AccessKeyId: 'AK', SecretAccessKey: 'SK', Token: 'ST', Expiration: expiration }
const expected = { accessKeyId: 'AK', secretAccessKey: 'SK', sessionToken: 'ST', expiresAtMs: Date.parse(expiration) }

/** Answers by `METHOD /path`; anything else is a 404. */
const answeringBy = (answers: Record<string, (request: TestRequest) => string | undefined>) =>
  answering((request) => {
    const text = answers[`${request.method} ${request.url}`]?.(request)
    return text === undefined ? undefined : { text }
  })

test('from the environment, whole or not at all', async () => {
  expect(await environmentCredentials({ AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' })()).toEqual({
    accessKeyId: 'a',
    secretAccessKey: 'b',
  })
  expect(await environmentCredentials({ AWS_ACCESS_KEY_ID: 'a' })()).toBeUndefined()
})

test('of a profile in the file of AWS tools', async () => {
  const home = mkdtempSync(join(folder, 'home-'))
  await mkdir(join(home, '.aws'))
  await writeFile(
    join(home, '.aws', 'credentials'),
    '# mine\r\n[default]\r\naws_access_key_id = a\r\naws_secret_access_key=b=/+\r\n[ team ]\naws_access_key_id = c\naws_secret_access_key = d\naws_session_token = e\n[sso]\n',
  )
  expect(await sharedCredentials({ HOME: home })()).toEqual({ accessKeyId: 'a', secretAccessKey: 'b=/+' })
  const team = { accessKeyId: 'c', secretAccessKey: 'd', sessionToken: 'e' }
  expect(await sharedCredentials({ HOME: home, AWS_PROFILE: 'team' })()).toEqual(team)
  const file = join(home, '.aws', 'credentials')
  expect(await sharedCredentials({ AWS_SHARED_CREDENTIALS_FILE: file, AWS_PROFILE: 'team' })()).toEqual(team)
  for (const env of [{}, { HOME: folder }, { HOME: join(folder, 'none') }])
    expect(await sharedCredentials(env)()).toBeUndefined()
  for (const profile of ['sso', 'none'])
    await expect(sharedCredentials({ HOME: home, AWS_PROFILE: profile })()).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining(`"${profile}"`) as string,
      hint: expect.stringContaining('export-credentials') as string,
    })
  const around = { clock: realClock, env: { HOME: home, AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'y' } }
  expect(await defaultCredentials(around)()).toMatchObject({ accessKeyId: 'x' })
})

test('of an instance: a token, the role, its keys', async () => {
  const withToken = (text: string) => (request: TestRequest) =>
    request.headers['x-aws-ec2-metadata-token'] === 'T' ? text : undefined
  const roles = '/latest/meta-data/iam/security-credentials/'
  const metadataOrigin = await answeringBy({
    'PUT /latest/api/token': () => 'T',
    [`GET ${roles}`]: withToken('my-role\n'),
    [`GET ${roles}my-role`]: withToken(JSON.stringify(keys)),
  })
  const around = { env: {}, clock: realClock, metadataOrigin }
  expect(await instanceCredentials(around)()).toEqual(expected)
  expect(await instanceCredentials({ ...around, env: { AWS_EC2_METADATA_DISABLED: 'true' } })()).toBeUndefined()
  const nobody = { ...around, metadataOrigin: 'http://127.0.0.1:9' }
  expect(await instanceCredentials(nobody)()).toBeUndefined()
})

test('of a container, with the token that it was given', async () => {
  const origin = await answeringBy({
    'GET /keys?a=1': ({ headers }) => (headers.authorization === 'Bearer t' ? JSON.stringify(keys) : undefined),
  })
  await writeFile(join(folder, 'token'), 'Bearer t\n')
  const env = {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${origin}/keys?a=1`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(folder, 'token'),
  }
  expect(await containerCredentials({ env, clock: realClock })()).toEqual(expected)
  expect(await containerCredentials({ env: {}, clock: realClock })()).toBeUndefined()
  const elsewhere = { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://example.com/keys' }
  await expect(containerCredentials({ env: elsewhere, clock: realClock })()).rejects.toThrow('must be https')
})

test('by a web identity', async () => {
  await writeFile(join(folder, 'identity'), 'a+jwt\n')
  const origin = await answeringBy({
    'POST /': ({ body }) => {
      const { RoleArn, WebIdentityToken } = Object.fromEntries(new URLSearchParams(body))
      return RoleArn === 'arn:r' && WebIdentityToken === 'a+jwt'
        ? `<R><Credentials><AccessKeyId>AK</AccessKeyId><SecretAccessKey>SK</SecretAccessKey><SessionToken>ST</SessionToken><Expiration>${expiration}</Expiration></Credentials></R>`
        : undefined
    },
  })
  const env = {
    AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'identity'),
    AWS_ROLE_ARN: 'arn:r',
    AWS_ENDPOINT_URL_STS: origin,
  }
  expect(await webIdentityCredentials({ env, clock: realClock })()).toEqual(expected)
  expect(await defaultCredentials({ env, clock: realClock })()).toEqual(expected)
  const refused = { ...env, AWS_ROLE_ARN: 'arn:other' }
  await expect(webIdentityCredentials({ env: refused, clock: realClock })()).rejects.toThrow(
    'the web identity credentials could not be had: status 404',
  )
})

test('kept until shortly before they expire, asked for once by many', async () => {
  let [now, asked, failing] = [0, 0, false]
  const clock = { ...realClock, now: () => now }
  const source = cachedCredentials(async () => {
    asked++
    await Promise.resolve()
    if (failing) throw new Error('not now')
    return { accessKeyId: `${asked}`, secretAccessKey: 's', expiresAtMs: now + 3_600_000 }
  }, clock)
  await Promise.all([source(), source(), source()])
  expect(asked).toBe(1)
  now = 3_000_000
  expect(await source()).toMatchObject({ accessKeyId: '1' })
  now = 3_400_000
  failing = true
  expect(await source()).toMatchObject({ accessKeyId: '1' }) // still valid, and the next call asks again
  failing = false
  expect(await source()).toMatchObject({ accessKeyId: '3' })
  expect(await source({ fresh: true })).toMatchObject({ accessKeyId: '4' })
})

test('that there are none holds for a minute', async () => {
  let [now, asked] = [0, 0]
  const source = cachedCredentials(async () => void asked++ as undefined, { ...realClock, now: () => now })
  await source()
  await source()
  expect(asked).toBe(1)
  now = 61_000
  await source()
  expect(asked).toBe(2)
})
