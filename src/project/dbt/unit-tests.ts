// `unit_tests:`: which model, given what, is expected to give which rows. They are run by `transform`.

import { isRecord } from '../../base/record.ts'
import { Failure, type Place } from '../../base/failure.ts'
import { didYouMean } from '../../base/suggest.ts'
import { refOrSource } from './calls.ts'
import { configOf, tagsOf } from './config.ts'
import { csvRecords } from './csv.ts'
import type { YamlEntry } from './properties.ts'
import { foldersOfTests, type Reading } from './reading.ts'
import { findRef, findSource, nodesByName, pickRef, searchOrder } from './references.ts'
import type { Config, DbtNode, DbtPackage, DbtUnitTest, UnitRows } from './types.ts'
import { gathering } from './yaml-file.ts'

/** All models are known by now, so that versions can be told apart. */
export async function readUnitTests(reading: Reading): Promise<void> {
  const byName = nodesByName(reading.project)
  for (const { from, found } of reading.properties) {
    const entries = found.entries.filter(({ section }) => section === 'unit_tests')
    if (entries.length === 0) continue
    const fixtures = await fixturesOf(reading, from)
    for (const entry of entries) {
      const reader = new UnitTestReader(reading, from, entry, fixtures, byName)
      const read = await reader.read().catch((error: unknown) => error)
      if (read)
        gathering(reading.failures, () => {
          throw read
        })
    }
  }
}

type Fixtures = ReadonlyMap<string, string>

