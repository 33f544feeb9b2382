// YAML text of a user → a typed value that still knows where each of its parts stood.
//
// The text is parsed once into a document with positions; zod looks at the plain value; whatever zod (or a later room)
// finds wrong is a path, and a path is looked up in the document. So every mistake has file, line and column, and
// all mistakes of a file are reported together.

import {
  Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  Scalar,
  type Document,
  type Node,
  type ParseOptions,
  type ScalarTag,
  type Tags,
  type ToJSOptions,
} from 'yaml'
import type { z } from 'zod'
import { Failure, Failures, type FailureCode, type Place } from '../base/failure.ts'
import { Float } from '../jinja/index.ts'
import { describeIssue, type Described } from './issues.ts'
import { deepenFlows } from './yaml-flow.ts'
import { readOrdinaryYaml, type Outline, type Spot } from './yaml-ordinary.ts'

export type { Outline }

export type Path = readonly PropertyKey[]

/** A value read from a file, with the way back from its parts to their places. */
export type Located<Value> = {
  readonly value: Value
  /** Relative to the project folder, with forward slashes. */
  readonly file: string
  /** Where the part at `path` stands; of a missing part, where its nearest existing parent stands. */
  at(path: Path, what?: 'key' | 'value'): Place
  /** Where a position inside a text stands: `inner` counts from 1 in the text at `path`, as SQL errors do. */
  within(path: Path, inner: Place | undefined): Place
}

export type YamlOptions = {
  /** The code of the failures; PROJECT_INVALID when absent. */
  code?: FailureCode
  /** YAML 1.1, as dbt reads it (`yes` is true), or 1.2 (the default). */
  version?: '1.1' | '1.2'
  /** Keys that stand twice in a mapping are told instead of refused; the last one counts, as for PyYAML. */
  onDuplicateKey?: (place: Place) => void
  /** Further kinds of scalars, for 1.1. */
  tags?: readonly ScalarTag[]
  /** Told where everything stands. */
  onOutline?: (outline: Outline) => void
}

/**
 * Parses YAML `text` of `file` with a schema. An empty file is an empty mapping.
 * @throws Failures with one failure for each mistake, of syntax first, else of the schema
 */
export function parseYaml<Schema extends z.ZodType>(
  file: string,
  text: string,
  schema: Schema,
  options: YamlOptions = {},
): Located<z.output<Schema>> {
  const ordinary = readOrdinaryYaml(text, {
    scalar: scalarsOf(options.version, options.tags),
    looseBrackets: options.version === '1.1',
  })
  const parsed = ordinary && schema.safeParse(ordinary.value)
  // The library has more to say of a mistake, and of a place inside a text.
  if (!parsed?.success) return parseWholeYaml(file, text, schema, options)
  const { outline } = ordinary!
  options.onOutline?.(outline)
  return {
    value: parsed.data,
    file,
    at: (path, what) => placeIn(outline, file, path, what),
    within: (path, inner) => parseWholeYaml(file, text, schema, options).within(path, inner),
  }
}

