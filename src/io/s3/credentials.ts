// Where the keys of an object store come from. Each source is one small function that answers `undefined` when it has
// nothing to say; `firstCredentials` asks them in order and `cachedCredentials` keeps what expires until shortly before.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { Failure } from '../../base/failure.ts'
import { exchangeWithRetries, type HttpRequest } from '../http.ts'
import { encodeQuery, type Credentials } from './sign.ts'
import { textOf } from './xml.ts'

export type ExpiringCredentials = Credentials & { expiresAtMs?: number | undefined }
/** `fresh`: what is kept was refused by the store. */
export type CredentialSource = (asked?: {
  fresh?: boolean
  signal?: AbortSignal | undefined
}) => Promise<ExpiringCredentials | undefined>
type Env = Record<string, string | undefined>

/** How sources reach the world; tests give their own. */
export type Surroundings = {
  env: Env
  clock: Clock
  /** Of instance metadata, when the variables name no other. */
  metadataOrigin?: string
}

/** What AWS's own tools try, in their order. */
export const defaultCredentials = (around: Surroundings): CredentialSource =>
  cachedCredentials(
    firstCredentials([
      environmentCredentials(around.env),
      webIdentityCredentials(around),
      sharedCredentials(around.env),
      containerCredentials(around),
      instanceCredentials(around),
    ]),
    around.clock,
  )

/** `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`. */
export const environmentCredentials =
  (env: Env): CredentialSource =>
  async () => {
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env
    if (!accessKeyId || !secretAccessKey) return undefined
    return { accessKeyId, secretAccessKey, sessionToken: env['AWS_SESSION_TOKEN'] || undefined }
  }

/** A signed token in a file (Kubernetes service accounts) is changed for keys at AWS STS. */
export const webIdentityCredentials =
  ({ env, clock }: Surroundings): CredentialSource =>
  async ({ signal } = {}) => {
    const { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: role, AWS_ENDPOINT_URL_STS: endpoint } = env
    if (!file || !role) return undefined
    const region = env['AWS_REGION'] || env['AWS_DEFAULT_REGION']
    const token = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw refused('web identity', `the token file cannot be read (${(cause as NodeJS.ErrnoException).code})`, cause)
    })
    const body = encodeQuery({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: role,
      RoleSessionName: env['AWS_ROLE_SESSION_NAME'] || 'boathouse',
      WebIdentityToken: token.trim(),
    })
    const text = await ask('web identity', clock, {
      method: 'POST',
      origin: endpoint || (region ? `https://sts.${region}.amazonaws.com` : 'https://sts.amazonaws.com'),
      path: '/',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(body),
      signal,
    })
    return complete('web identity', {
      AccessKeyId: textOf(text, 'AccessKeyId'),
      SecretAccessKey: textOf(text, 'SecretAccessKey'),
      Token: textOf(text, 'SessionToken'),
      Expiration: textOf(text, 'Expiration'),
    })
  }

/**
 * Keys of a profile (`AWS_PROFILE`, else `default`) in `~/.aws/credentials`, as `aws configure` writes them. Profiles that
 * log in (SSO) or run a program are not known: a profile that was asked for by name and has no keys is a failure.
 */
export const sharedCredentials =
  (env: Env): CredentialSource =>
  async () => {
    const { AWS_PROFILE: asked, HOME: home } = env
    const file = env['AWS_SHARED_CREDENTIALS_FILE'] || (home ? join(home, '.aws', 'credentials') : undefined)
    const profile = asked || 'default'
    const text = await (file ? readFile(file, 'utf8').catch(() => '') : '')
    const {
      aws_access_key_id: accessKeyId,
      aws_secret_access_key: secretAccessKey,
      aws_session_token: token,
    } = sectionOf(text, profile)
    if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey, sessionToken: token || undefined }
    if (!asked) return undefined
    const why = `the profile "${profile}" has no aws_access_key_id and aws_secret_access_key in ${file ?? '~/.aws/credentials'}`
    throw refused(
      'shared',
      why,
      undefined,
      'For a profile that logs in: `aws configure export-credentials --format env`.',
    )
  }

/** The values of `[name]` in a file of AWS's tools. */
function sectionOf(text: string, name: string): Record<string, string> {
  const values: Record<string, string> = {}
  let isIn = false
  for (const line of text.split(/\r?\n/)) {
    const section = /^\s*\[\s*(.*?)\s*\]/.exec(line)
    if (section) isIn = section[1] === name
    const entry = /^([A-Za-z_]+)\s*=\s*(.*?)\s*$/.exec(line)
    if (isIn && entry) values[entry[1]!.toLowerCase()] = entry[2]!
  }
  return values
}

/** The endpoint that ECS and EKS give a container. */
export const containerCredentials =
  ({ env, clock }: Surroundings): CredentialSource =>
  async ({ signal } = {}) => {
    const relative = env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']
    const full = relative ? `http://169.254.170.2${relative}` : env['AWS_CONTAINER_CREDENTIALS_FULL_URI']
    if (!full) return undefined
    if (!URL.canParse(full)) throw refused('container', 'AWS_CONTAINER_CREDENTIALS_FULL_URI is not an address')
    const { origin, pathname, search, protocol, hostname } = new URL(full)
    if (protocol !== 'https:' && !trustedHosts.has(hostname))
      throw refused('container', 'AWS_CONTAINER_CREDENTIALS_FULL_URI must be https or of this machine')
    const file = env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE']
    const token = file ? (await readFile(file, 'utf8')).trim() : env['AWS_CONTAINER_AUTHORIZATION_TOKEN']
    const headers: Record<string, string> = token ? { authorization: token } : {}
    const text = await ask('container', clock, { method: 'GET', origin, path: pathname + search, headers, signal })
    return complete('container', parsed('container', text))
  }

