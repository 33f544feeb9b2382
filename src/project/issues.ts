// What zod found wrong, in the words of somebody who edits a YAML file: which key, what it is, what it may be.

import type { z } from 'zod'
import type { Place } from '../base/failure.ts'
import { didYouMean, suggest } from '../base/suggest.ts'
import type { Path } from './yaml.ts'

type Schema = z.core.$ZodType
type Issue = z.core.$ZodIssue
export type Described = {
  path: Path
  what: 'key' | 'value'
  message: string
  suggestions: string[]
  /** Inside the text at `path`, counted from 1. */
  inner?: Place
}

/** One issue of zod → one mistake or several (each unknown key is one). `input` is the value that was parsed. */
export function describeIssue(issue: Issue, schema: Schema, input: unknown): Described[] {
  const at = { path: issue.path, what: 'value' as const, suggestions: [] }
  const name = nameOf(issue.path)
  const value = valueAt(input, issue.path)
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysOf(schemaAt(schema, issue.path, input), value)
      return issue.keys.map((key) => ({
        path: [...issue.path, key],
        what: 'key',
        message: `unknown key "${key}"${didYouMean(key, known, 20)}`,
        suggestions: suggest(key, known),
      }))
    }
    case 'invalid_type':
      if (value === undefined && issue.path.length > 0) return [missing(issue.path)]
      return [{ ...at, message: `${name} must be ${wordFor(issue.expected)}, not ${kindOf(value)}` }]
    case 'invalid_value':
      if (value === undefined && issue.path.length > 0) return [missing(issue.path)]
      return [{ ...at, ...oneOf(name, value, issue.values.map(String)) }]
    case 'invalid_key':
      return [{ ...at, what: 'key', message: `${name}: ${issue.issues.map(({ message }) => message).join('; ')}` }]
    case 'invalid_union':
      return describeUnion(issue, schema, input)
    case 'too_small':
      if (issue.minimum === 1 && issue.origin === 'string') return [{ ...at, message: `${name} must not be empty` }]
      if (issue.minimum === 1 && issue.origin === 'array')
        return [{ ...at, message: `${name} needs at least one entry` }]
      return [{ ...at, message: `${name} must be at least ${String(issue.minimum)}` }]
    case 'too_big':
      return [{ ...at, message: `${name} must be at most ${String(issue.maximum)}` }]
    case 'custom': {
      const { suggestions = [], inner } = (issue.params ?? {}) as { suggestions?: string[]; inner?: Place }
      return [{ ...at, message: issue.message, suggestions, ...(inner && { inner }) }]
    }
    default:
      return [{ ...at, message: `${name} is ${show(value)}: ${lowerFirst(issue.message)}` }]
  }
}

const missing = (path: Path): Described => {
  const key = String(path.at(-1))
  const parent = path.length > 1 ? ` in ${nameOf(path.slice(0, -1))}` : ''
  return { path: path.slice(0, -1), what: 'value', message: `"${key}" is missing${parent}`, suggestions: [] }
}

const oneOf = (name: string, value: unknown, allowed: string[]) => {
  const suggestions = typeof value === 'string' ? suggest(value, allowed) : []
  const [best] = suggestions
  const list = allowed.length === 1 ? allowed[0]! : `one of ${allowed.join(', ')}`
  return {
    message: `${name} is ${show(value)}; it must be ${list}${best ? `; did you mean "${best}"?` : ''}`,
    suggestions,
  }
}

