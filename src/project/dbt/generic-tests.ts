// Tests that YAML puts below models, seeds, snapshots, sources and their columns: each entry becomes a node.

import { isRecord } from '../../base/record.ts'
import { Failure, type Place } from '../../base/failure.ts'
import { compileTemplate, Dict, findCalls, fromJs, PyError, str, type Analysis } from '../../jinja/index.ts'
import { didYouMean } from '../../base/suggest.ts'
import { noChecksum } from './checksum.ts'
import { emptyParsed, parseSession, readCall, type Parsed } from './calls.ts'
import type { TestEntry } from './column-properties.ts'
import { mergeConfig } from './config.ts'
import type { Context } from './context.ts'
import {
  looksLikeCall,
  oddArguments,
  oldSpellings,
  readGenericTest,
  testHash,
  type GenericTest,
  type TestTarget,
} from './data-tests.ts'
import { builtinPackage, builtins } from './macros.ts'
import type { Nodes } from './nodes.ts'
import type { ParseCache } from './parse-cache.ts'
import { isMapping } from './python/yaml-values.ts'
import { fileInPackage, foldersOfTests, type Reading } from './reading.ts'
import type { SourceEntry } from './source-properties.ts'
import type { Config, DbtMacro, DbtNode, DbtPackage, DbtProject } from './types.ts'
import { gathering, renderText, withoutLastBreak } from './yaml-file.ts'

/** Of everything that has properties. */
export function readGenericTests(reading: Reading, nodes: Nodes): void {
  const reader = new GenericTests(reading, nodes)
  for (const { from, found } of reading.properties) {
    for (const patch of found.patches) {
      const { section } = patch
      if (section !== 'models' && section !== 'seeds' && section !== 'snapshots') continue
      for (const version of patch.versions.length > 0 ? patch.versions : [undefined]) {
        const expression = version ? `ref('${patch.name}', version='${version.v}')` : `ref('${patch.name}')`
        const shown = version ? `${patch.name}_v${version.v}` : patch.name
        const call = { name: patch.name, version: version?.v, section }
        for (const entry of (version ?? patch).tests)
          reader.add(from, patch.file, entry, { expression, shown, isSource: false, name: patch.name, call }, [])
      }
    }
  }
}

export function readSourceTests(reading: Reading, nodes: Nodes, from: DbtPackage, source: SourceEntry): void {
  const reader = new GenericTests(reading, nodes)
  const expression = `source('${source.source}', '${source.name}')`
  const shown = `${source.source}_${source.name}`
  const call = { source: source.source, table: source.name }
  const target = { expression, shown, isSource: true, name: source.name, call }
  for (const entry of source.tests) reader.add(from, source.file, entry, target, source.tags)
}

class GenericTests {
  readonly #reading: Reading
  readonly #nodes: Nodes
  constructor(reading: Reading, nodes: Nodes) {
    this.#reading = reading
    this.#nodes = nodes
  }

