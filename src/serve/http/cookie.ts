// The session cookie: not readable by scripts, not sent along by other sites' forms, only over TLS when we have it.
//
// Browsers keep cookies by host and not by port, so that two servers on one machine (staging beside production, two
// projects) would log each other's visitors out. The name therefore carries the port that the visitor sees, unless it is
// the usual one.

const usualPort = '8620'

type Options = { host: string | undefined; secure: boolean }

/** By the Host header of the request. */
export function cookieNameOf(host: string | undefined): string {
  const port = /:(\d{1,5})$/.exec(host ?? '')?.[1]
  return port === undefined || port === usualPort ? 'boathouse_session' : `boathouse_session_${port}`
}

export function sessionCookie(
  token: string,
  { expiresAt, nowMs, ...options }: Options & { expiresAt: string; nowMs: number },
): string {
  return cookie(token, Math.max(0, Math.floor((Date.parse(expiresAt) - nowMs) / 1_000)), options)
}

export const endedCookie = (options: Options): string => cookie('', 0, options)

const cookie = (value: string, seconds: number, { host, secure }: Options) =>
  `${cookieNameOf(host)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`

/** The session token of a Cookie header. Of several cookies with the name the first counts, as for browsers. */
export function sessionTokenOf(header: string | undefined, host: string | undefined): string | undefined {
  const name = cookieNameOf(host)
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim() || undefined
  }
  return undefined
}
