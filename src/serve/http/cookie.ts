// The session cookie: not readable by scripts, not sent along by other sites' forms, only over TLS when we have it.

export const cookieName = 'boathouse_session'

export function sessionCookie(token: string, options: { expiresAt: string; nowMs: number; secure: boolean }): string {
  const seconds = Math.max(0, Math.floor((Date.parse(options.expiresAt) - options.nowMs) / 1_000))
  return `${cookieName}=${token}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${options.secure ? '; Secure' : ''}`
}

export const endedCookie = (secure: boolean): string =>
  `${cookieName}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`

/** The session token of a Cookie header. Of several cookies with the name the first counts, as for browsers. */
export function sessionTokenOf(header: string | undefined): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === cookieName) return pair.slice(at + 1).trim() || undefined
  }
  return undefined
}
