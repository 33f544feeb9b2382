// Log-in for clients that speak OAuth2: the name of an API token and the token itself are id and secret of a client.
// The access token is the API token, so revoking it ends every session at once. Errors have OAuth's shape (RFC 6749,
// section 5.2), not the catalog's.

import type { Govern } from '../../govern/index.ts'

const formType = 'application/x-www-form-urlencoded'

export async function tokenAnswer(
  text: string,
  headers: Headers,
  tokens: Pick<Govern['tokens'], 'client'>,
  onRefused: (name: string) => Promise<void>,
): Promise<Response> {
  if (headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() !== formType)
    return refusal(400, 'invalid_request', `send ${formType}`)
  const form = new URLSearchParams(text)
  const grant = form.get('grant_type')
  if (grant === null) return refusal(400, 'invalid_request', 'grant_type is missing')
  if (grant !== 'client_credentials')
    return refusal(400, 'unsupported_grant_type', `${grant.slice(0, 100)} is not offered; use client_credentials`)
  const basic = basicOf(headers.get('authorization'))
  const id = basic?.id ?? form.get('client_id') ?? ''
  const secret = basic?.secret ?? form.get('client_secret') ?? ''
  if (secret === '') return refusal(400, 'invalid_request', 'client_secret is missing')
  if (!(await tokens.client(id, secret))) {
    await onRefused(id)
    return refusal(401, 'invalid_client', 'make a token with `boathouse token create NAME`; its name is the client id')
  }
  return answer(200, {
    access_token: secret,
    token_type: 'bearer',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    scope: form.get('scope') ?? 'catalog',
  })
}

function basicOf(header: string | null): { id: string; secret: string } | undefined {
  const encoded = /^Basic +(\S+)$/i.exec(header ?? '')?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const at = text.indexOf(':')
  return at < 0 ? undefined : { id: text.slice(0, at), secret: text.slice(at + 1) }
}

const refusal = (status: number, error: string, error_description: string) =>
  answer(status, { error, error_description })

const answer = (status: number, body: object) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  })