/** The same with the library alone, whatever the text is. */
export function parseWholeYaml<Schema extends z.ZodType>(
  file: string,
  text: string,
  schema: Schema,
  { code = 'PROJECT_INVALID', version = '1.2', tags, onDuplicateKey, onOutline }: YamlOptions = {},
): Located<z.output<Schema>> {
  const { document, lines, by } = documentOf(text, version, tags)
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(1, line), column: Math.max(1, col - (by?.[line - 1] ?? 0)) }
  }
  const isDuplicate = ({ code: kind }: { code: string }) => onDuplicateKey !== undefined && kind === 'DUPLICATE_KEY'
  for (const { pos } of document.errors.filter(isDuplicate)) onDuplicateKey?.(placeOf(pos[0]))
  const broken = [...document.errors.filter((error) => !isDuplicate(error)), ...document.warnings]
  if (broken.length > 0)
    throw new Failures(broken.map(({ message, pos }) => new Failure(code, message, { place: placeOf(pos[0]) })))

  if (!text.endsWith('\n')) endAsWritten(document.contents, document.range[2])
  const input: unknown = toPlain(document, file, code) ?? {}
  const at: Located<unknown>['at'] = (path, what = 'value') => placeOf(offsetOf(document, path, what))
  const within: Located<unknown>['within'] = (path, inner) => {
    const node = nodeAt(document, path).value
    if (!inner?.line || !isScalar(node) || !node.range) return at(path)
    return insideScalar(node, text, inner, placeOf(node.range[0]))
  }
  const toFailure = ({ message, path, what, suggestions, inner }: Described): Failure => {
    const place = inner ? within(path, inner) : at(path, what)
    return new Failure(code, message, suggestions.length > 0 ? { place, suggestions } : { place })
  }

  const parsed = schema.safeParse(input)
  if (!parsed.success) {
    const described = parsed.error.issues.flatMap((issue) => describeIssue(issue, schema, input))
    throw new Failures(described.map(toFailure).sort(byPlace))
  }
  const outline = onOutline && spotOf(document, placeOf)
  if (outline !== undefined) onOutline?.(outline)
  return { value: parsed.data, file, at, within }
}

/** What a text without quotes is, by the library: each text is asked for once. */
function scalarsOf(version: '1.1' | '1.2' = '1.2', tags: readonly ScalarTag[] = []): (text: string) => unknown {
  const kind = version + tags.map(({ tag }) => tag).join()
  const known = knownScalars.get(kind) ?? new Map<string, unknown>()
  if (known.size > scalarsMax) known.clear()
  knownScalars.set(kind, known)
  return (text) => {
    if (!mayBeNoText.test(text) || text.includes('\n')) return text
    if (known.has(text)) return known.get(text)
    const { document } = documentOf(`- ${text}`, version, tags)
    const value = (document.toJS() as unknown[])[0]
    known.set(text, value)
    return value
  }
}

/** Numbers, dates, and the words of both versions. */
const mayBeNoText = /^(?:[-+.~<\d]|(?:null|true|false|yes|no|on|off|[yn])$|$)/i
const scalarsMax = 10_000
const knownScalars = new Map<string, Map<string, unknown>>()

type Parsed = { document: Document.Parsed; lines: LineCounter; by?: readonly number[] }

/**
 * YAML of dbt as PyYAML reads it: mappings are Maps in the order in which they are written, whose keys may be numbers; `tags`
 * are those of further scalars. @throws Failures, one for each mistake of syntax
 */
export function parsePythonYaml(file: string, text: string, tags: readonly ScalarTag[]): unknown {
  const { document, lines } = documentOf(text, '1.1', tags, false)
  const broken = document.errors.filter(({ code }) => code !== 'DUPLICATE_KEY')
  if (broken.length > 0)
    throw new Failures(
      broken.map(({ message, pos }) => {
        const { line, col } = lines.linePos(pos[0])
        return new Failure('PROJECT_INVALID', message, { place: { file, line, column: col } })
      }),
    )
  if (!text.endsWith('\n')) endAsWritten(document.contents, document.range[2])
  return toPlain(document, file, 'PROJECT_INVALID', { mapAsMap: true })
}

/** `by`: how far lines were moved so that brackets could be read that PyYAML reads. */
function documentOf(text: string, version: '1.1' | '1.2', more: readonly ScalarTag[] = [], stringKeys = true): Parsed {
  const parse = (written: string): Parsed => {
    const lines = new LineCounter()
    const options = { lineCounter: lines, prettyErrors: false, merge: true, stringKeys, version } as const
    const customTags = (tags: Tags): Tags => [...more, ...pythonTags(tags)]
    const document = parseDocument(written, version === '1.1' ? { ...options, customTags } : options)
    return { document, lines }
  }
  const parsed = parse(text)
  const isShallow = ({ code }: { code: string }) => code === 'BAD_INDENT' || code === 'MISSING_CHAR'
  if (version !== '1.1' || !parsed.document.errors.some(isShallow)) return parsed
  const deeper = deepenFlows(text)
  if (!deeper) return parsed
  const again = parse(deeper.text)
  // Keys that stand twice are told in the order of their own, and are no matter of indentation.
  const mistakes = ({ document }: Parsed) => document.errors.filter(({ code }) => code !== 'DUPLICATE_KEY').length
  return mistakes(again) < mistakes(parsed) ? { ...again, by: deeper.by } : parsed
}

