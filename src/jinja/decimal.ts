// Python's arithmetic of decimals, as its `decimal` module has it unless told otherwise: exact, then rounded half to even
// to 28 digits. What is exact keeps the digits that it is made of: `1.50 * 2` is `3.00`.

import { Decimal, float, isInt, PyError, reprFloat } from './values.ts'

/** `coefficient` times ten to the power of `exponent`. */
type Parts = { coefficient: bigint; exponent: number }

const digitsMax = 28
/** Powers beyond are worked out as floats. */
const powerMax = 1000

const ten = (power: number): bigint => 10n ** BigInt(power)
const size = (value: bigint): bigint => (value < 0n ? -value : value)
const digitsOf = (value: bigint): number => String(size(value)).length

/** `left operator right` where one of the two is a decimal; undefined where the other is neither that nor an int. */
export function decimalResult(operator: string, left: unknown, right: unknown): Decimal | undefined {
  const [a, b] = [partsOf(left), partsOf(right)]
  if (!a || !b) return undefined
  const result = operate(operator, a, b)
  return result && new Decimal(textOf(rounded(result)))
}

/** The decimal that a float is written as; what is no number stays a float. */
export const decimalOf = (value: number): unknown =>
  Number.isFinite(value) ? new Decimal(textOf(parse(reprFloat(value)))) : float(value)

export const negated = (value: Decimal): Decimal => {
  const { coefficient, exponent } = parse(value.text)
  return new Decimal(textOf(rounded({ coefficient: -coefficient, exponent })))
}

/** `round(value, digits)`. */
export function roundedTo(value: Decimal, digits: number): Decimal {
  const parts = parse(value.text)
  const more = parts.exponent + digits
  if (more >= 0) return new Decimal(textOf({ coefficient: parts.coefficient * ten(more), exponent: -digits }))
  return new Decimal(textOf({ coefficient: halfEven(parts.coefficient, ten(-more)), exponent: -digits }))
}

function operate(operator: string, a: Parts, b: Parts): Parts | undefined {
  const exponent = Math.min(a.exponent, b.exponent)
  const [left, right] = [a, b].map((each) => each.coefficient * ten(each.exponent - exponent)) as [bigint, bigint]
  switch (operator) {
    case '+':
      return { coefficient: left + right, exponent }
    case '-':
      return { coefficient: left - right, exponent }
    case '*':
      return { coefficient: a.coefficient * b.coefficient, exponent: a.exponent + b.exponent }
    case '/':
      return quotient(a, b)
    case '//':
      return { coefficient: left / nonZero(right), exponent: 0 }
    case '%':
      return { coefficient: left % nonZero(right), exponent }
    default:
      return power(a, b)
  }
}

/** As many digits as there may be, and one more to round by; of an exact one those that it needs. */
function quotient(a: Parts, b: Parts): Parts {
  const wanted = a.exponent - b.exponent
  const shift = Math.max(0, digitsOf(b.coefficient) - digitsOf(a.coefficient) + digitsMax + 1)
  const [dividend, divisor] = [a.coefficient * ten(shift), nonZero(b.coefficient)]
  let [coefficient, exponent] = [dividend / divisor, wanted - shift]
  if (dividend % divisor !== 0n) {
    // What is cut off makes no half of what is more than a half.
    if (coefficient % 5n === 0n) coefficient += coefficient < 0n || divisor < 0n !== dividend < 0n ? -1n : 1n
  } else {
    for (; exponent < wanted && coefficient % 10n === 0n; exponent++) coefficient /= 10n
  }
  return { coefficient, exponent }
}

function power(a: Parts, b: Parts): Parts | undefined {
  const times = b.exponent === 0 ? Number(b.coefficient) : -1
  if (times < 0 || times > powerMax) return undefined
  return { coefficient: a.coefficient ** BigInt(times), exponent: a.exponent * times }
}

function nonZero(value: bigint): bigint {
  if (value === 0n) throw new PyError('DivisionByZero', "[<class 'decimal.DivisionByZero'>]")
  return value
}

function rounded({ coefficient, exponent }: Parts): Parts {
  const over = digitsOf(coefficient) - digitsMax
  if (over <= 0) return { coefficient, exponent }
  return rounded({ coefficient: halfEven(coefficient, ten(over)), exponent: exponent + over })
}

function halfEven(value: bigint, unit: bigint): bigint {
  const [whole, twice] = [value / unit, size(value % unit) * 2n]
  const isUp = twice > unit || (twice === unit && whole % 2n !== 0n)
  return isUp ? whole + (value < 0n ? -1n : 1n) : whole
}

function partsOf(value: unknown): Parts | undefined {
  if (value instanceof Decimal) return parse(value.text)
  if (typeof value === 'boolean') return { coefficient: value ? 1n : 0n, exponent: 0 }
  if (typeof value === 'bigint') return { coefficient: value, exponent: 0 }
  return isInt(value) ? { coefficient: BigInt(value), exponent: 0 } : undefined
}

function parse(text: string): Parts {
  const [digits, exponent = '0'] = text.toLowerCase().split('e') as [string, string?]
  const [whole, fraction = ''] = digits.split('.') as [string, string?]
  return { coefficient: BigInt(`${whole}${fraction}`), exponent: Number(exponent) - fraction.length }
}

/** `str(decimal)`. */
function textOf({ coefficient, exponent }: Parts): string {
  const [sign, digits] = [coefficient < 0n ? '-' : '', String(size(coefficient))]
  const power = exponent + digits.length - 1
  if (exponent === 0) return sign + digits
  if (exponent < 0 && power >= -6) {
    const padded = digits.padStart(1 - exponent, '0')
    return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`
  }
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : ''
  return `${sign}${digits[0]}${fraction}E${power < 0 ? '-' : '+'}${Math.abs(power)}`
}
