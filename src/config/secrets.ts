// What must never be printed: values of secret settings and of variables named like secrets, whole and, for
// addresses, their password; and fields whose name says that they hold one.

/** Shorter values would blank out ordinary words and protect nothing. */
const lengthMin = 4

const secretName =
  /(^|[_.-])(password|passwd|pwd|secret|token|cookie|authorization|credentials?|(api|access|private|session)[_.-]?key)($|[_.-])/i

/** True for `API_KEY`, `db_password`, `accessToken`; false for `token_count` of a model or `keyboard`. */
export const isSecretName = (name: string): boolean => {
  const snake = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2')
  return secretName.test(snake) && !/_(count|file|path|ttl|expires_at|id|ids)$/i.test(snake)
}

/** The texts to hide for these secret values: each value, the password of an address, both as written and decoded. */
export function secretsIn(values: readonly string[]): string[] {
  const texts = values.flatMap((value) => {
    if (!URL.canParse(value)) return [value]
    const { password } = new URL(value)
    return [value, password, decode(password)]
  })
  // The longest first, so that an address goes as a whole and not with its password cut out.
  return [...new Set(texts)].filter((text) => text.length >= lengthMin).sort((a, b) => b.length - a.length)
}

/** An address without its password; `hidden` when the text is no address, for it could be the bare secret. */
export function maskUrl(text: string): string {
  if (!URL.canParse(text) || !text.includes('://')) return 'hidden'
  const url = new URL(text)
  if (url.password) url.password = '***'
  url.search = ''
  return JSON.stringify(url.href)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
