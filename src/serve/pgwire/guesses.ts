// Types of parameters that neither the client nor the engine says. In `n + $1` and `repeat('a', $1)` they would be texts, which no
// such function takes; the engine then names what stands beside them, and PostgreSQL goes by that.

import { pgTypes, type PgTypeName } from '../../base/pg-types.ts'

const usual: PgTypeName[] = ['int4', 'int8', 'float8', 'interval', 'timestamp', 'date', 'bool']
/** What they give is of the type that they are given: a fraction says most. */
const ofFractions: ReadonlySet<string> = new Set(
  'abs ceil ceiling floor sign sqrt cbrt exp ln log power pow round trunc degrees radians quantile_cont quantile_disc'.split(
    ' ',
  ),
)
const beside: [RegExp, PgTypeName[]][] = [
  [/^(INTEGER|INTEGER_LITERAL|SMALLINT|TINYINT)$/, ['int4']],
  [/^BIGINT$/, ['int8']],
  [/^(DECIMAL|HUGEINT)/, ['numeric']],
  [/^(FLOAT|DOUBLE)$/, ['float8']],
  [/^INTERVAL$/, ['float8', 'interval']],
  [/^TIMESTAMP/, ['interval', 'timestamp']],
]

/** OIDs of the types to try, the likeliest first, going by what the engine said of a statement with texts; none where it said something else. */
export function guesses(message: string): number[] {
  const [, name, types] = /given name and argument types '(.+?)\((.*?)\)'\. You might/.exec(message) ?? []
  if (name === undefined && !message.startsWith('Cannot concatenate lists')) return []
  const others = (types ?? '').split(', ').filter((type) => type !== 'VARCHAR')
  const isOperator = name !== undefined && /^[-+*/%]+$/.test(name)
  const isSum = name !== undefined && /^[-+]$/.test(name)
  const first = isOperator
    ? isSum && others[0] === 'INTERVAL'
      ? (['interval'] as const)
      : (beside.find(([pattern]) => pattern.test(others[0] ?? ''))?.[1] ?? [])
    : ofFractions.has(name ?? '')
      ? (['float8'] as const)
      : []
  return [...new Set([...first, ...usual])].map((type) => pgTypes[type].oid)
}
