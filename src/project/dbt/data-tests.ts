// Generic tests: one entry of `data_tests:` in any of dbt's spellings → which macro, with which arguments and config,
// under which name. Names and ids are computed exactly as dbt does it, because selectors and stored results use them.

import { isRecord } from '../../base/record.ts'
import { hash } from 'node:crypto'
import { Failure, type Place } from '../../base/failure.ts'
import { compare, fromJs, repr, str } from '../../jinja/index.ts'
import { deprecations, type Deprecation } from './deprecations.ts'
import { isMapping } from './python/yaml-values.ts'
import type { Config, TestedCall } from './types.ts'

/** Keys of an entry that configure the test and are no arguments of its macro. */
const configKeys = [
  'severity',
  'tags',
  'enabled',
  'where',
  'limit',
  'warn_if',
  'error_if',
  'fail_calc',
  'store_failures',
  'store_failures_as',
  'sql_header',
  'meta',
  'database',
  'schema',
  'alias',
]

export type GenericTest = {
  name: string
  namespace: string | undefined
  /** What stands behind the name and means nothing. */
  passedOver: string
  /** Arguments of the macro, `model` included. */
  kwargs: Config
  config: Config
  description: string
  /** In unique ids and for selection. */
  fullName: string
  /** At most 63 characters: for files and relations. */
  shortName: string
}

export type TestTarget = {
  /** `ref('orders')` or `source('shop', 'orders')`. */
  expression: string
  /** In the name: `orders`, `shop_orders`. */
  shown: string
  isSource: boolean
  /** What it stands under, by name. */
  name: string
  /** The same as a call that is followed as others are. */
  call: TestedCall
}

/** @throws Failure PROJECT_INVALID with the entry's place */
export function readGenericTest(
  definition: unknown,
  target: TestTarget,
  columnName: string | undefined,
  place: Place,
  isNested: boolean,
): GenericTest {
  const wrong = (message: string) => new Failure('PROJECT_INVALID', message, { place })
  const [written, entry] = nameAndArguments(definition, wrong)
  const args: Config = { ...entry }
  if (columnName !== undefined) args['column_name'] = columnName
  if (isNested) {
    const given = args['arguments']
    delete args['arguments']
    if (isRecord(given)) Object.assign(args, given)
  }
  if ('model' in args) throw wrong(`the test "${written}" may not name its model: it is the one it stands under`)
  // dbt's own: what stands behind the name is passed over, `unique - not_null` of two lines is `unique`.
  const match = /^(?:([A-Za-z_]\w*)\.)?([A-Za-z_]\w*)/.exec(written)
  if (!match) throw wrong(`"${written}" is no name of a test`)
  const [named, namespace, name] = match
  const config = takeConfig(args, written, wrong)
  const description = typeof args['description'] === 'string' ? args['description'] : ''
  delete args['description']
  const own = args['name']
  delete args['name']
  if (own !== undefined && typeof own !== 'string') throw wrong(`"name" of the test "${written}" must be text`)
  // In dbt's order, which is that of what the test reads.
  const kwargs = { ...args, model: `{{ get_where_subquery(${target.expression}) }}` }
  const kind = `${namespace === undefined ? '' : `${namespace}_`}${target.isSource ? 'source_' : ''}${name!}`
  const { fullName, shortName } =
    own === undefined ? testNames(kind, target.shown, args) : { fullName: own, shortName: own }
  if (shortName !== fullName && config['alias'] === undefined) config['alias'] = shortName
  const passedOver = written.slice(named.length)
  return { name: name!, namespace, kwargs, config, description, fullName, shortName, passedOver }
}

/** What dbt would have written otherwise in an entry that is right. */
export function oldSpellings(definition: unknown, target: TestTarget, from: string, file: string): Deprecation[] {
  const [test, args] = nameAndArguments(definition, (message) => new Failure('PROJECT_INVALID', message))
  const isNested = isRecord(args['arguments']) && Object.keys(args['arguments']).length > 0
  const besides = ['config', 'description', 'name', 'arguments', ...configKeys]
  return [
    ...Object.keys(args)
      .filter((key) => configKeys.includes(key))
      .map((key) => deprecations.besideConfig(key, `data_tests.${test}.${key}`, file)),
    ...(!isNested && Object.keys(args).some((key) => !besides.includes(key))
      ? [deprecations.argumentsBesideName(test, target.name, from, file)]
      : []),
  ]
}

