// Pages of lists. A page token is the last name that was given, so names that come and go meanwhile neither repeat nor
// hide others.

import { Failure } from '../../base/failure.ts'

const pageSizeUsual = 1_000

/** Everything, unless the client asks for pages (`pageToken`, empty for the first). */
export function pageAsked(query: URLSearchParams): { after: string | undefined; size: number } {
  const size = query.get('pageSize')
  if (size !== null && !/^[1-9]\d{0,8}$/.test(size)) throw new Failure('REQUEST_INVALID', `pageSize: not ${size}`)
  const token = query.get('pageToken')
  if (token === null) return { after: undefined, size: Infinity }
  return { after: token === '' ? undefined : nameOf(token), size: size === null ? pageSizeUsual : Number(size) }
}

/** The first `size` of `found`. What is behind them shows only that there is another page. `key` is what they are sorted by. */
export function pageOf<Item>(
  found: readonly Item[],
  key: (item: Item) => string,
  size: number,
): { items: Item[]; 'next-page-token': string | null } {
  const items = found.slice(0, size)
  return { items, 'next-page-token': items.length < found.length ? tokenOf(key(items.at(-1)!)) : null }
}

const tokenOf = (name: string) => Buffer.from(`1${name}`).toString('base64url')

function nameOf(token: string): string {
  const text = Buffer.from(token, 'base64url').toString('utf8')
  if (!text.startsWith('1')) throw new Failure('REQUEST_INVALID', 'pageToken: not one of ours')
  return text.slice(1)
}
