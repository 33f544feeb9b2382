// Pages of lists. A page token is the last name that was given, so names that come and go meanwhile neither repeat nor
// hide others.

import { Failure } from '../../base/failure.ts'

const pageSizeUsual = 1_000

/** All items unless the client asks for pages (`pageToken`, empty for the first). `key` orders them, each once. */
export function page<Item>(
  items: readonly Item[],
  key: (item: Item) => string,
  query: URLSearchParams,
): { items: Item[]; 'next-page-token': string | null } {
  const sorted = [...items].sort((a, b) => (key(a) < key(b) ? -1 : 1))
  const size = query.get('pageSize')
  if (size !== null && !/^[1-9]\d{0,8}$/.test(size)) throw new Failure('REQUEST_INVALID', `pageSize: not ${size}`)
  const token = query.get('pageToken')
  if (token === null) return { items: sorted, 'next-page-token': null }
  const after = token === '' ? undefined : nameOf(token)
  const rest = after === undefined ? sorted : sorted.filter((item) => key(item) > after)
  const shown = rest.slice(0, size === null ? pageSizeUsual : Number(size))
  const last = shown.at(-1)
  return { items: shown, 'next-page-token': last && shown.length < rest.length ? tokenOf(key(last)) : null }
}

const tokenOf = (name: string) => Buffer.from(`1${name}`).toString('base64url')

function nameOf(token: string): string {
  const text = Buffer.from(token, 'base64url').toString('utf8')
  if (!text.startsWith('1')) throw new Failure('REQUEST_INVALID', 'pageToken: not one of ours')
  return text.slice(1)
}