/** The hosts that may be asked without TLS: this machine and the link-local endpoints of ECS and EKS. */
const trustedHosts = new Set(['localhost', '127.0.0.1', '[::1]', '169.254.170.2', '169.254.170.23', '[fd00:ec2::23]'])

/** The role of an EC2 machine, by version 2 of its metadata service: a token first, then the role's keys. */
export const instanceCredentials =
  ({ env, clock, metadataOrigin = 'http://169.254.169.254' }: Surroundings): CredentialSource =>
  async ({ signal } = {}) => {
    if (env['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') return undefined
    const origin = env['AWS_EC2_METADATA_SERVICE_ENDPOINT']?.replace(/\/+$/, '') || metadataOrigin
    const tokenPath = '/latest/api/token'
    const lifetime = { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' }
    // Outside AWS nobody answers there, and one second is all that this may cost.
    const once = { attemptsMax: 1, waitMsMin: 0, waitMsMax: 0, clock }
    const patience = AbortSignal.any([AbortSignal.timeout(1_000), ...(signal ? [signal] : [])])
    const token = await exchangeWithRetries(
      () => ({ method: 'PUT', origin, path: tokenPath, headers: lifetime, signal: patience }),
      once,
    ).catch(() => undefined)
    signal?.throwIfAborted()
    if (token?.status !== 200) return undefined
    const headers = { 'x-aws-ec2-metadata-token': Buffer.from(token.body).toString() }
    const roles = '/latest/meta-data/iam/security-credentials/'
    const get = (path: string) => ask('instance', clock, { method: 'GET', origin, path, headers, signal })
    const [role] = (await get(roles)).trim().split('\n')
    if (!role) return undefined
    return complete('instance', parsed('instance', await get(roles + encodeURIComponent(role))))
  }

export const firstCredentials =
  (sources: readonly CredentialSource[]): CredentialSource =>
  async (asked) => {
    for (const source of sources) {
      const found = await source(asked)
      if (found) return found
    }
    return undefined
  }

/** Keys are asked for anew this long before they expire; a failed attempt matters only in the last moments. */
const [refreshBeforeMs, lastMomentMs] = [5 * 60_000, 30_000]
/** How long "there are none" holds. */
const absentMs = 60_000

/** Asks once for many, and again shortly before the keys expire. */
export function cachedCredentials(source: CredentialSource, clock: Clock): CredentialSource {
  let kept: { found: ExpiringCredentials | undefined; untilMs: number } | undefined
  let asking: Promise<ExpiringCredentials | undefined> | undefined
  return async ({ fresh = false } = {}) => {
    const leftMs = kept && !fresh ? kept.untilMs - clock.now() : 0
    if (kept && leftMs > (kept.found ? refreshBeforeMs : 0)) return kept.found
    asking ??= source({ fresh })
      .then((found) => {
        kept = { found, untilMs: found ? (found.expiresAtMs ?? Infinity) : clock.now() + absentMs }
        return found
      })
      .finally(() => (asking = undefined))
    const before = kept?.found
    return before && leftMs > lastMomentMs ? asking.catch(() => before) : asking
  }
}

// ---- answers

async function ask(source: string, clock: Clock, request: HttpRequest): Promise<string> {
  const retries = { attemptsMax: 3, waitMsMin: 100, waitMsMax: 1_000, clock }
  const { status, body } = await exchangeWithRetries(
    () => ({ idleMs: 5_000, bytesMax: 2 ** 20, ...request }),
    retries,
  ).catch((cause: unknown) => {
    request.signal?.throwIfAborted()
    throw refused(source, (cause as Error).message, cause)
  })
  const text = Buffer.from(body).toString()
  if (status !== 200) throw refused(source, textOf(text, 'Message') ?? `status ${status}`)
  return text
}

type Answer = { AccessKeyId?: unknown; SecretAccessKey?: unknown; Token?: unknown; Expiration?: unknown }

function parsed(source: string, text: string): Answer {
  try {
    return JSON.parse(text) as Answer
  } catch (cause) {
    throw refused(source, 'the answer is not JSON', cause)
  }
}

function complete(source: string, { AccessKeyId, SecretAccessKey, Token, Expiration }: Answer): ExpiringCredentials {
  if (typeof AccessKeyId !== 'string' || typeof SecretAccessKey !== 'string')
    throw refused(source, 'the answer holds no keys')
  const expiresAtMs = typeof Expiration === 'string' ? Date.parse(Expiration) : NaN
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    ...(typeof Token === 'string' && { sessionToken: Token }),
    ...(Number.isFinite(expiresAtMs) && { expiresAtMs }),
  }
}

const refused = (source: string, why: string, cause?: unknown, hint?: string) =>
  new Failure('STORAGE_FAILED', `the ${source} credentials could not be had: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: hint ?? 'Check what the AWS_… variables name, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  })