/** Deeper ones are nobody's work. */
const outlineDepthMax = 100

/** Aliases of aliases may stand for more than any file has. */
const outlineSpotsMax = 100_000

/** Undefined for what is too deep or too large. */
function spotOf(document: Document, placeOf: (offset: number) => Place): Outline | undefined {
  let left = outlineSpotsMax
  const at = (of: Node): [number, number] => {
    const { line = 1, column = 1 } = placeOf(of.range?.[0] ?? 0)
    return [line, column]
  }
  const spot = (node: Node | null, depth: number): Outline | undefined => {
    if (node === null) return null
    if (depth > outlineDepthMax || --left < 0) return undefined
    // It stands where it is written, and what is in it where it comes from.
    if (isAlias(node)) {
      const found = spot(resolved(node, document), depth + 1)
      return found === undefined ? undefined : ([...at(node), ...(found?.slice(2) ?? [])] as Spot)
    }
    if (isSeq<Node>(node)) {
      const items = node.items.map((item) => spot(item, depth + 1))
      return items.includes(undefined) ? undefined : [...at(node), items as Outline[]]
    }
    if (!isMap<Node, Node | null>(node)) return at(node)
    const keys: NonNullable<Spot[3]> = []
    for (const { key, value } of node.items) {
      const found = spot(value ?? key, depth + 1)
      if (!isScalar(key) || !found) return undefined
      keys.push([String(key.value), ...at(key), found])
    }
    return [...at(node), [], keys]
  }
  return spot(document.contents as Node | null, 0)
}

/** What `Located.at` says of the document that the outline was made of. */
export function placeIn(outline: Outline, file: string, path: Path, what: 'key' | 'value' = 'value'): Place {
  let [value, key]: [Outline, [number, number] | undefined] = [outline, undefined]
  for (const step of path) {
    const pair = value?.[3]?.find(([name]) => name === String(step))
    const item = value?.[2]?.[Number(step)]
    if (pair) [key, value] = [[pair[1], pair[2]], pair[3]]
    else if (item) [key, value] = [undefined, item]
    else break
  }
  const [line, column] = (what === 'key' ? key : undefined) ?? value ?? [1, 1]
  return { file, line, column }
}

/** A block at the end of a file that has no last line break has none either (YAML 1.2.2, 8.1.1.2); the library gives it one. */
function endAsWritten(contents: unknown, end: number): void {
  let last = contents
  for (;;) {
    if (isMap<unknown, unknown>(last)) last = last.items.at(-1)?.value
    else if (isSeq(last)) last = last.items.at(-1)
    else break
  }
  // A comment may stand behind it.
  if (!isScalar(last) || typeof last.value !== 'string' || last.range?.[1] !== end) return
  if (last.type === Scalar.BLOCK_LITERAL || last.type === Scalar.BLOCK_FOLDED)
    last.value = last.value.replace(/\n$/, '')
}

/**
 * PyYAML's 1.1, which is dbt's: `y`, `n`, `08` and `1e3` are texts, `1.0` is a float, and an integer that a number
 * would round stays as it is written; so does a date, which is no value of JSON.
 */
