// The blocks of a dbt file: `{% macro %}`, `{% test %}`, `{% materialization %}`, `{% snapshot %}`, `{% docs %}`.
//
// dbt cuts a macro file into its blocks and compiles each one for itself: text and `set`s between them do not
// count, and one broken macro does not hide the others. The text of a `docs` block is prose and may hold anything.

import { Failure } from '../base/failure.ts'
import { parseTemplate } from './template.ts'
import { tracesOf, type Traces } from './analyse.ts'
import type { BlockKind } from './ast.ts'
import { SourceMap, type Origin } from './errors.ts'

export type BlockName = BlockKind | 'data_test' | 'docs'

export type Block = {
  kind: BlockName
  /** What stands after the kind: `name(a, b)` or `name, adapter='duckdb'`. */
  header: string
  name: string
  /** The whole block with its tags. */
  text: string
  /** What stands between its tags. */
  body: string
  origin: Origin
}

const tag =
  /\{#[^]*?(?:#\}|$)|\{%[-+]?\s*raw\s*-?%\}[^]*?\{%[-+]?\s*endraw\s*[-+]?%\}|\{\{(?:'(?:\\[^]|[^'\\])*'|"(?:\\[^]|[^"\\])*"|[^'"])*?\}\}|\{%[-+]?\s*(\w+)((?:'(?:\\[^]|[^'\\])*'|"(?:\\[^]|[^"\\])*"|[^'"])*?)[-+]?%\}/g
const opening = /\{%[-+]?\s*(\w+)((?:'(?:\\[^]|[^'\\])*'|"(?:\\[^]|[^"\\])*"|[^'"])*?)[-+]?%\}/g

/** The top-level blocks of these kinds, in order. TEMPLATE_INVALID when one is never closed. */
export function findBlocks(text: string, file: string | undefined, kinds: readonly BlockName[]): Block[] {
  const normal = text.replace(/\r\n|\r/g, '\n')
  // What is kept of a file has its own ends of lines, where all of them are alike.
  const isOfWindows = text.includes('\r') && !/(?<!\r)\n|\r(?!\n)/.test(text)
  const kept = (part: string) => (isOfWindows ? part.replaceAll('\n', '\r\n') : part)
  const source = new SourceMap(normal, { file })
  const blocks: Block[] = []
  let at = 0
  for (;;) {
    tag.lastIndex = at
    const match = tag.exec(normal)
    if (!match) return blocks
    const [whole, kind, header = ''] = match
    at = match.index + whole.length
    if (!kind || !kinds.includes(kind as BlockName)) continue
    const end = endOf(normal, kind, at, source, match.index)
    const name = /^\s*([\p{L}_][\p{L}\p{Nd}_]*)/u.exec(header)?.[1]
    if (!name) throw source.invalid(`{% ${kind} %} needs a name`, match.index)
    const { line, column } = source.place(match.index)
    blocks.push({
      kind: kind as BlockName,
      header: header.trim(),
      name,
      text: kept(normal.slice(match.index, end.to)),
      body: kept(normal.slice(at, end.from)),
      origin: { file, line: line!, column: column! },
    })
    at = end.to
  }
}

function endOf(
  text: string,
  kind: string,
  from: number,
  source: SourceMap,
  start: number,
): { from: number; to: number } {
  const pattern = kind === 'docs' ? opening : tag
  let depth = 1
  let at = from
  for (;;) {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (!match) throw source.invalid(`this {% ${kind} %} is never closed: {% end${kind} %} is missing`, start)
    at = match.index + match[0].length
    if (match[1] === kind && kind !== 'docs') depth++
    else if (match[1] === `end${kind}` && --depth === 0) return { from: match.index, to: at }
  }
}

/** A block compiled as the macro it is: its callable name, its parameters, and its source for `compileTemplate`. */
export type MacroBlock = Block & {
  macroName: string
  /** Their names. */
  parameters: readonly string[]
  traces: Traces
}

/** All macros of a file, and the failures of those that are broken. */
export function findMacros(text: string, file: string | undefined): { macros: MacroBlock[]; failures: Failure[] } {
  const macros: MacroBlock[] = []
  const failures: Failure[] = []
  const attempt = (work: () => void) => {
    try {
      work()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      failures.push(error)
    }
  }
  attempt(() => {
    for (const block of findBlocks(text, file, ['macro', 'test', 'data_test', 'materialization'])) {
      attempt(() => {
        const { statements } = parseTemplate(block.text, block.origin)
        const [macro] = statements
        if (macro?.kind !== 'macro') return
        macros.push({
          ...block,
          macroName: macro.name,
          parameters: macro.parameters.map(({ name }) => name),
          traces: tracesOf(statements),
        })
      })
    }
  })
  return { macros, failures }
}