/** `tests/fixtures/NAME.csv` and `.sql`, by their name with and without it. */
async function fixturesOf(reading: Reading, from: DbtPackage): Promise<Fixtures> {
  const { files } = reading
  const folders = from.paths.test.map((folder) => `${folder}/fixtures`)
  const found = new Map<string, string>()
  for (const { file } of await files.find(from, folders, /\.(csv|sql)$/i)) {
    const name = file.replace(/^.*\//, '')
    const other = found.get(name)
    if (other) reading.wrong(`dbt found two fixtures with the name "${name}": here and in ${other}`, { file })
    found.set(name, file)
    found.set(name.replace(/\.\w+$/, ''), file)
  }
  return found
}

class UnitTestReader {
  readonly #reading: Reading
  readonly #from: DbtPackage
  readonly #entry: YamlEntry
  readonly #fixtures: Fixtures
  readonly #byName: ReadonlyMap<string, DbtNode[]>

  constructor(
    reading: Reading,
    from: DbtPackage,
    entry: YamlEntry,
    fixtures: Fixtures,
    byName: ReadonlyMap<string, DbtNode[]>,
  ) {
    this.#reading = reading
    this.#from = from
    this.#entry = entry
    this.#fixtures = fixtures
    this.#byName = byName
  }

  #wrong(message: string, place: Place | undefined = this.#entry.place): Failure {
    return new Failure('PROJECT_INVALID', `the unit test "${this.#entry.name}" ${message}`, { ...(place && { place }) })
  }

  /** @throws Failure PROJECT_INVALID */
  async read(): Promise<void> {
    const { name, value, file, place, keys } = this.#entry
    const { project, root } = this.#reading
    const from = this.#from
    if (typeof value['model'] !== 'string') throw this.#wrong('names no model', keys['model'] ?? place)
    const [modelName = '', wanted] = value['model'].trim().split(/\s+/)
    const fqn = [from.name, ...foldersOfTests(from, file), value['model'], name]
    const { config } = configOf('unit test', fqn, [isRecord(value['config']) ? value['config'] : {}], { from, root })
    const overrides = isRecord(value['overrides']) ? value['overrides'] : {}
    const part = (key: string): Config => (isRecord(overrides[key]) ? overrides[key] : {})
    const test: DbtUnitTest = {
      uniqueId: `unit_test.${from.name}.${value['model']}.${name}`,
      name,
      package: from.name,
      fqn,
      model: modelName,
      version: wanted,
      description: typeof value['description'] === 'string' ? value['description'] : '',
      versions: isRecord(value['versions']) ? value['versions'] : undefined,
      schema: undefined,
      given: await this.#given(),
      expect: await this.#rows(value['expect'], 'expect', keys['expect'] ?? place, undefined),
      overrides: { macros: part('macros'), vars: part('vars'), envVars: part('env_vars') },
      config,
      tags: tagsOf(config),
      dependsOn: [],
      file,
      place,
    }
    const candidates = (this.#byName.get(modelName) ?? []).filter(({ kind }) => kind === 'model')
    const models = this.#modelsOf(test, candidates)
    if (models === 'disabled' || config['enabled'] === false) {
      project.disabled.set(test.uniqueId, [{ kind: 'unit test', entry: test }])
      return
    }
    for (const model of models) this.#add(test, model)
  }

  #add(test: DbtUnitTest, model: DbtNode): void {
    this.#checkIncremental(test, model)
    const isVersion = model.version !== undefined
    const uniqueId = isVersion ? `${test.uniqueId}_v${model.version}` : test.uniqueId
    const { unitTests } = this.#reading.project
    const other = unitTests.get(uniqueId)
    if (other) throw this.#wrong(`is already defined in ${other.file}:${other.place.line ?? 1}`)
    unitTests.set(uniqueId, {
      ...test,
      uniqueId,
      version: model.version,
      schema: model.schema,
      given: test.given.map((given) => ({
        ...given,
        uniqueId: given.input === 'this' ? model.uniqueId : this.#input(given.input, given.place),
      })),
      dependsOn: [model.uniqueId],
    })
  }

  #modelsOf({ version, versions }: DbtUnitTest, candidates: readonly DbtNode[]): DbtNode[] | 'disabled' {
    const { value, keys } = this.#entry
    const { project } = this.#reading
    const found = pickRef(candidates, { package: undefined, version }, searchOrder(project, this.#from.name))
    if (!found) {
      const shown = String(value['model'])
      const isDisabled = [...project.disabled.keys()].some(
        (id) => id.startsWith('model.') && id.split('.')[2] === shown,
      )
      if (isDisabled) return 'disabled'
      const models = [...this.#byName.values()].flat().filter(({ kind }) => kind === 'model')
      throw this.#wrong(
        `is for a model "${shown}", which is not there${didYouMean(
          shown,
          models.map(({ name }) => name),
        )}`,
        keys['model'],
      )
    }
    const list = (key: 'include' | 'exclude') => {
      const written = versions?.[key]
      return Array.isArray(written) ? written.map(String) : undefined
    }
    const [included, excluded] = [list('include'), list('exclude')]
    if (included && excluded) throw this.#wrong('both includes and excludes versions', keys['versions'])
    if (found.version === undefined) {
      if (included || excluded)
        throw this.#wrong(`chooses versions of "${found.name}", which has none`, keys['versions'])
      return [found]
    }
    if (version !== undefined) return [found]
    const all = candidates.filter((each) => each.package === found.package)
    const chosen = all.filter(
      (each) => (included?.includes(each.version!) ?? true) && !(excluded?.includes(each.version!) ?? false),
    )
    if (chosen.length === 0) throw this.#wrong(`names no version of "${found.name}" that is there`, keys['versions'])
    return chosen
  }

  #checkIncremental({ overrides, given }: DbtUnitTest, model: DbtNode): void {
    if (!model.macros.includes('macro.dbt.is_incremental')) return
    const override = overrides.macros['is_incremental']
    if (typeof override !== 'boolean') {
      throw this.#wrong(
        `leaves open what is_incremental() answers: Boolean override for 'is_incremental' must be provided for unit test '${this.#entry.name}' in model '${model.name}'`,
      )
    }
    if (override && !given.some(({ input }) => input === 'this'))
      throw this.#wrong(
        `lets is_incremental() be true: Unit test '${this.#entry.name}' for incremental model '${model.name}' must have a 'this' input`,
      )
  }

  async #given(): Promise<DbtUnitTest['given']> {
    const { value, parts, keys } = this.#entry
    const list = value['given'] ?? []
    if (!Array.isArray(list)) throw this.#wrong('has a "given" that is no list', keys['given'])
    const found: DbtUnitTest['given'] = []
    for (const [index, entry] of (list as unknown[]).entries()) {
      const place = parts[index] ?? this.#entry.place
      if (!isRecord(entry) || typeof entry['input'] !== 'string')
        throw this.#wrong("has an entry of \"given\" without an input: ref('…'), source('…', '…') or this", place)
      const input = entry['input'].trim()
      found.push({ input, uniqueId: '', place, ...(await this.#rows(entry, 'given', place, input)) })
    }
    return found
  }

  /** The unique id of what an input names. */
  #input(input: string, place: Place): string {
    const { project } = this.#reading
    const parsed = refOrSource(input, place)
    const [ref] = parsed?.refs ?? []
    const [source] = parsed?.sources ?? []
    if (!ref && !source)
      throw this.#wrong(`has the input "${input}"; it must be ref('…'), source('…', '…') or this`, place)
    const found = ref
      ? findRef(this.#byName, ref, searchOrder(project, this.#from.name))
      : findSource(project, source!, this.#from.name)
    // As for dbt only running the test needs it.
    if (!found)
      this.#reading.warn(`the unit test "${this.#entry.name}" has the input ${input}, which is not there`, place)
    return found?.uniqueId ?? ''
  }

  async #rows(entry: unknown, key: string, place: Place, input: string | undefined): Promise<UnitRows> {
    if (!isRecord(entry)) throw this.#wrong(`has no "${key}"`, place)
    const formats = ['dict', 'csv', 'sql'] as const
    const { rows, fixture } = entry
    const format = formats.find((each) => each === (entry['format'] ?? 'dict'))
    if (!format)
      throw this.#wrong(`has the format "${String(entry['format'])}"; it must be one of ${formats.join(', ')}`, place)
    const name = typeof fixture === 'string' ? fixture : undefined
    if (format === 'dict') {
      if ((rows === undefined || rows === null) && name === undefined && input !== undefined) {
        const records = await this.#seedRows(input, place)
        return { format, rows: records, sql: undefined, fixture: undefined }
      }
      if (!Array.isArray(rows) || !rows.every(isRecord))
        throw this.#wrong(`has rows under "${key}" that are no list of mappings, as the format dict wants`, place)
      return { format, rows: promoted(rows), sql: undefined, fixture: undefined }
    }
    if (typeof rows !== 'string' && name === undefined)
      throw this.#wrong(`has no text under "${key}", as the format ${format} wants: give rows or a fixture`, place)
    const text = name === undefined ? String(rows) : await this.#fixture(name, format, place)
    return format === 'csv'
      ? { format, rows: promoted(csvRecords(text)), sql: undefined, fixture: name }
      : { format, rows: undefined, sql: text, fixture: name }
  }

  async #fixture(name: string, format: string, place: Place): Promise<string> {
    const file = this.#fixtures.get(`${name}.${format}`) ?? this.#fixtures.get(name)
    if (file === undefined) {
      const known = [...this.#fixtures.keys()].filter((each) => !each.includes('.'))
      throw this.#wrong(
        `wants the fixture "${name}", which is no file in tests/fixtures${didYouMean(name, known)}`,
        place,
      )
    }
    return (await this.#reading.files.text(file)).trim()
  }

  /** An input that is a seed and gives no rows has those of its file. */
  async #seedRows(input: string, place: Place): Promise<Config[]> {
    const parsed = refOrSource(input, place)
    const [ref] = parsed?.refs ?? []
    const seeds = (this.#byName.get(ref?.name ?? '') ?? []).filter(({ kind }) => kind === 'seed')
    const seed = ref && pickRef(seeds, ref, searchOrder(this.#reading.project, this.#from.name))
    if (!seed)
      throw this.#wrong(
        `gives no rows for ${input}, which only a seed can do without: Unable to find seed '${this.#from.name}.${ref?.name ?? ''}' for unit tests`,
        place,
      )
    return csvRecords(await this.#reading.files.text(seed.file))
  }
}

/** As in dbt the first row without a null changes places with the first: it decides types. */
function promoted(rows: readonly Config[]): Config[] {
  const at = rows.findIndex((row) => Object.values(row).every((value) => value !== null && value !== undefined))
  return at <= 0 ? [...rows] : rows.with(0, rows[at]!).with(at, rows[0]!)
}