function describeUnion(issue: Extract<Issue, { code: 'invalid_union' }>, schema: Schema, input: unknown): Described[] {
  const value = valueAt(input, issue.path)
  const options = 'options' in issue ? (issue.options as unknown[] | undefined) : undefined
  if (issue.errors.length === 0 && options) {
    if (value === undefined) return [missing(issue.path)]
    return [{ path: issue.path, what: 'value', ...oneOf(nameOf(issue.path), value, options.map(String)) }]
  }
  // The branch that got furthest is the one that was meant; branches that failed at once only say what kinds exist.
  const primitive = value === null || typeof value !== 'object'
  const begun = issue.errors.filter((branch) =>
    branch.some(
      ({ path, code }) => path.length > 0 || (code !== 'invalid_type' && (primitive || code !== 'invalid_value')),
    ),
  )
  if (begun.length === 0) {
    const kinds = issue.errors.flat().map((one) => (one.code === 'invalid_type' ? wordFor(one.expected) : ''))
    const name = nameOf(issue.path)
    return [
      {
        path: issue.path,
        what: 'value',
        message: `${name} must be ${[...new Set(kinds)].join(' or ')}, not ${kindOf(value)}`,
        suggestions: [],
      },
    ]
  }
  const best = begun.sort((a, b) => a.length - b.length)[0]!
  return best.flatMap((one) => describeIssue({ ...one, path: [...issue.path, ...one.path] } as Issue, schema, input))
}

/** `metrics[2].agg`, or the whole file for the root. */
function nameOf(path: Path): string {
  if (path.length === 0) return 'the file'
  return `"${path.map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${String(step)}`)).join('')}"`
}

const words: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'empty',
}
const wordFor = (type: string): string => words[type] ?? type
const kindOf = (value: unknown): string => {
  if (value === null || value === undefined) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  return show(value)
}
const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)

export function valueAt(input: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) => (value as Record<PropertyKey, unknown> | null | undefined)?.[step],
    input,
  )
}

/** The schema that judges the value at `path`; of a union, the option that its discriminator or its kind names. */
function schemaAt(schema: Schema, path: Path, input: unknown): Schema | undefined {
  const [step, ...rest] = path
  const judge = unwrap(schema, input)
  if (step === undefined) return judge
  const { def } = (judge as z.core.$ZodTypes)._zod
  const value = (input as Record<PropertyKey, unknown> | null | undefined)?.[step]
  switch (def.type) {
    case 'object': {
      const next = def.shape[String(step)]
      return next && schemaAt(next, rest, value)
    }
    case 'array':
      return schemaAt(def.element, rest, value)
    case 'record':
      return schemaAt(def.valueType, rest, value)
    default:
      return undefined
  }
}

function unwrap(schema: Schema, value: unknown): Schema {
  const { def } = (schema as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
    case 'nonoptional':
    case 'catch':
      return unwrap(def.innerType, value)
    case 'pipe':
      return unwrap(def.in, value)
    case 'lazy':
      return unwrap(def.getter(), value)
    case 'union': {
      const options = def.options.map((option) => unwrap(option, value))
      const discriminator = 'discriminator' in def ? String(def.discriminator) : undefined
      const named =
        discriminator &&
        options.find((option) =>
          accepts(shapeOf(option)?.[discriminator], (value as Record<string, unknown>)?.[discriminator]),
        )
      return named || options.find((option) => fits(option, value)) || schema
    }
    default:
      return schema
  }
}

const shapeOf = (schema: Schema): Readonly<Record<string, Schema>> | undefined => {
  const { def } = (schema as z.core.$ZodTypes)._zod
  return def.type === 'object' ? def.shape : undefined
}
const keysOf = (schema: Schema | undefined, value: unknown): string[] => {
  const used = Object.keys((value ?? {}) as object)
  return Object.keys((schema && shapeOf(schema)) ?? {}).sort(
    (a, b) => Number(used.includes(a)) - Number(used.includes(b)),
  )
}
const accepts = (schema: Schema | undefined, value: unknown): boolean => {
  const def = schema && (schema as z.core.$ZodTypes)._zod.def
  return def?.type === 'literal' && def.values.some((literal) => literal === value)
}
const fits = (schema: Schema, value: unknown): boolean => {
  const { type } = (schema as z.core.$ZodTypes)._zod.def
  if (Array.isArray(value)) return type === 'array'
  if (typeof value === 'object' && value !== null) return type === 'object' || type === 'record'
  return type === typeof value
}
