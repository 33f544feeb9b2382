// The little XML that S3 speaks: flat elements without attributes worth reading. Good for nothing else.

/** The text of every element `name`, its children as they stand. */
export function elements(xml: string, name: string): string[] {
  const [open, close] = [`<${name}>`, `</${name}>`]
  const found: string[] = []
  for (let at = 0; ;) {
    const start = xml.indexOf(open, at)
    const end = start < 0 ? -1 : xml.indexOf(close, start)
    if (end < 0) return found
    found.push(xml.slice(start + open.length, end))
    at = end + close.length
  }
}

/** The text of the first element `name`, decoded. */
export function textOf(xml: string, name: string): string | undefined {
  const [first] = elements(xml, name)
  return first?.replace(
    /&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi,
    (whole, decimal?: string, hex?: string, word?: string) => {
      if (word) return entities[word.toLowerCase()] ?? whole
      const point = decimal ? Number(decimal) : parseInt(hex!, 16)
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole
    },
  )
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

export const escapeXml = (text: string): string =>
  text.replace(/[&<>"']/g, (char) => `&${Object.keys(entities).find((name) => entities[name] === char)!};`)
