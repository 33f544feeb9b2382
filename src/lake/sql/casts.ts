// Casts that bind and then fail for every value but NULL: the engine finds out when it meets the first row.

type Json = { [key: string]: unknown }

export type VainCast = { from: string; to: string; at: number }

const numbers = /^(BOOLEAN|U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL|INTEGER_LITERAL)$/
const times = /^(DATE|TIME|TIMESTAMP)/

/** Plain types alone: of lists, structs, bits and unions nothing is said. */
function isVain(from: string, to: string): boolean {
  if (numbers.test(from)) return times.test(to) || /^(INTERVAL|UUID|BLOB)$/.test(to)
  if (from === 'DATE') return numbers.test(to) || /^(TIME(?!STAMP)|INTERVAL|UUID|BLOB)/.test(to)
  if (/^TIME(?!STAMP)/.test(from)) return numbers.test(to) || /^(DATE|TIMESTAMP|INTERVAL|UUID|BLOB)/.test(to)
  if (from.startsWith('TIMESTAMP')) return numbers.test(to) || /^(INTERVAL|UUID|BLOB)$/.test(to)
  if (from === 'INTERVAL' || from === 'UUID') return numbers.test(to) || times.test(to)
  return false
}

/** `plan`: as `json_serialize_plan` gives it. `at`: the byte in its text where a cast stands. */
export function vainCasts(plan: unknown): VainCast[] {
  const found: VainCast[] = []
  const visit = (part: unknown): void => {
    if (part === null || typeof part !== 'object') return
    const { expression_class: kind, child, return_type: type, query_location: at, try_cast: isTried } = part as Json
    if (kind === 'BOUND_CAST' && isTried !== true) {
      const [from, to] = [typeOf((child as Json | undefined)?.['return_type']), typeOf(type)]
      if (from !== undefined && to !== undefined && isVain(from, to)) found.push({ from, to, at: Number(at ?? 0) })
    }
    for (const each of Object.values(part)) visit(each)
  }
  visit(plan)
  return found
}

const typeOf = (type: unknown): string | undefined => {
  const id = (type as Json | undefined)?.['id']
  return typeof id === 'string' ? id : undefined
}
