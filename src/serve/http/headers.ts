// What a browser must not do with our answers.

const always: Record<string, string> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
}

/** For everything that is no page: nothing in it may run or load. */
const dataPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox"

/** For pages of the app: everything comes from here, and nothing written into a page runs or styles it. */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

export function secure(headers: Headers, { isApi, isTls }: { isApi: boolean; isTls: boolean }): void {
  for (const [name, value] of Object.entries(always)) headers.set(name, value)
  if (!headers.has('content-security-policy')) headers.set('content-security-policy', dataPolicy)
  if (isApi && !headers.has('cache-control')) headers.set('cache-control', 'no-store')
  if (isTls) headers.set('strict-transport-security', 'max-age=31536000')
}
