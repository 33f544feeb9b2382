// Compiled templates: source text to a JavaScript function, kept by content, run against a context.
//
// Compiling costs a hundred times what running does, and a dbt project renders the same macros for every model, so
// the emitted function is cached by its text. The place of errors is not part of that function: it is bound per
// file, because two files may hold the same text.

import { Failure } from '../base/failure.ts'
import type { Statement } from './ast.ts'
import { emit, type EmitMode } from './emit.ts'
import { SourceMap, type Origin } from './errors.ts'
import { builtins } from './globals.ts'
import { normalise } from './lex.ts'
import { parse } from './parse.ts'
import { helpers, Rendering, type Globals } from './runtime.ts'
import { str, type Callable } from './values.ts'

/** Characters of one template; larger files are data, not templates. */
const sizeMax = 4_000_000
const cacheMax = 20_000

type Run = (rendering: Rendering, exported: Map<string, unknown>, marks: number[] | undefined) => unknown
type Factory = (helpersOf: typeof helpers, source: SourceMap) => Run

const factories = new Map<string, Factory>()

export type RenderOptions = {
  /** Undefined names may be called and asked for attributes, as dbt does while it parses a project. */
  lenient?: boolean
  /** Set by `renderNative`. */
  native?: boolean
}

/** A line of the output and where in the template it came from. */
export type LineMap = {
  /** Of a line's first character that is no space, or of a column in it; both count from 1. */
  place(line: number, column?: number): { line: number; column: number } | undefined
}

export class Template {
  readonly source: SourceMap
  #run: Run | undefined
  #native: Run | undefined
  #module: Run | undefined

  /** Compiles at once, unless only the macros of a file are wanted. */
  constructor(source: SourceMap, mode: 'text' | 'module') {
    this.source = source
    if (mode === 'text') this.#run = compiled(source, mode)
    else this.#module = compiled(source, mode)
  }

  get #text(): Run {
    return (this.#run ??= compiled(this.source, 'text'))
  }

  /** The rendered text. */
  render(globals: Globals, options?: RenderOptions): string {
    return this.#text(renderingOf(globals, options), new Map(), undefined) as string
  }

  /** The rendered text and the way back from its lines to the template's. */
  renderWithLines(globals: Globals, options?: RenderOptions): { text: string; lines: LineMap } {
    const marks: number[] = []
    const text = this.#text(renderingOf(globals, options), new Map(), marks) as string
    return { text, lines: lineMap(text, marks, this.source) }
  }

  /** Jinja's native types: a template that is one `{{ expression }}` answers its value, anything else text. */
  renderNative(globals: Globals, options?: RenderOptions): unknown {
    this.#native ??= compiled(this.source, 'native')
    const parts = this.#native(renderingOf(globals, { ...options, native: true }), new Map(), undefined) as unknown[]
    if (parts.length === 0) return ''
    return parts.length === 1 ? parts[0] : parts.map(str).join('')
  }

  /** Runs the template for the macros that its top level defines, which stay bound to these globals. */
  macros(rendering: Rendering): ReadonlyMap<string, Callable> {
    const exported = new Map<string, unknown>()
    this.#module ??= compiled(this.source, 'module')
    this.#module(rendering, exported, undefined)
    return exported as Map<string, Callable>
  }
}

export function renderingOf(globals: Globals, options: RenderOptions = {}): Rendering {
  const all: Globals = {
    get(name) {
      const value = globals.get(name)
      return value === undefined ? builtins.get(name) : value
    },
    ...(globals.random && { random: globals.random }),
  }
  return new Rendering(all, options)
}

/** Parses and compiles. TEMPLATE_INVALID with a place when the text is no template. */
export function compileTemplate(text: string, origin: Origin = {}): Template {
  return new Template(sourceOf(text, origin), 'text')
}

/** A file of macros: only `macros()` of it is wanted. */
export function compileMacros(text: string, origin: Origin = {}): Template {
  return new Template(sourceOf(text, origin), 'module')
}

export function parseTemplate(
  text: string,
  origin: Origin = {},
): { statements: readonly Statement[]; source: SourceMap } {
  const source = sourceOf(text, origin)
  return { statements: guarded(source, () => treeOf(source)), source }
}

let latest: { text: string; tree: readonly Statement[] } | undefined

/** Who looks at the tree of a template compiles it next, as often as not. A tree knows of places nothing but indices. */
function treeOf(source: SourceMap): readonly Statement[] {
  if (latest?.text !== source.text) latest = { text: source.text, tree: parse(source) }
  return latest.tree
}

function sourceOf(text: string, origin: Origin): SourceMap {
  if (text.length > sizeMax) {
    throw new Failure('TEMPLATE_INVALID', `a template of ${text.length} characters; at most ${sizeMax} are allowed`, {
      place: { ...(origin.file !== undefined && { file: origin.file }), line: 1, column: 1 },
    })
  }
  return new SourceMap(normalise(text), origin)
}

function compiled(source: SourceMap, mode: EmitMode): Run {
  const key = `${mode}\n${source.text}`
  let factory = factories.get(key)
  if (!factory) {
    factory = guarded(source, () => {
      const code = emit(treeOf(source), source, mode)
      // The code holds no name and no text of the template except inside JSON strings (see emit.ts).
      return new Function('H', 'T', code) as Factory
    })
    if (factories.size >= cacheMax) factories.delete(factories.keys().next().value!)
    factories.set(key, factory)
  }
  return factory(helpers, source)
}

function guarded<Value>(source: SourceMap, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    if (error instanceof RangeError) throw source.invalid('the template is nested too deeply', 0)
    throw error
  }
}

function lineMap(text: string, marks: readonly number[], source: SourceMap): LineMap {
  let starts: number[] | undefined
  return {
    place(line, column) {
      starts ??= [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)]
      const start = starts[line - 1]
      if (start === undefined) return undefined
      const end = (starts[line] ?? text.length + 1) - 1
      const inLine = column === undefined ? /^\s*/.exec(text.slice(start, end))![0].length : column - 1
      const offset = Math.min(start + inLine, Math.max(start, end - 1))
      let [low, high] = [0, marks.length / 3 - 1]
      if (high < 0 || marks[0]! > offset) return undefined
      while (low < high) {
        const middle = (low + high + 1) >> 1
        if (marks[middle * 3]! <= offset) low = middle
        else high = middle - 1
      }
      const [at, from, isText] = marks.slice(low * 3, low * 3 + 3) as [number, number, number]
      const found = source.place(isText ? from + offset - at : from)
      return { line: found.line!, column: found.column! }
    },
  }
}