  add(from: DbtPackage, file: string, entry: TestEntry, target: TestTarget, tags: readonly string[]): void {
    const reading = this.#reading
    gathering(reading.failures, () => {
      const { column, place } = entry
      const columnName = column && (column.quote ? `"${column.name}"` : column.name)
      const isNested = reading.root.flags['require_generic_test_arguments_property'] !== false
      const test = readGenericTest(entry.definition, target, columnName, place, isNested)
      const told = isNested
        ? oldSpellings(entry.definition, target, from.name, fileInPackage(from, file))
        : oddArguments(entry.definition)
      for (const each of told) reading.deprecated(each, place)
      if (test.passedOver !== '')
        reading.warn(
          `this is the test "${test.name}", and "${test.passedOver.trim()}" behind its name means nothing`,
          place,
        )
      this.#renderConfig(from, test, place)
      // A test that nothing defines is an error where its SQL is made, as for dbt.
      const macro = reading.macros.test(from.name, test.namespace, test.name)
      const parsed = this.#parse(from, test, macro, place)
      const uniqueId = `test.${from.name}.${test.fullName}.${testHash(test)}`
      const added = this.#nodes.add(
        {
          kind: 'test',
          name: test.fullName,
          package: from,
          fqn: [from.name, ...foldersOfTests(from, file), test.fullName],
          file,
          path: `${test.shortName}.sql`,
          rawSql: rawSqlOf(test),
          parsed: withConfigOf(test, macro, parsed),
          configs: [test.config],
          facts: undefined,
          patch: undefined,
          version: undefined,
          place,
          checksum: noChecksum,
        },
        uniqueId,
      )
      const node = added ?? disabledNode(reading.project, uniqueId)
      if (!node) return
      node.description = test.description
      // dbt notes the macro that has the name, in whatever package, and calls that of the namespace. What arguments call is not noted.
      const named = reading.macros.named(from.name, `test_${test.name}`)
      const around = isUnrendered(macro) ? undefined : reading.macros.find(from.name, 'get_where_subquery')
      node.macros = [named, around].flatMap((each) => each?.uniqueId ?? [])
      const own = [...tags, ...(column?.tags ?? []), ...asTags(test.config['tags'], test, place)]
      node.tags = [...new Set([...own.toSorted(), ...node.tags])]
      node.test = {
        kind: 'generic',
        name: test.name,
        namespace: test.namespace,
        kwargs: test.kwargs,
        columnName,
        of: target.call,
        attachedTo: undefined,
      }
    })
  }

  #renderConfig(from: DbtPackage, test: GenericTest, place: Place): void {
    const { failures } = this.#reading
    for (const [key, value] of Object.entries(test.config)) {
      if (typeof value === 'string')
        test.config[key] = /\{[{%]/.test(value)
          ? renderText(value, place, this.#reading.globals(from), failures)
          : withoutLastBreak(value)
      // A template that comes to nothing leaves what dbt_project.yml says.
      if (test.config[key] === null) delete test.config[key]
    }
    const { severity } = test.config
    if (severity !== undefined && severity !== null && !/^(?:warn|error)$/i.test(String(severity)))
      throw new Failure('PROJECT_INVALID', `"severity" is "${String(severity)}"; it must be warn or error`, { place })
  }

  #parse(from: DbtPackage, test: GenericTest, macro: DbtMacro | undefined, place: Place): Parsed {
    const parsed = emptyParsed()
    const reading = this.#reading
    // A macro that reads nothing of its own reads what its arguments name.
    const isLeft = !macro || (reading.quiet.isQuiet(macro) && (isUnrendered(macro) || takesAll(macro, test)))
    if (isLeft && collect(test.kwargs, place, parsed, reading.cache)) return parsed
    const model = reading.plainModel(from, 'test', test.fullName, { file: place.file ?? '', root: '' })
    const context = reading.context(
      from,
      parseSession(parsed, () => place),
      model,
      undefined,
    )
    const kwargs = renderKwargs(test.kwargs, context, true)
    try {
      if (macro) context.macros.bind(macro)([], kwargs)
    } catch (error) {
      throw atTest(error, place)
    }
    return parsed
  }
}

/**
 * What YAML says of a test counts more than what its macro says of all of its kind. As dbt renders all but two of its own tests
 * with a call of `config()` behind them, which says once more what YAML does, their tags stand there twice. Those two are not
 * rendered, and know the version of their model as a number.
 */
function withConfigOf({ config }: GenericTest, macro: DbtMacro | undefined, parsed: Parsed): Parsed {
  if (isUnrendered(macro)) return { ...parsed, refs: parsed.refs.map((ref) => ({ ...ref, isVersionText: false })) }
  if (Object.keys(config).length === 0) return parsed
  const written = Object.entries(config).map(([key, value]) => [key, str(fromJs(value))] as const)
  return { ...parsed, config: mergeConfig(parsed.config, config), writtenConfig: Object.fromEntries(written) }
}

/** Whether it has a parameter for each argument; one that has none, and does not ask for `kwargs`, is wrong when it is called. */
const takesAll = ({ parameters }: DbtMacro, { kwargs }: GenericTest): boolean =>
  Object.keys(kwargs).every((name) => parameters.includes(name))

/** The tests that dbt knows without rendering them. */
const isUnrendered = (macro: DbtMacro | undefined): boolean =>
  /^macro\.dbt\.test_(?:not_null|unique)$/.test(macro?.uniqueId ?? '')

/** Of several that share an id the last that was read. */
function disabledNode({ disabled }: DbtProject, uniqueId: string): DbtNode | undefined {
  const last = disabled.get(uniqueId)?.at(-1)
  return last?.kind === 'node' ? last.entry : undefined
}

