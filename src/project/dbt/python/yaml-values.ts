// What PyYAML makes of a text and JSON cannot say: dates, keys that are numbers, the order of keys.

import type { ScalarTag } from 'yaml'
import { isRecord } from '../../../base/record.ts'
import { fromJs, HostObject } from '../../../jinja/index.ts'
import { parsePythonYaml } from '../../yaml.ts'
import type { Config } from '../types.ts'
import { PyDate } from './dates.ts'
import { parseDate, parseTimestamp } from './strftime.ts'

const written =
  /^(\d{4}-\d\d-\d\d)$|^(\d{4})-(\d\d?)-(\d\d?)(?:[Tt]|[ \t]+)(\d\d?)(:\d\d:\d\d(?:\.\d*)?)[ \t]*(?:(Z)|([-+])(\d\d?)(:\d\d)?)?$/

/** A mapping, and no date. */
export const isMapping = (value: unknown): value is Config => isRecord(value) && !(value instanceof HostObject)

/** A date, or a time of one day. */
export const timestamp: ScalarTag = {
  tag: 'tag:yaml.org,2002:timestamp',
  default: true,
  test: written,
  resolve(text, onError) {
    const [, date, year, month, day, hour, rest, zulu, sign, hours, minutes] = written.exec(text) ?? []
    const two = (part = '') => part.padStart(2, '0')
    const zone = zulu ?? (hours ? `${sign}${two(hours)}${minutes ?? ':00'}` : '')
    const clock = `${two(hour)}${rest?.replace(/\.$/, '')}`
    try {
      return date ? parseDate(date) : parseTimestamp(`${year}-${two(month)}-${two(day)}T${clock}${zone}`)
    } catch {
      onError(`"${text}" is no date`)
      return text
    }
  },
}

/** A text as a template sees it that asks for `fromyaml`. @throws Failures */
export const fromYaml = (file: string, text: string): unknown => fromJs(parsePythonYaml(file, text, [timestamp]))

/**
 * The same with texts in place of dates, as dbt leaves them in all but variables: as in JSON, and in the arguments of tests as
 * templates print them.
 */
export function withoutDates(value: unknown, isOfTest = false): unknown {
  if (value instanceof PyDate) return value.iso(isOfTest ? ' ' : 'T')
  if (Array.isArray(value)) return value.map((each) => withoutDates(each, isOfTest))
  if (!isRecord(value)) return value
  const parts = Object.entries(value).map(([key, each]) => {
    return [key, withoutDates(each, isOfTest || key === 'tests' || key === 'data_tests')] as const
  })
  return Object.fromEntries(parts)
}

/** Dates, and keys that are no texts to Python or that JavaScript would put first. */
const mayDiffer = (value: unknown): boolean => {
  if (typeof value === 'string') return written.test(value)
  if (Array.isArray(value)) return value.some(mayDiffer)
  return isRecord(value) && Object.entries(value).some(([key, each]) => isOddKey(key) || mayDiffer(each))
}
const isOddKey = (key: string): boolean => /^[-+.\d~]|^(?:true|false|yes|no|on|off|null)?$/i.test(key)

/** The `vars` of a file with what JSON has no words for: mappings with odd keys are Maps, dates are dates. */
export function pythonVars(vars: Config, file: string, text: string): Config {
  if (!mayDiffer(vars)) return vars
  const root = parsePythonYaml(file, text.trimEnd(), [timestamp])
  const found = root instanceof Map ? (root.get('vars') as unknown) : undefined
  if (!(found instanceof Map)) return vars
  const named = Array.from(found as Map<unknown, unknown>).filter(([name]) => typeof name === 'string')
  return { ...vars, ...(Object.fromEntries(named.map(([name, value]) => [name, namedValues(value)])) as Config) }
}

function namedValues(value: unknown): unknown {
  if (!(value instanceof Map) || Array.from(value.keys()).some((key) => typeof key !== 'string' || isOddKey(key)))
    return value
  return Object.fromEntries(Array.from(value as Map<string, unknown>, ([key, each]) => [key, namedValues(each)]))
}

/**
 * A file of properties in which the arguments of generic tests are what Python reads: as in `pythonVars`. Their config and all
 * else dbt makes JSON of.
 */
export function withPythonArguments(value: unknown, file: string, text: string): unknown {
  return testsMayDiffer(value) ? ofProperties(value, parsePythonYaml(file, text.trimEnd(), [timestamp])) : value
}

const testKeys = new Set(['tests', 'data_tests'])

const testsMayDiffer = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.some(testsMayDiffer)
    : isRecord(value) &&
      Object.entries(value).some(([key, each]) => (testKeys.has(key) ? mayDiffer(each) : testsMayDiffer(each)))

/** `python` is the same part of the file as Python reads it. */
function ofProperties(value: unknown, python: unknown): unknown {
  if (Array.isArray(value) && Array.isArray(python)) return value.map((each, at) => ofProperties(each, python[at]))
  return ofEntries(value, python, (key, each, of) =>
    testKeys.has(key) && Array.isArray(each) && Array.isArray(of)
      ? each.map((test, at) => ofTest(test, of[at]))
      : ofProperties(each, of),
  )
}

const ofTest = (test: unknown, python: unknown): unknown =>
  isRecord(test) && 'test_name' in test
    ? ofArguments(test, python)
    : ofEntries(test, python, (_, each, of) => ofArguments(each, of))

const ofArguments = (given: unknown, python: unknown): unknown =>
  ofEntries(given, python, (key, each, of) => {
    if (key === 'arguments') return ofArguments(each, of)
    return key === 'config' || key === 'meta' || !mayDiffer(each) ? each : namedValues(of)
  })

function ofEntries(
  value: unknown,
  python: unknown,
  map: (key: string, each: unknown, of: unknown) => unknown,
): unknown {
  if (!isRecord(value) || !(python instanceof Map)) return value
  const found = (key: string): unknown => (python as Map<unknown, unknown>).get(key)
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, found(key) === undefined ? each : map(key, each, found(key))]),
  )
}

/** The same as JSON has it, for who reads the manifest. */
export function jsonArguments(value: unknown): unknown {
  if (value instanceof PyDate) return value.iso('T')
  if (Array.isArray(value)) return value.map(jsonArguments)
  if (value instanceof Map) {
    const named = Array.from(value, ([key, each]: [unknown, unknown]) => [String(key), jsonArguments(each)] as const)
    return Object.fromEntries(named)
  }
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, jsonArguments(each)]))
}