/** `arguments` that is an argument like others, since nothing nests them. */
export function oddArguments(definition: unknown): Deprecation[] {
  const [test, args] = nameAndArguments(definition, (message) => new Failure('PROJECT_INVALID', message))
  return 'arguments' in args ? [deprecations.argumentsNested(test, repr(fromJs(args['arguments'])))] : []
}

function nameAndArguments(definition: unknown, wrong: (message: string) => Failure): [string, Config] {
  if (typeof definition === 'string') return [definition, {}]
  if (!isRecord(definition)) throw wrong('a test is a name, or a mapping of its name to its arguments')
  const { test_name: testName, ...rest } = definition
  if (testName !== undefined) {
    if (typeof testName !== 'string') throw wrong('"test_name" must be text')
    return [testName, rest]
  }
  const keys = Object.keys(definition)
  if (keys.length !== 1) {
    throw wrong(
      `a test has one name, this entry has ${keys.length} keys (${keys.join(', ')}); are its arguments indented below its name?`,
    )
  }
  const args = definition[keys[0]!]
  if (!isRecord(args)) throw wrong(`the arguments of the test "${keys[0]!}" must be a mapping`)
  return [keys[0]!, args]
}

function takeConfig(args: Config, written: string, wrong: (message: string) => Failure): Config {
  const nested = args['config'] ?? {}
  if (!isRecord(nested)) throw wrong(`"config" of the test "${written}" must be a mapping (dict)`)
  delete args['config']
  const config: Config = {}
  for (const key of configKeys) {
    const beside = args[key]
    delete args[key]
    if (beside !== undefined && beside !== null && nested[key] !== undefined) {
      throw wrong(`Test cannot have the same key at the top-level and in config: "${key}" of the test "${written}"`)
    }
    const value = beside ?? nested[key]
    if (value !== undefined && value !== null) config[key] = value
  }
  for (const [key, value] of Object.entries(nested))
    if (value !== null && !configKeys.includes(key)) config[key] = value
  return config
}

const md5 = (text: string): string => hash('md5', text)
const pythonText = (value: unknown): string => str(fromJs(value))

/** dbt's `synthesize_generic_test_names`. */
export function testNames(kind: string, shown: string, args: Config): { fullName: string; shortName: string } {
  const flat = Object.keys(args)
    .sort()
    .filter((key) => key !== 'model')
    .flatMap((key) => {
      const value = args[key]
      if (value instanceof Map) return [...value.values()]
      return Array.isArray(value) ? value : isMapping(value) ? Object.values(value) : [value]
    })
  const identifier = `${kind}_${shown}`
  const fullName = `${identifier}_${flat.map((value) => pythonText(value).replace(/[^0-9a-zA-Z_]+/g, '_')).join('__')}`
  return { fullName, shortName: fullName.length < 64 ? fullName : `${identifier.slice(0, 30)}_${md5(fullName)}` }
}

/** The ten characters that tell tests of one name apart. */
export function testHash(test: GenericTest): string {
  const metadata = { namespace: test.namespace ?? null, name: test.name, kwargs: test.kwargs }
  return md5(test.fullName + repr(fromJs(hashable(metadata)))).slice(-10)
}

/** Keys that Python cannot order, for which dbt fails, are ordered as texts. */
const inOrder = (a: unknown, b: unknown): number =>
  typeof a === 'number' && typeof b === 'number' ? a - b : compare(str(fromJs(a)), str(fromJs(b)))

function hashable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hashable)
  if (value instanceof Map) {
    const entries = [...(value as Map<unknown, unknown>)].sort(([a], [b]) => inOrder(a, b))
    return new Map(entries.map(([key, each]) => [key, hashable(each)]))
  }
  if (isMapping(value))
    return Object.fromEntries(
      Object.keys(value)
        .sort()
        .map((key) => [key, hashable(value[key])]),
    )
  return pythonText(value)
}

/** Arguments that are written without braces and still are calls: `to: ref('orders')`. */
export const looksLikeCall = /^\s*(env_var|ref|var|source|doc)\s*\(.+\)\s*$/