/** For a generic test that no macro defines. */
export function unknownTest(
  { packages, macros }: Pick<DbtProject, 'packages' | 'macros'>,
  { package: from, place }: Pick<DbtNode, 'package' | 'place'>,
  { name, namespace }: { name: string; namespace: string | undefined },
): Failure {
  const shown = namespace === undefined ? name : `${namespace}.${name}`
  const known = [...builtins(), ...macros]
    .filter(({ kind }) => kind === 'test' || kind === 'data_test')
    .map(
      ({ package: owner, macroName }) =>
        (owner === from || owner === builtinPackage ? '' : `${owner}.`) + macroName.replace(/^test_/, ''),
    )
  const hint =
    namespace && !packages.has(namespace)
      ? { hint: `The package "${namespace}" is not installed: its folder is expected in dbt_packages/.` }
      : {}
  return new Failure('PROJECT_INVALID', `there is no test "${shown}"${didYouMean(shown, known)}`, { place, ...hint })
}

/** The literal `ref` and `source` of arguments; false when they must be rendered to know them. */
function collect(kwargs: Config, place: Place, parsed: Parsed, cache: ParseCache): boolean {
  const found = callsIn(kwargs, cache)
  if (!found.every(({ isStatic }) => isStatic)) return false
  for (const call of found.flatMap(({ calls }) => calls)) if (call.literal) readCall({ ...call, place }, parsed)
  return true
}

/** What the templates in arguments call. */
function callsIn(value: unknown, cache: ParseCache): Analysis[] {
  if (Array.isArray(value)) return value.flatMap((each) => callsIn(each, cache))
  if (value instanceof Map) return callsIn([...value.values()], cache)
  if (isRecord(value)) return callsIn(Object.values(value), cache)
  if (typeof value !== 'string') return []
  const text = looksLikeCall.test(value) ? `{{ ${value} }}` : value
  if (!/\{[{%]/.test(text)) return []
  return [cache.of('argument', [], text, () => findCalls(text, ['ref', 'source'], {}, () => true))]
}

function asTags(tags: unknown, test: GenericTest, place: Place): string[] {
  const list: unknown[] = Array.isArray(tags) ? tags : tags === undefined ? [] : [tags]
  if (list.every((tag) => typeof tag === 'string')) return list
  throw new Failure('PROJECT_INVALID', `"tags" of the test "${test.name}" must be texts`, { place })
}

/** As dbt writes it, for those who read the manifest; it is the macro itself that is called. */
function rawSqlOf({ name, namespace, config }: GenericTest): string {
  const macro = `${namespace === undefined ? '' : `${namespace}.`}test_${name}`
  const configs = Object.entries(config).map(([key, value]) => {
    const shown = typeof value === 'string' ? `"${value.replaceAll('"', '\\"')}"` : str(fromJs(value))
    return `${key}=${shown}`
  })
  return `{{ ${macro}(**_dbt_generic_test_kwargs) }}${configs.length > 0 ? `{{ config(${configs.join(',')}) }}` : ''}`
}

/** Arguments of a generic test, each text rendered: to a value, but column names to text. */
export function renderKwargs(kwargs: Config, context: Context, lenient: boolean): Record<string, unknown> {
  const render = (value: unknown, path: string): unknown => {
    if (typeof value === 'string') {
      const text = looksLikeCall.test(value) ? `{{ ${value} }}` : value
      if (!/\{[{%#]/.test(text)) return path === 'column_name' ? text : withoutLastBreak(text)
      const template = compileTemplate(text)
      return path === 'column_name'
        ? template.render(context.globals, { lenient })
        : template.renderNative(context.globals, { lenient })
    }
    if (Array.isArray(value)) return value.map((each) => render(each, `${path}[]`))
    if (isMapping(value)) {
      const entries = value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value)
      return new Dict(entries.map(([key, each]) => [key, render(each, `${path}.${String(key)}`)] as const))
    }
    return value
  }
  return Object.assign(
    Object.create(null) as Record<string, unknown>,
    Object.fromEntries(Object.entries(kwargs).map(([key, value]) => [key, render(value, key)])),
  )
}

/** An error inside a test's macro is shown where the test stands; the macro's own place stays in `calls`. */
export function atTest(error: unknown, place: Place): unknown {
  if (error instanceof PyError) return new Failure('TEMPLATE_FAILED', error.message, { cause: error, place })
  if (!(error instanceof Failure)) return error
  const { code, message, hint, context, cause } = error
  const inMacro = error.place ? ` (in ${error.place.file ?? 'a macro'}:${error.place.line ?? 1})` : ''
  return new Failure(code, `${message}${error.place?.file === 'dbt' ? '' : inMacro}`, {
    ...context,
    hint,
    cause,
    place,
  })
}
