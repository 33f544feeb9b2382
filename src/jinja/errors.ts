// Where in which file: every error of a template carries it, whether it is found while parsing or while rendering.

import { Failure, type Place } from '../base/failure.ts'

/** Where a template's text begins in the user's file: a macro is compiled from the middle of one. */
export type Origin = { file?: string | undefined; line?: number; column?: number }

/** The text of a template and the way from an offset in it to a line and a column. */
export class SourceMap {
  readonly text: string
  readonly origin: Origin
  #lineStarts: number[] | undefined
  constructor(text: string, origin: Origin = {}) {
    this.text = text
    this.origin = origin
  }
  place(offset: number): Place {
    this.#lineStarts ??= lineStartsOf(this.text)
    let [low, high] = [0, this.#lineStarts.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#lineStarts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    const column = offset - this.#lineStarts[low]! + 1
    const { file, line = 1, column: columnFirst = 1 } = this.origin
    const place = { line: line + low, column: low === 0 ? columnFirst - 1 + column : column }
    return file === undefined ? place : { file, ...place }
  }
  invalid(message: string, offset: number): Failure {
    return new Failure('TEMPLATE_INVALID', message, { place: this.place(offset) })
  }
}

function lineStartsOf(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** One call on the way to an error, innermost first. */
export type Frame = { macro: string; place: Place }
