// `columns:` of a model, seed, snapshot or source: descriptions, types, constraints, and the tests that stand below them.

import { isRecord } from '../../base/record.ts'
import type { Path } from '../yaml.ts'
import { listOfTexts, type EntryReader } from './entry-reader.ts'
import type { ColumnSpec, Config, Constraint } from './types.ts'
import type { Place } from '../../base/failure.ts'

/** One entry of `tests:` or `data_tests:`, not yet understood. */
export type TestEntry = { definition: unknown; place: Place; column: ColumnSpec | undefined }

export type ColumnEntry = { spec: ColumnSpec; tests: TestEntry[] }

/** A column may have any other key; templates and tools find it where they look for these. */
const known = new Set(
  'name description meta data_type constraints docs config tests data_tests quote tags granularity dimension entity'.split(
    ' ',
  ),
)

export function readColumns(reader: EntryReader, entry: Config, path: Path): ColumnEntry[] {
  const found = new Map<string, ColumnEntry>()
  reader.each(entry['columns'], [...path, 'columns'], (column, at) => {
    // `include:` of a version lists columns of the model; see `columnsOfVersion`.
    if (column['name'] === undefined && (column['include'] !== undefined || column['exclude'] !== undefined)) return
    const name = reader.text(column, 'name', at)
    if (name === undefined) return
    const config = reader.record(column, 'config', at)
    reader.refuseNulls(column, at, ['meta', 'docs', 'config', 'tests', 'data_tests', 'constraints'])
    if (typeof (column['quote'] ?? false) !== 'boolean') reader.wrong('"quote" must be true or false', [...at, 'quote'])
    const spec: ColumnSpec = {
      name,
      description: reader.words(column, 'description', at) ?? '',
      dataType: column['data_type'] === null ? undefined : reader.words(column, 'data_type', at),
      quote: typeof column['quote'] === 'boolean' ? column['quote'] : undefined,
      tags: [...new Set([...listOfTexts(column['tags']), ...listOfTexts(config['tags'])])],
      meta: { ...reader.record(column, 'meta', at), ...reader.record(config, 'meta', [...at, 'config']) },
      constraints: readConstraints(reader, column, at),
      granularity: reader.optional(column, 'granularity', at),
      dimension: column['dimension'],
      entity: column['entity'],
      docBlocks: [],
      config,
      others: Object.fromEntries(Object.entries(column).filter(([key]) => !known.has(key))),
      place: reader.place(at),
    }
    // Of a column that is described twice the last one counts, and the tests of both.
    const earlier = found.get(name)
    found.set(name, { spec, tests: [...(earlier?.tests ?? []), ...readTests(reader, column, at, spec)] })
  })
  return [...found.values()]
}

/** The columns of one version: those of the model that it includes, and its own. */
export function columnsOfVersion(
  reader: EntryReader,
  base: readonly ColumnEntry[],
  version: Config,
  path: Path,
): ColumnEntry[] {
  const list = version['columns']
  const rules = Array.isArray(list)
    ? list.filter((each) => isRecord(each) && (each['include'] !== undefined || each['exclude'] !== undefined))
    : []
  if (rules.length > 1) reader.wrong('a version can have one include/exclude of columns', [...path, 'columns'])
  const rule = (rules[0] ?? { include: '*' }) as Config
  const excluded = listOfTexts(rule['exclude'])
  const isAll = rule['include'] === '*' || rule['include'] === 'all' || rule['include'] === undefined
  const included = listOfTexts(rule['include'])
  const own = readColumns(reader, version, path)
  const inherited = base.filter(
    ({ spec: { name } }) =>
      (isAll || included.includes(name)) && !excluded.includes(name) && !own.some((each) => each.spec.name === name),
  )
  return [...inherited, ...own]
}

/** `tests:` and `data_tests:` of a model, a column or a version. */
export function readTests(reader: EntryReader, entry: Config, path: Path, column: ColumnSpec | undefined): TestEntry[] {
  const has = (key: string) => Array.isArray(entry[key]) && entry[key].length > 0
  if (has('tests') && entry['data_tests'] !== undefined)
    reader.wrong(
      "Invalid test config: cannot have both 'tests' and 'data_tests' defined; they are two names of one list",
      [...path, 'tests'],
    )
  return ['tests', 'data_tests'].flatMap((key) => {
    const list = entry[key]
    if (list === undefined || list === null) return []
    if (!Array.isArray(list)) {
      reader.wrong(`"${key}" must be a list`, [...path, key])
      return []
    }
    return list.map((definition: unknown, index) => ({
      definition,
      place: reader.place([...path, key, index]),
      column,
    }))
  })
}

const constraintTypes = ['check', 'not_null', 'unique', 'primary_key', 'foreign_key', 'custom'] as const

export function readConstraints(reader: EntryReader, entry: Config, path: Path): Constraint[] {
  const found: Constraint[] = []
  reader.each(entry['constraints'], [...path, 'constraints'], (value, at) => {
    const type = constraintTypes.find((each) => each === value['type'])
    if (!type) {
      const shown = value['type'] === undefined ? 'no type' : `the type "${String(value['type'])}"`
      return reader.wrong(`a constraint has ${shown}; it must be one of ${constraintTypes.join(', ')}`, at)
    }
    found.push({
      type,
      name: reader.optional(value, 'name', at),
      expression: reader.optional(value, 'expression', at),
      columns: listOfTexts(value['columns']),
      to: reader.optional(value, 'to', at),
      toColumns: listOfTexts(value['to_columns']),
      warnUnenforced: value['warn_unenforced'] !== false,
      warnUnsupported: value['warn_unsupported'] !== false,
    })
  })
  return found
}
