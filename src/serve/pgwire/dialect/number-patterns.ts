// PostgreSQL's patterns of numbers (`FM999G999D00`, `S0999`, `$9,999.99`) as SQL over a number.

import { quoteText } from '../../../lake/index.ts'
import { around, type Around } from './around.ts'

/** What a pattern says, with the digits before the point as `9` in `whole`, separators among them. */
type Pattern = {
  before: string
  whole: string
  /** Digits before the point, and the first of them that is always there. */
  digits: number
  zero: number
  /** Digits behind the point, and how many of them are always there. */
  decimals: number
  kept: number
  /** FM: nothing is filled up with blanks. */
  bare: boolean
  sign: '' | 'S' | '>S' | 'MI' | 'PR'
  after: string
}

const shape = /^((?:"[^"]*"|[^0-9.,a-z"])*)(S)?([09.,GD]+)(S|MI|PR)?((?:"[^"]*"|[^0-9.,a-z"])*)$/i

/** Patterns of dates have no digits. */
export const isNumberPattern = (pattern: string): boolean => /[09]/.test(pattern.replace(/"[^"]*"/g, ''))

/** Undefined for a pattern with more than digits, separators, one sign and texts around them: exponents, Roman numbers, `TH`. */
export function numberPattern(pattern: string): Pattern | undefined {
  const bare = /^FM/i.test(pattern)
  const [, before, signBefore, number, signBehind, after] = shape.exec(bare ? pattern.slice(2) : pattern) ?? []
  if (number === undefined || (signBefore && signBehind)) return undefined
  const [whole, decimals = '', ...more] = number.toUpperCase().replaceAll('G', ',').replaceAll('D', '.').split('.')
  if (more.length > 0 || decimals.includes(',') || !/[09]/.test(whole!)) return undefined
  const digits = whole!.replaceAll(',', '')
  const first = digits.indexOf('0')
  const behind = signBehind?.toUpperCase()
  return {
    before: unquoted(before!),
    whole: whole!.replaceAll('0', '9'),
    digits: digits.length,
    zero: first < 0 ? digits.length : first,
    decimals: decimals.length,
    kept: decimals.lastIndexOf('0') + 1,
    bare,
    sign: signBefore ? 'S' : behind === 'S' ? '>S' : ((behind ?? '') as Pattern['sign']),
    after: unquoted(after!),
  }
}

const unquoted = (text: string) => text.replaceAll('"', '')

/** SQL of the text of a number, which stands before `before` and behind `after` of it. */
export function numberText(pattern: Pattern): Around {
  const { whole, digits, zero, decimals, kept, bare, sign } = pattern
  const isInFront = sign === '' || sign === 'S' || sign === 'PR'
  const width = bare ? 0 : whole.length + (decimals > 0 ? 1 + decimals : 0) + Number(isInFront)
  const blank = bare ? '' : ' '
  // In front and behind, of a number below zero and of others.
  const signs = {
    '': ['-', '', '', ''],
    S: ['-', '+', '', ''],
    '>S': ['', '', '-', '+'],
    MI: ['', '', '-', blank],
    PR: ['<', '', '>', blank],
  }[sign]
  // Halves of DOUBLE are rounded to the even digit there, those of decimals up.
  const rounded = `CASE typeof(bh_v) WHEN 'DOUBLE' THEN printf('%.${decimals}f', abs(bh_v)::DOUBLE) ELSE CAST(abs(bh_v) AS DECIMAL(38, ${decimals}))::VARCHAR END`
  const given = `${rounded}, bh_v < 0`
  const told = [quoteText(whole), digits, zero, kept, bare, width, `[${signs.map(quoteText).join(', ')}]`].join(', ')
  const front = pattern.before && `${quoteText(pattern.before)} || `
  const back = pattern.after && ` || ${quoteText(pattern.after)}`
  return around(`${front}pg_number_text(${given}, ${told})${back}`)
}
