// Tokens of OAuth 2 client credentials: asked for once, kept until shortly before they expire, asked for anew when the
// catalog refuses one early. (RFC 6749, section 4.4; the REST catalog's own token endpoint speaks the same.)

import type { Clock } from '../../base/clock.ts'
import { Failure } from '../../base/failure.ts'
import { defaultRetries, encodeQuery, exchangeWithRetries } from '../../io/index.ts'

export type OAuthOptions = {
  /** `client id:secret`; without a colon the secret alone. */
  credential: string
  tokenUri: string
  scope?: string | undefined
  audience?: string | undefined
  headers?: Readonly<Record<string, string>> | undefined
  clock: Clock
}

/** Gives the token to send. `refused`: the one that the server did not take. */
export type TokenSource = (asked?: { refused?: string; signal?: AbortSignal | undefined }) => Promise<string>

const refreshBeforeMs = 60_000
/** For servers that do not say how long theirs hold; a refused one is replaced anyway. */
const defaultLifetimeMs = 3_600_000

/** @throws UNAUTHENTICATED with the server's words; CATALOG_FAILED when it cannot be reached */
export function clientCredentials({
  credential,
  tokenUri,
  scope = 'catalog',
  audience,
  headers: more = {},
  clock,
}: OAuthOptions): TokenSource {
  let kept: { token: string; untilMs: number } | undefined
  let asking: Promise<string> | undefined

  async function ask(): Promise<string> {
    const at = credential.indexOf(':')
    const url = new URL(tokenUri)
    const body = Buffer.from(
      encodeQuery({
        grant_type: 'client_credentials',
        ...(at > 0 && { client_id: credential.slice(0, at) }),
        client_secret: credential.slice(at + 1),
        scope,
        ...(audience !== undefined && { audience }),
      }),
    )
    const headers = { ...more, 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
    const path = url.pathname + url.search
    const { status, body: answer } = await exchangeWithRetries(
      () => ({ method: 'POST', origin: url.origin, path, headers, body, bytesMax: 2 ** 20 }),
      { ...defaultRetries, clock, attemptsMax: 4 },
    ).catch((cause: unknown) => {
      throw new Failure('CATALOG_FAILED', `no token from ${url.origin}: ${(cause as Error).message}`, { cause })
    })
    const text = Buffer.from(answer).toString()
    const { access_token: token, expires_in: seconds } = parsed(text)
    if (status !== 200 || typeof token !== 'string')
      throw new Failure(
        status >= 500 ? 'CATALOG_FAILED' : 'UNAUTHENTICATED',
        `no token from ${url.origin}: ${wordsOf(text, status)}`,
        {
          hint: 'Check BOATHOUSE_CATALOG_CREDENTIAL, `catalog.scope` and `catalog.oauth_uri`.',
        },
      )
    const lifetimeMs = typeof seconds === 'number' && seconds > 0 ? seconds * 1_000 : defaultLifetimeMs
    kept = { token, untilMs: clock.now() + lifetimeMs }
    return token
  }

  return async ({ refused } = {}) => {
    if (kept && kept.token !== refused && kept.untilMs - clock.now() > refreshBeforeMs) return kept.token
    // Shared by all that wait, so the signal of one of them does not end it.
    asking ??= ask().finally(() => (asking = undefined))
    return asking
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** RFC 6749 has `error` and `error_description` as text, Iceberg's servers an object with a message. */
function wordsOf(text: string, status: number): string {
  const { error, error_description: description } = parsed(text)
  const message = typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : undefined
  const words = [typeof error === 'string' ? error : undefined, description, message].filter(
    (word) => typeof word === 'string',
  )
  return words.length > 0 ? words.join(': ') : `status ${status}`
}
