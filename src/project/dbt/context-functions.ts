// The functions of dbt's templates that need no database: logs, JSON, YAML, sets, hashes, results of statements.

import { createHash } from 'node:crypto'
import { Document, Scalar } from 'yaml'
import { Failure } from '../../base/failure.ts'
import {
  bind,
  compileTemplate,
  Dict,
  Float,
  HostObject,
  fromJson,
  Gen,
  iterate,
  listOf,
  PyError,
  PySet,
  str,
  toJs,
  toJson,
  Tuple,
  truth,
  type Callable,
  type Globals,
} from '../../jinja/index.ts'
import { pythonTags } from '../yaml.ts'
import { emptyTable, ResultTable, storedResult } from './agate.ts'
import { fromYaml } from './python/yaml-values.ts'
import type { ProjectOptions } from './types.ts'

/** `globals`: what `render()` renders with. */
export function plainFunctions(globals: Globals, onLog: ProjectOptions['onLog']): Record<string, Callable> {
  return {
    log: (args, kwargs) => {
      const [message, info] = bind('log', ['msg', 'info?'], args, kwargs)
      onLog(info !== undefined && truth(info) ? 'info' : 'debug', str(message), undefined)
      return ''
    },
    print: ([message]) => (onLog('print', str(message), undefined), ''),
    tojson: (args, kwargs) => {
      const [value, fallback, sort] = bind('tojson', ['value', 'default?', 'sort_keys?'], args, kwargs)
      const sortKeys = sort !== undefined && truth(sort)
      return unless('ValueError', fallback, () => toJson(value, { sortKeys }))
    },
    fromjson: (args, kwargs) => {
      const [text, fallback] = bind('fromjson', ['string', 'default?'], args, kwargs)
      if (typeof text !== 'string') throw new PyError('TypeError', 'the JSON object must be str, bytes or bytearray')
      return unless('ValueError', fallback, () => fromJson(text))
    },
    toyaml: (args, kwargs) => {
      const [value, fallback, sort] = bind('toyaml', ['value', 'default?', 'sort_keys?'], args, kwargs)
      return unless('ValueError', fallback, () => toYaml(value, sort !== undefined && truth(sort)))
    },
    fromyaml: (args, kwargs) => {
      const [text, fallback] = bind('fromyaml', ['value', 'default?'], args, kwargs)
      return unless('ValueError', fallback, () => fromYaml('fromyaml', str(text)))
    },
    set: ([value, fallback]) => unless('TypeError', fallback, () => new PySet(iterate(value))),
    set_strict: ([value]) => new PySet(iterate(value)),
    zip: (args, kwargs) => unless('TypeError', kwargs['default'], () => zip(args)),
    zip_strict: (args) => zip(args),
    local_md5: ([text]) => createHash('md5').update(str(text)).digest('hex'),
    diff_of_two_dicts: ([first, second]) => differenceOf(first, second),
    render: ([text]) => compileTemplate(str(text)).render(globals),
    try_or_compiler_error: ([message, callee, ...rest], kwargs) => {
      try {
        return (callee as Callable)(rest, kwargs)
      } catch (error) {
        if (!(error instanceof PyError || error instanceof Failure)) throw error
        throw new Failure('TEMPLATE_FAILED', str(message), { cause: error })
      }
    },
    ...resultFunctions(onLog),
    write: () => '',
    otel_trace_id: () => '0'.repeat(32),
    otel_span_id: () => '0'.repeat(16),
    adapter_macro: ([name]) => {
      throw new Failure(
        'TEMPLATE_FAILED',
        `The "adapter_macro" macro has been deprecated, and is called for ${str(name)}`,
        {
          hint: 'Use adapter.dispatch(name, package)(…).',
        },
      )
    },
  }
}

