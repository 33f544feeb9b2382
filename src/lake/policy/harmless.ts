// Whether anything that a statement computes of rows can fail: then the order in which conditions are checked tells nothing, and
// nothing need stand between those of a view and those of whoever reads it. Read off the optimiser's plan, in which every cast
// stands that was not written. What is not on these lists may fail.
//
// Nor may it need memory as whoever asks wants it: texts that are long where a hidden row is so and so end the query, or not.

type Json = { [key: string]: unknown }

const harmless: ReadonlySet<string> = new Set([
  'BOUND_REF',
  'BOUND_COLUMN_REF',
  'BOUND_CONSTANT',
  'BOUND_COMPARISON',
  'BOUND_CONJUNCTION',
  'BOUND_BETWEEN',
  'BOUND_CASE',
])
const operators: ReadonlySet<string> = new Set([
  'OPERATOR_NOT',
  'OPERATOR_IS_NULL',
  'OPERATOR_IS_NOT_NULL',
  'OPERATOR_COALESCE',
  'COMPARE_IN',
  'COMPARE_NOT_IN',
])
const aggregates: ReadonlySet<string> = new Set([
  'count',
  'count_star',
  'sum',
  'avg',
  'min',
  'max',
  'first',
  'any_value',
])
const functions: ReadonlySet<string> = new Set(
  '~~ !~~ ~~* !~~* prefix suffix contains starts_with ends_with lower upper length || year quarter month day'.split(
    ' ',
  ),
)
/** Each holds all values of those before it. */
const widening = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'DOUBLE']

/** How long a text of the statement may be, and how many times texts may be put together. */
const [letters, joins] = [256, 8]

/** `plan`: as `json_serialize_plan` gives it, over tables. */
export function cannotFail(plan: unknown): boolean {
  let joined = 0
  const isSound = (part: unknown): boolean => {
    if (typeof part === 'string') return part.length <= letters
    if (part === null || typeof part !== 'object') return true
    if (!Array.isArray(part)) {
      if (!isHarmless(part as Json)) return false
      if ((part as Json).name === '||' && ++joined > joins) return false
    }
    // What an expression is called says it once more.
    return Object.entries(part).every(([key, one]) => key === 'alias' || isSound(one))
  }
  return isSound(plan)
}

function isHarmless(node: Json): boolean {
  const { type, expression_class: kind, name } = node
  // A query for a value fails where it has two rows.
  if (node.join_type === 'SINGLE') return false
  // Functions that give rows can fail.
  if (type === 'LOGICAL_GET') return (node.function_data as Json | undefined)?.table !== undefined
  switch (kind) {
    case undefined:
      return true
    case 'BOUND_OPERATOR':
      return operators.has(String(type))
    case 'BOUND_AGGREGATE':
      return aggregates.has(String(name))
    case 'BOUND_FUNCTION':
      return functions.has(String(name))
    case 'BOUND_CAST':
      return node.try_cast === true || isWidening(typeOf(node.child), typeOf(node))
    default:
      return harmless.has(String(kind))
  }
}

const typeOf = (expression: unknown): string => String(((expression as Json).return_type as Json | undefined)?.id)

const isWidening = (from: string, to: string): boolean =>
  widening.includes(from) && widening.indexOf(from) < widening.indexOf(to)
