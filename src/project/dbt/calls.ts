// What the text of a node says when it is parsed: which `ref` and `source` it calls, its `config`, which macros it names.
//
// A text whose rendering cannot fail is not rendered for that: the calls that stand in it are those that would be made. The
// others are rendered once, with `execute` false: what fails then is a mistake of the project, as in dbt, and nothing of it is built.

import { hash } from 'node:crypto'
import { Failure, Failures, type Place } from '../../base/failure.ts'
import { isRecord } from '../../base/record.ts'
import {
  compileTemplate,
  findCalls,
  Float,
  isReadStatically,
  mayBeSure,
  str,
  writtenArguments,
  type Analysis,
  type FoundCall,
} from '../../jinja/index.ts'
import { addConfig, saidTwice } from './config.ts'
import type { Watched } from './context.ts'
import { MetricReference } from './metric-reference.ts'
import type { ParseCache } from './parse-cache.ts'
import type { Reading } from './reading.ts'
import { Relation } from './relation.ts'
import type { Session } from './session.ts'
import type { Config, DbtPackage, FunctionCall, MetricCall, NodeKind, RefCall, SourceCall } from './types.ts'
import { gathering } from './yaml-file.ts'

/** dbt takes the white space off both ends of a file; `at` is where the rest begins. */
export type SqlFile = {
  package: DbtPackage
  /** The folder it was found in. */
  root: string
  file: string
  text: string
  at: { line: number; column: number }
}

export type Parsed = {
  /** Each call, be it the same as another: so dbt lists them. */
  refs: RefCall[]
  sources: SourceCall[]
  functions: FunctionCall[]
  metrics: MetricCall[]
  config: Config
  /** Its `config` as it is written, where dbt renders the text to know it. */
  writtenConfig: Config | undefined
  /** Unique ids of the macros that it calls while it is rendered. */
  macros: Set<string>
}

export const emptyParsed = (): Parsed => ({
  refs: [],
  sources: [],
  functions: [],
  metrics: [],
  config: {},
  writtenConfig: undefined,
  macros: new Set(),
})

const collected = ['ref', 'source', 'function', 'config']
/** `kind` and `name` are those of `model` in the text. Undefined: it is broken, and the failures say why. */
export function parseSql(
  reading: Reading,
  { package: from, root, file, text, at }: SqlFile,
  kind: NodeKind | 'operation',
  name: string,
): Parsed | undefined {
  return gathering(reading.failures, () => {
    const isOverridden = [...collected, 'var'].some((each) => reading.macros.find(from.name, each) !== undefined)
    const { analysis, isReadByDbt, writtenConfig } = callsOf(
      reading.cache,
      { file, text, at },
      kind === 'model' && !isOverridden,
    )
    const { sure, parts, calls } = analysis
    const parsed: Parsed = { ...emptyParsed(), writtenConfig }
    // What is laid over what depends on the order of several configs.
    const isOrdered = parts.length === 0 || !calls.some((call) => call.name === 'config')
    if (isOverridden || !sure || !isOrdered || !reading.quiet.knows(from.name, sure, reading.scopes(from))) {
      render(reading, from, { root, file, text, at }, { kind, name }, parsed)
      return parsed
    }
    for (const { text: part, place } of parts) {
      const { line = 1, column = 1 } = place
      // Two braces and a space stand before the expression, whose place it is.
      const at = { line, column: Math.max(1, column - 3) }
      render(reading, from, { root, file, text: part, at }, { kind, name }, parsed)
    }
    for (const macro of sure.macros) parsed.macros.add(`macro.dbt.${macro.replace('dbt.', '')}`)
    const failures: Failure[] = []
    for (const call of calls) gathering(failures, () => readCall(call, parsed))
    if (failures.length > 0) throw new Failures(failures)
    const sources = new Map(parsed.sources.map((each) => [`${each.source}.${each.table}`, each]))
    // dbt's own: where it reads a model without rendering it, a source that is named twice is noted once.
    if (isReadByDbt && sources.size < parsed.sources.length) parsed.sources = [...sources.values()]
    return parsed
  })
}

