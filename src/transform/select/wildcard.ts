// Shell wildcards as Python's fnmatch reads them: `*`, `?`, `[ab]`, `[!ab]`; a `*` also matches slashes and dots.

/** A test for the pattern; a text without wildcards matches itself alone. */
export function wildcard(pattern: string): (text: string) => boolean {
  if (!/[*?[]/.test(pattern)) return (text) => text === pattern
  const expression = new RegExp(`^${source(pattern)}$`, 'su')
  return (text) => expression.test(text)
}

/** A path pattern: `*` stays within a folder, `**` is any number of folders. */
export function pathWildcard(pattern: string): (path: string) => boolean {
  const parts = pattern.split('/').filter((part) => part !== '' && part !== '.')
  if (!parts.some((part) => /[*?[]/.test(part))) return (path) => path === parts.join('/')
  const text = parts.map((part) => (part === '**' ? '(?:[^/]+/)*' : `${source(part, '[^/]')}/`)).join('')
  const expression = new RegExp(`^${text}$`, 'su')
  return (path) => expression.test(`${path}/`)
}

/** Runs of stars are one: a pattern of a hundred of them must not make matching slow. */
function source(pattern: string, any = '.'): string {
  return pattern
    .replaceAll(/\*+/g, '*')
    .replace(
      /\[(!?)(\]?[^\]]*)\]|[.+^${}()|[\]\\*?/-]/g,
      (part, negated: string | undefined, inside: string | undefined) => {
        if (part === '*') return `${any}*`
        if (part === '?') return any
        if (inside === undefined) return part === '-' || part === '/' ? part : `\\${part}`
        const set = inside.replace(/[\\\][^]/g, '\\$&')
        return set === '' ? (negated ? any : '(?!)') : `[${negated ? '^' : ''}${set}]`
      },
    )
}