export const pythonTags = (tags: Tags): Tags =>
  tags.flatMap((tag) => {
    if (typeof tag === 'string' || tag.collection) return tag
    const { test, resolve } = tag
    if (tag.tag === 'tag:yaml.org,2002:timestamp') return []
    if (tag.tag === 'tag:yaml.org,2002:bool' && test)
      return { ...tag, test: new RegExp(`^(?![yYnN]$)(?:${test.source})`, test.flags) }
    if (tag.tag === 'tag:yaml.org,2002:int' && test && resolve)
      return {
        ...tag,
        test: intersection(test, pythonInt),
        resolve: (text: string, onError: (message: string) => void, options: ParseOptions) => {
          const value = resolve(text, onError, options)
          return Number.isSafeInteger(value) ? value : text
        },
      }
    if (tag.tag === 'tag:yaml.org,2002:float' && test && resolve)
      return {
        ...tag,
        test: intersection(test, pythonFloat),
        resolve: (text: string, onError: (message: string) => void, options: ParseOptions) => {
          const number = Number(resolveNumber(resolve(text, onError, options)))
          return Number.isInteger(number) ? new Float(number) : number
        },
      }
    return tag
  })

const resolveNumber = (value: unknown): unknown => (isScalar(value) ? value.value : value)
/** A text has to be both. */
const intersection = (test: RegExp, python: RegExp): RegExp => new RegExp(`^(?=${python.source}$)${test.source}`)
const pythonInt =
  /(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)/
const pythonFloat =
  /(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))/

/** A value that was not read from a file, for tests and for definitions made by programs. */
export function unlocated<Value>(value: Value, file: string): Located<Value> {
  return { value, file, at: () => ({ file }), within: () => ({ file }) }
}

export const byPlace = (a: Failure, b: Failure): number =>
  (a.place?.file ?? '').localeCompare(b.place?.file ?? '') ||
  (a.place?.line ?? 0) - (b.place?.line ?? 0) ||
  (a.place?.column ?? 0) - (b.place?.column ?? 0)

function toPlain(document: Document, file: string, code: FailureCode, options?: ToJSOptions): unknown {
  try {
    return document.toJS({ maxAliasCount: 1_000, ...options })
  } catch (error) {
    throw new Failures([
      new Failure(code, error instanceof Error ? error.message : String(error), { place: { file }, cause: error }),
    ])
  }
}

function offsetOf(document: Document, path: Path, what: 'key' | 'value'): number {
  const found = nodeAt(document, path)
  const node = what === 'key' ? (found.key ?? found.value) : found.value
  return node?.range?.[0] ?? 0
}

/** The node at a path, or the deepest one that exists on the way to it. */
function nodeAt(document: Document, path: Path): { key: Node | null; value: Node | null } {
  let found: { key: Node | null; value: Node | null } = { key: null, value: document.contents as Node | null }
  for (const step of path) {
    const node = isAlias(found.value) ? resolved(found.value, document) : found.value
    if (isMap<Node, Node | null>(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
      if (!pair) return found
      found = { key: pair.key, value: pair.value ?? pair.key }
    } else if (isSeq<Node>(node)) {
      const item = node.items[Number(step)]
      if (!item) return found
      found = { key: null, value: item }
    } else return found
  }
  return found
}

const resolved = (alias: Alias, document: Document): Node | null =>
  (alias.resolve(document) as Node | undefined) ?? null

/** Exact for plain, quoted (without escapes) and literal block text; the start of the text for folded text. */
function insideScalar(node: Scalar, text: string, inner: Place, start: Place): Place {
  const line = inner.line ?? 1
  const column = inner.column ?? 1
  const startLine = start.line ?? 1
  switch (node.type) {
    case Scalar.BLOCK_LITERAL: {
      // The range starts at the `|`; the text starts on the next line, behind an indent that the value lacks.
      const found = text.split('\n')[startLine + line - 1] ?? ''
      const wanted = String(node.value).split('\n')[line - 1] ?? ''
      return {
        ...start,
        line: startLine + line,
        column: column + Math.max(0, found.trimEnd().length - wanted.trimEnd().length),
      }
    }
    case Scalar.QUOTE_DOUBLE:
    case Scalar.QUOTE_SINGLE:
      return line === 1 ? { ...start, column: (start.column ?? 1) + column } : start
    case Scalar.PLAIN:
      return line === 1 ? { ...start, column: (start.column ?? 1) + column - 1 } : start
    default:
      return start
  }
}