/** What follows from the text alone, so that it can be kept. `isReadByDbt`: dbt does not render it either. */
function callsOf(
  cache: ParseCache,
  { file, text, at }: Pick<SqlFile, 'file' | 'text' | 'at'>,
  mayBeRead: boolean,
): { analysis: Analysis; isReadByDbt: boolean; writtenConfig?: Config } {
  return cache.of('calls', [file, at.line, at.column, mayBeRead ? 'model' : 'rendered'], text, () => {
    const analysis = findCalls(text, collected, { file, ...at }, mayBeSure)
    const isReadByDbt = mayBeRead && isReadStatically(text)
    // dbt's own: it looks for `config(`, and takes the values where somebody writes `config (`.
    const writtenConfig = text.includes('config(') && !isReadByDbt ? writtenArguments(text, 'config') : {}
    return { analysis, isReadByDbt, ...(Object.keys(writtenConfig).length > 0 && { writtenConfig }) }
  })
}

/** A literal call, into what is parsed so far. @throws Failure TEMPLATE_FAILED */
export function readCall(call: FoundCall, parsed: Parsed): void {
  const { args, kwargs } = call.literal ?? { args: [], kwargs: {} }
  const wrong = (message: string) => new Failure('TEMPLATE_FAILED', message, { place: call.place })
  const isText = args.every((each) => typeof each === 'string')
  switch (call.name) {
    case 'config': {
      // Names with values, or one mapping of them.
      if (args.length > 1 || (args.length === 1 && (!isRecord(args[0]) || Object.keys(kwargs).length > 0)))
        throw wrong('config() takes names with values: config(materialized="table")')
      const config = (args[0] as Config | undefined) ?? kwargs
      const twice = saidTwice(config)
      if (twice !== undefined) throw wrong(twice)
      parsed.config = addConfig(parsed.config, config)
      return
    }
    case 'ref': {
      if (args.length < 1 || args.length > 2 || !isText)
        throw wrong('ref() takes the name of a model, or a package and a name')
      const version = kwargs['version'] ?? kwargs['v']
      const [name, packageName] = (args as string[]).toReversed()
      parsed.refs.push({
        name: name!,
        package: packageName,
        version: version === undefined || version === null ? undefined : str(version),
        ...(typeof version === 'string' && { isVersionText: true }),
        place: call.place,
      })
      return
    }
    case 'source':
      if (args.length !== 2 || !isText) throw wrong('source() takes the name of a source and of a table')
      parsed.sources.push({ source: args[0] as string, table: args[1] as string, place: call.place })
      return
    case 'function': {
      if (args.length < 1 || args.length > 2 || !isText)
        throw wrong('function() takes the name of a function, or a package and a name')
      const [name, packageName] = (args as string[]).toReversed()
      addFunction(parsed, { name: name!, package: packageName, place: call.place })
    }
  }
}

type Rendered = Pick<Parsed, 'refs' | 'sources' | 'functions' | 'metrics'> & {
  /** Each call of `config`. */
  configs: Config[]
  macros: string[]
  watched: Watched
  /** Of the variables of the environment that it asked for: these are not kept themselves. */
  environment: string
}

function render(
  reading: Reading,
  from: DbtPackage,
  file: Omit<SqlFile, 'package'>,
  node: { kind: NodeKind | 'operation'; name: string },
  parsed: Parsed,
): void {
  const { refs, sources, functions, metrics, configs, macros } = reading.cache.of(
    'rendered',
    [from.name, file.root, file.file, file.at.line, file.at.column, node.kind, node.name, reading.surroundings],
    file.text,
    () => rendered(reading, from, file, node),
    ({ configs, watched, environment }) =>
      !watched.isOfRun && environment === hashOf(reading, watched) && !hasFloat(configs),
  )
  parsed.refs.push(...refs)
  parsed.sources.push(...sources)
  parsed.metrics.push(...metrics)
  for (const call of functions) addFunction(parsed, call)
  for (const values of configs) parsed.config = addConfig(parsed.config, values)
  for (const macro of macros) parsed.macros.add(macro)
}

