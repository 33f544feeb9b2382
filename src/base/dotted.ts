/** The parts of a name with dots between them; `raw."stg.users"` has two, and `""` is a quote in one. Undefined: it is none. */
export function dottedParts(text: string): string[] | undefined {
  const parts: string[] = []
  const part = /(?:"((?:[^"]|"")+)"|([^".]+))(\.|$)/y
  for (let end: string | undefined = '.'; end === '.';) {
    const match = part.exec(text)
    if (!match) return undefined
    parts.push(match[1]?.replaceAll('""', '"') ?? match[2]!)
    end = match[3]
  }
  return parts
}

/** What `dottedParts` reads back. */
export const dotted = (parts: readonly string[]): string =>
  parts.map((part) => (/[."]/.test(part) ? `"${part.replaceAll('"', '""')}"` : part)).join('.')