/** What a database says of a statement: its message as text, the rest by name. */
class AdapterResponse extends HostObject {
  override readonly typeName = 'AdapterResponse'
  readonly #told: Dict
  constructor(message: unknown, code: unknown, rows: unknown) {
    super()
    this.#told = new Dict(Object.entries({ _message: message, code, rows_affected: rows }))
  }
  override attr(name: string): unknown {
    return name === 'to_dict' ? ((() => this.#told) satisfies Callable) : this.#told.get(name)
  }
  override text(): string {
    return str(this.#told.get('_message'))
  }
}

/** What statements of this rendering answered. A result can be loaded once, but for that of the main statement. */
function resultFunctions(onLog: ProjectOptions['onLog']): Record<string, Callable> {
  const results = new Map<string, unknown>()
  const store = (name: unknown, response: unknown, table: unknown) => {
    const stored = table instanceof ResultTable ? table : emptyTable()
    stored.print = (text) => onLog('info', text, undefined)
    results.set(str(name), storedResult(stored, response))
    return ''
  }
  return {
    store_result: (args, kwargs) => {
      const [name, response, table] = bind('store_result', ['name', 'response', 'agate_table?'], args, kwargs)
      return store(name, response, table)
    },
    store_raw_result: (args, kwargs) => {
      const names = ['name', 'message?', 'code?', 'rows_affected?', 'agate_table?']
      const [name, message, code, rows, table] = bind('store_raw_result', names, args, kwargs)
      return store(name, new AdapterResponse(message ?? null, code ?? null, rows ?? null), table)
    },
    load_result: ([key]) => {
      const name = str(key)
      const found = results.get(name)
      if (found === null)
        throw new Failure(
          'TEMPLATE_FAILED',
          `The 'statement' result named '${name}' has already been loaded into a variable`,
          {
            hint: 'Keep it in a variable: {% set result = load_result(…) %}.',
          },
        )
      if (found !== undefined && name !== 'main') results.set(name, null)
      return found ?? null
    },
  }
}

function unless(kind: string, fallback: unknown, work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    if (error instanceof PyError ? error.kind === kind : error instanceof Failure) return fallback ?? null
    throw error
  }
}

function zip(lists: unknown[]): Gen {
  const all = lists.map(listOf)
  const length = all.length === 0 ? 0 : Math.min(...all.map((list) => list.length))
  return new Gen(Array.from({ length }, (_, at) => new Tuple(all.map((list) => list[at]))).values())
}

/** What the first has beyond the second, names compared without case. */
function differenceOf(first: unknown, second: unknown): Dict {
  if (!(first instanceof Dict && second instanceof Dict))
    throw new PyError('TypeError', 'diff_of_two_dicts() takes two dicts of lists')
  const low = (value: unknown) => str(value).toLowerCase()
  const others = new Map(
    Array.from(second.entries(), ([key, values]) => [low(key), new Set(listOf(values).map(low))] as const),
  )
  const result = new Dict()
  for (const [key, values] of first.entries()) {
    const known = others.get(low(key))
    const rest = known ? listOf(values).filter((value) => !known.has(low(value))) : values
    if (!known || (rest as unknown[]).length > 0) result.set(key, rest)
  }
  return result
}

const omap = 'tag:yaml.org,2002:omap'

/** As PyYAML writes it: lists not indented, dates plain, words that YAML 1.1 reads as something else in quotes. */
function toYaml(value: unknown, sortKeys: boolean): string {
  const document = new Document(plain(value), {
    version: '1.1',
    // Maps are mappings in order, no lists of pairs.
    customTags: (tags) => pythonTags(tags).filter((tag) => tag !== 'omap' && (tag as { tag?: string }).tag !== omap),
    sortMapEntries: sortKeys,
    aliasDuplicateObjects: false,
  })
  document.directives!.yaml.explicit = false
  const text = document.toString({
    indentSeq: false,
    lineWidth: 80,
    singleQuote: true,
    blockQuote: false,
    nullStr: 'null',
    flowCollectionPadding: false,
    directives: false,
  })
  // A lone scalar ends as a document of its own.
  return /^[^\n:[{-]*\n$/.test(text) && typeof value !== 'object' ? `${text}...\n` : text
}

/** Python's sets and tuples are lists in YAML; what is none of its values is an error. */
function plain(value: unknown): unknown {
  if (value instanceof Tuple || value instanceof PySet) return plain([...value])
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Dict) return new Map(Array.from(value.entries(), ([key, each]) => [plain(key), plain(each)]))
  if (value instanceof Float) return Object.assign(new Scalar(value.value), { minFractionDigits: 1 })
  const js = toJs(value)
  const isOpaque = value instanceof HostObject && !value.mapping() && !/^(?:date|datetime|time)$/.test(value.typeName)
  if (isOpaque || (js === undefined && value !== undefined))
    throw new PyError('ValueError', 'cannot represent an object')
  return js
}
