// A regular expression of Python as one of JavaScript.
//
// The two differ where they look the same: `$` also stands before a last line break, `.` stops only at `\n`, `\w` and
// `\d` know all scripts, a brace may be plain text. So the pattern is read token by token and written anew.

import { PyError } from '../../../jinja/index.ts'

export const flag = { IGNORECASE: 2, MULTILINE: 8, DOTALL: 16, VERBOSE: 64, ASCII: 256 } as const
const letters: Readonly<Record<string, number>> = { i: 2, L: 0, m: 8, s: 16, u: 0, x: 64, a: 256 }

const inlineFlags = /\(\?([aiLmsux]+)\)/y
const start = '(?<![^])'
const end = '(?![^])'
const unicodeWord = String.raw`\p{L}\p{N}_`

/** @throws PyError `error`, as `re.compile` does; also for what JavaScript has no like of */
export function translate(pattern: string, flags: number): { source: string; flags: string } {
  return new Translator(pattern, flags).run()
}

class Translator {
  readonly #text: string
  #flags: number
  #at = 0
  #isCaseless: boolean
  constructor(text: string, flags: number) {
    this.#text = text
    this.#flags = flags
    this.#isCaseless = false
  }

  run(): { source: string; flags: string } {
    // Python takes flags for the whole pattern only in front of everything else.
    for (let inline = this.#take(inlineFlags); inline; inline = this.#take(inlineFlags))
      for (const letter of inline[1]!) this.#flags |= letters[letter]!
    this.#isCaseless = this.#has('IGNORECASE')
    let source = ''
    const outer: number[] = []
    while (this.#at < this.#text.length) {
      if (this.#text[this.#at] === '(') {
        const opened = this.#open()
        source += opened
        if (opened !== '') outer.push(this.#flags)
        if (opened !== '') this.#flags = this.#inside
      } else if (this.#text[this.#at] === ')') {
        if (outer.length === 0) throw this.#wrong('unbalanced parenthesis')
        this.#flags = outer.pop()!
        this.#at++
        source += ')'
      } else source += this.#one()
    }
    if (outer.length > 0) throw this.#wrong('missing ), unterminated subpattern')
    return { source, flags: this.#isCaseless ? 'iu' : 'u' }
  }

  #has(name: keyof typeof flag): boolean {
    return (this.#flags & flag[name]) !== 0
  }
  #wrong(message: string): PyError {
    return new PyError('error', `${message} at position ${this.#at}`)
  }
  #take(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.#at
    const match = expression.exec(this.#text)
    if (match) this.#at += match[0].length
    return match ?? undefined
  }

  /** The flags that hold inside the group that `#open` has just read. */
  #inside = 0

  /** What stands for an opening bracket; nothing for a comment. */
  #open(): string {
    this.#inside = this.#flags
    if (this.#take(/\(\?#[^)]*\)/y)) return ''
    const reference = this.#take(/\(\?P=(\w+)(?=\))/y)
    if (reference) return `(?:\\k<${reference[1]}>`
    const named = this.#take(/\(\?P<([^>]*)>/y)
    if (named) {
      if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(named[1]!)) throw this.#wrong(`bad character in group name '${named[1]}'`)
      return `(?<${named[1]}>`
    }
    const plain = this.#take(/\(\?(?::|=|!|<=|<!)/y)
    if (plain) return plain[0]
    const scoped = this.#take(/\(\?([aiLmsux]*)(?:-([imsx]+))?:/y)
    if (scoped) {
      for (const letter of scoped[1]!) this.#inside |= letters[letter]!
      for (const letter of scoped[2] ?? '') this.#inside &= ~letters[letter]!
      // The other flags are written out below; only this one needs JavaScript's help.
      const [on, off] = [scoped[1]!.includes('i') ? 'i' : '', scoped[2]?.includes('i') ? '-i' : '']
      return `(?${on}${off}:`
    }
    if (this.#text.startsWith('(?', this.#at))
      throw this.#wrong(`unknown extension ${this.#text.slice(this.#at, this.#at + 3)}`)
    this.#at++
    return '('
  }

  #one(): string {
    if (this.#has('VERBOSE') && this.#take(/\s+|#[^\n]*/y)) return ''
    const char = String.fromCodePoint(this.#text.codePointAt(this.#at)!)
    switch (char) {
      case '\\':
        return this.#escape(false)
      case '[':
        return this.#set()
      case '.':
        this.#at++
        return this.#has('DOTALL') ? '[^]' : String.raw`[^\n]`
      case '^':
        this.#at++
        return this.#has('MULTILINE') ? String.raw`(?<![^\n])` : start
      case '$':
        this.#at++
        return this.#has('MULTILINE') ? String.raw`(?![^\n])` : String.raw`(?=\n?${end})`
      case '*':
      case '+':
      case '?':
        return this.#repeat(char)
      case '{': {
        const counted = this.#take(/\{(\d*)(,?)(\d*)\}/y)
        if (!counted || (counted[1] === '' && counted[2] === '')) {
          if (!counted) this.#at++
          return counted ? String.raw`\{\}` : String.raw`\{`
        }
        this.#at -= counted[0].length
        return this.#repeat(counted[0], `{${counted[1] || '0'}${counted[2]}${counted[3]}}`)
      }
      default:
        this.#at += char.length
        return literal(char)
    }
  }

  #repeat(text: string, written = text): string {
    this.#at += text.length
    if (this.#text[this.#at] === '+') throw this.#wrong('possessive repeats are not supported')
    if (this.#text[this.#at] !== '?') return written
    this.#at++
    return `${written}?`
  }

  /** `\d`, `\.`, `\x41`, `\1`. */
  #escape(inSet: boolean): string {
    const escaped = this.#take(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|0[0-7]{0,2}|[1-9]\d?|[^])/y)
    if (!escaped) throw this.#wrong('bad escape (end of pattern)')
    const what = escaped[1]!
    const isAscii = this.#has('ASCII')
    const word = isAscii ? 'a-zA-Z0-9_' : unicodeWord
    if (/^[xuU]/.test(what) && what.length > 1) return point(Number.parseInt(what.slice(1), 16))
    if (what.startsWith('0')) return point(Number.parseInt(what, 8))
    if (/^[1-9]/.test(what)) {
      if (inSet) throw this.#wrong(`bad escape \\${what}`)
      return `(?:\\${what})`
    }
    switch (what) {
      case 'd':
        return isAscii ? '0-9'.replace(/.*/, (all) => (inSet ? all : `[${all}]`)) : String.raw`\p{Nd}`
      case 'D':
        return isAscii ? String.raw`\D` : String.raw`\P{Nd}`
      case 'w':
        return inSet ? word : `[${word}]`
      case 'W':
        if (inSet && !isAscii) throw this.#wrong(String.raw`\W inside a set is not supported`)
        return inSet ? String.raw`\W` : `[^${word}]`
      case 's':
      case 'S':
        return `\\${what}`
      case 'b':
        return inSet ? String.raw`\x08` : `(?:(?<=[${word}])(?![${word}])|(?<![${word}])(?=[${word}]))`
      case 'B':
        return `(?:(?<=[${word}])(?=[${word}])|(?<![${word}])(?![${word}]))`
      case 'A':
        return start
      case 'Z':
        return end
      case 'a':
        return String.raw`\x07`
      case 'f':
      case 'n':
      case 'r':
      case 't':
      case 'v':
        return `\\${what}`
      default:
        if (/[a-zA-Z]/.test(what)) throw this.#wrong(`bad escape \\${what}`)
        return literal(what)
    }
  }

  #set(): string {
    const from = this.#at
    this.#at++
    let written = this.#take(/\^/y) ? '[^' : '['
    for (let isFirst = true; ; isFirst = false) {
      const char = this.#text[this.#at]
      if (char === undefined) {
        this.#at = from
        throw this.#wrong('unterminated character set')
      }
      if (char === ']' && !isFirst) break
      written += this.#member()
    }
    this.#at++
    // JavaScript has no negation of nothing and nothing else to say for it.
    return `${written}]`
  }

  /** A character, a class, or a range of a set. */
  #member(): string {
    const [isClass, from] = this.#character()
    if (isClass || !/^-[^\]]/.test(this.#text.slice(this.#at, this.#at + 2))) return from
    this.#at++
    const [isAlsoClass, to] = this.#character()
    if (isAlsoClass) throw this.#wrong('bad character range')
    return `${from}-${to}`
  }

  #character(): [isClass: boolean, written: string] {
    if (this.#text[this.#at] === '\\') {
      const isClass = /^\\[dDwWsS]/.test(this.#text.slice(this.#at, this.#at + 2))
      return [isClass, this.#escape(true)]
    }
    const char = String.fromCodePoint(this.#text.codePointAt(this.#at)!)
    this.#at += char.length
    return [false, literal(char)]
  }
}

const literal = (char: string): string =>
  /[\^$\\.*+?()[\]{}|/-]/.test(char) ? (char === '|' ? char : escaped(char)) : char
const escaped = (char: string): string => (char === '-' ? String.raw`\x2d` : `\\${char}`)
const point = (code: number): string => {
  if (code > 0x10_ff_ff) throw new PyError('error', 'bad escape: no such character')
  return `\\u{${code.toString(16)}}`
}