const hashOf = ({ project: { options } }: Reading, { env }: Watched): string =>
  env.length === 0 ? '' : hash('sha256', JSON.stringify(env.map((name) => [name, options.env[name] ?? null])))

/** A float would come back as another number. */
const hasFloat = (value: unknown): boolean =>
  value instanceof Float || (typeof value === 'object' && value !== null && Object.values(value).some(hasFloat))

function rendered(
  reading: Reading,
  from: DbtPackage,
  { root, file, text, at }: Omit<SqlFile, 'package'>,
  { kind, name }: { kind: NodeKind | 'operation'; name: string },
): Rendered {
  const origin = { file, ...at }
  let places: Map<string, Place> | undefined
  const placeOf = (call: string) => (places ??= callPlaces(text, origin)).get(call) ?? origin
  const model = reading.plainModel(from, kind, name, { file, root })
  const parsed = emptyParsed()
  const configs: Config[] = []
  const watched: Watched = { env: [], isOfRun: false }
  const session = parseSession(parsed, placeOf)
  const configure = (values: Config) => {
    configs.push(values)
    session.configure(values)
  }
  const context = reading.context(from, { ...session, configure }, model, undefined, { watched })
  compileTemplate(text, origin).render(context.globals, { lenient: true })
  const { refs, sources, functions, metrics, macros } = parsed
  return {
    refs,
    sources,
    functions,
    metrics,
    configs,
    macros: [...macros],
    watched,
    environment: hashOf(reading, watched),
  }
}

/** Where `ref('a')` and `source('a', 'b')` stand in a file whose calls are found by rendering. */
function callPlaces(text: string, origin: { file: string; line: number; column: number }): Map<string, Place> {
  const places = new Map<string, Place>()
  for (const { name, literal, place } of findCalls(text, ['ref', 'source', 'function', 'metric'], origin).calls) {
    if (!literal) continue
    const names = literal.args.map(String)
    const key = name === 'source' ? `source ${names.join('.')}` : `${name} ${names.at(-1) ?? ''}`
    if (!places.has(key)) places.set(key, place)
  }
  return places
}

/** The session of parsing: collects, answers nothing. */
export function parseSession(parsed: Parsed, placeOfCall: (name: string) => Place): Session {
  const placeholder = (identifier: string) => new Relation({ database: null, schema: null, identifier })
  return {
    execute: false,
    ref(name, packageName, version, isVersionText) {
      const place = placeOfCall(`ref ${name}`)
      parsed.refs.push({ name, package: packageName, version, ...(isVersionText && { isVersionText }), place })
      return placeholder(name)
    },
    source(source, table) {
      parsed.sources.push({ source, table, place: placeOfCall(`source ${source}.${table}`) })
      return placeholder(table)
    },
    func(name, packageName) {
      addFunction(parsed, { name, package: packageName, place: placeOfCall(`function ${name}`) })
      return placeholder(name)
    },
    metric(name, packageName) {
      parsed.metrics.push({ name, package: packageName, place: placeOfCall(`metric ${name}`) })
      return new MetricReference(name, packageName)
    },
    configure(values) {
      parsed.config = addConfig(parsed.config, values)
    },
    config: () => undefined,
    called: ({ uniqueId }) => void parsed.macros.add(uniqueId),
    ask: () => ({ kind: 'query', answer: { columns: [], rows: [] } }),
  }
}

function addFunction(parsed: Parsed, call: FunctionCall): void {
  const { name, package: from } = call
  if (!parsed.functions.some((each) => each.name === name && each.package === from)) parsed.functions.push(call)
}

/** A text of YAML that is one `ref` or `source` without braces: `ref('orders')`. Undefined when it is neither. */
export function refOrSource(text: string, place: Place): Parsed | undefined {
  const inner = text.trim().replace(/^\{\{|\}\}$/g, '')
  const { calls } = findCalls(`{{ ${inner} }}`, ['ref', 'source'])
  const [call] = calls
  if (!call?.literal || calls.length > 1) return undefined
  const parsed = emptyParsed()
  readCall({ ...call, place }, parsed)
  return parsed
}
