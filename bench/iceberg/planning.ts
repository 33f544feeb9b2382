// Planning a selective scan of a table of many files with full statistics, of which one matches; then the whole query.

import { fork } from 'node:child_process'
import { join } from 'node:path'
import {
  applyUpdates,
  newTableMetadata,
  prepareAppend,
  writeTableMetadata,
  type NewDataFile,
  type TableMetadata,
  type Value,
} from '../../src/iceberg/index.ts'
import { fileLocation, localFileIO } from '../../src/io/index.ts'
import { measure, median, megabytes, ratioByRounds, table, tenths, type Samples } from '../measure.ts'
import type { Bench } from './bench.ts'
import type { Figures } from './child.ts'
import type { BenchLake } from './lake.ts'

const filesPerManifest = 1_000
const rowsPerFile = 1_000
/** In a row, about either table in turn. */
const questions = 20
const columns = [
  ['id', 'long'],
  ['n', 'int'],
  ['a', 'string'],
  ['b', 'string'],
  ['price', 'long'],
  ['x', 'double'],
  ['ts', 'timestamp'],
  ['day', 'date'],
] as const
type Kind = (typeof columns)[number][1]

export async function benchPlanning({
  lake,
  pyiceberg,
  freshPyiceberg,
  rounds,
  files,
  manyFiles,
}: Bench): Promise<string[]> {
  const first = (files >> 1) * rowsPerFile
  const location = await makeTable(lake, 'planned', files)
  await lake.catalog.register(lake.name('planned'), location, { kind: 'table' })
  const only = await makeTable(lake, 'needed', 1)
  await lake.catalog.register(lake.name('needed'), only, { kind: 'table' })
  let asked = 0
  // Each question is another text: nothing that was kept of one helps the next.
  const query = async (name: string, from: number) => {
    const started = performance.now()
    const { rows } = await lake.query(`select * from raw.${name} where id = ${from + (asked++ % rowsPerFile)}`)
    if (rows.length !== 1) throw new Error(`${rows.length} rows instead of one`)
    return performance.now() - started
  }
  const queries = async () => {
    const times: Record<string, number[]> = { all: [], needed: [] }
    for (let round = 0; round < questions; round++) {
      times['all']!.push(await query('planned', first))
      times['needed']!.push(await query('needed', 0))
    }
    return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)]))
  }
  const samples = await measure(
    [
      { name: 'Boathouse', run: () => planned(location, first) },
      { name: 'query', run: queries },
      ...(pyiceberg ? [{ name: 'PyIceberg', run: () => pyiceberg.ask('plan', { location, value: first }) }] : []),
    ],
    { rounds, warmUp: true },
  )
  const row = (name: string, title: string) => ({ name, title, show: tenths })
  const large = await makeTable(lake, 'large', manyFiles)
  const ours = await planned(large, (manyFiles >> 1) * rowsPerFile)
  const theirs = await freshPyiceberg?.ask('plan', { location: large, value: (manyFiles >> 1) * rowsPerFile })
  return [
    '## Planning',
    '',
    `A table of ${files.toLocaleString('en')} files with statistics of 8 columns in ${Math.ceil(files / filesPerManifest)} manifests on the local disk; one file matches. Cold begins with`,
    'the metadata file and knows nothing; warm has the metadata and the manifests of the plan before. The query asks for one row',
    'by SQL, each time another, in a process that has read the table before.',
    '',
    ...table(samples, [
      row('Boathouse: warm', 'Boathouse, plan, warm'),
      row('Boathouse: cold', 'Boathouse, plan, cold'),
      row('Boathouse: first', 'Boathouse, first plan of a process'),
      row('query: all', `Boathouse, whole query, p50 of ${questions}`),
      row('query: needed', 'the same of a table that has the one file only'),
      ...(pyiceberg
        ? [
            row('PyIceberg: again', 'PyIceberg, plan, warm'),
            row('PyIceberg: fresh', 'PyIceberg, plan, metadata read again'),
          ]
        : []),
    ]),
    '',
    `Goals: warm 10 ms, cold 100 ms, whole query 50 ms. ${verdict(samples)}`,
    '',
    `With ${manyFiles.toLocaleString('en')} files: warm ${tenths(ours.warm!)}, cold ${tenths(ours.cold!)}${theirs ? ` (PyIceberg: warm ${tenths(theirs.again!)})` : ''}. The process then has ${megabytes(ours.resident!)} of`,
    `memory at most, ${megabytes(ours.resident! - ours.before!)} more than before the first plan; its kept manifests weigh ${megabytes(ours.kept!)}${theirs ? `. PyIceberg: ${megabytes(theirs.resident!)} at most` : ''}.`,
  ]
}

const verdict = (samples: Samples) =>
  `Here **${tenths(median(samples.get('Boathouse: warm')!))}**, **${tenths(median(samples.get('Boathouse: cold')!))}** and **${tenths(median(samples.get('query: all')!))}**, the query **${ratioByRounds(samples, 'query: needed', 'query: all').toFixed(2)}** times as long as one of the needed file alone (goal: 1.5).`

/** Figures of a process that does nothing else. */
function planned(location: string, value: number): Promise<Figures> {
  const child = fork(join(import.meta.dirname, 'plan.ts'), [location, String(value)], {
    execArgv: ['--disable-warning=ExperimentalWarning', '--expose-gc'],
  })
  return new Promise((resolve, reject) => {
    child.once('message', (figures) => resolve(figures as Figures))
    child.once('exit', (code) => reject(new Error(`plan.ts ended with ${code}`)))
  })
}

/** The location of the table's metadata. Only the file in the middle exists: a plan that is right reads no other. */
async function makeTable(lake: BenchLake, name: string, count: number): Promise<string> {
  const io = localFileIO({ sync: false })
  const location = fileLocation(join(lake.root, name))
  const middle = count >> 1
  const real = join(lake.spool, `${name}.parquet`)
  const select = columns.map(([column, kind]) => `${literal(kind, `range + ${middle * rowsPerFile}`)} AS ${column}`)
  await lake.engine.rows({
    class: 'write',
    sql: `COPY (SELECT ${select.join(', ')} FROM range(${rowsPerFile})) TO '${real}'
      (FORMAT parquet, FIELD_IDS {${columns.map(([column], index) => `${column}: ${index + 1}`).join(', ')}})`,
  })
  await io.upload(pathOf(location, middle), real)
  const schema = columns.map(([column, kind]) => ({ name: column, type: { kind } }))
  let metadata: TableMetadata = newTableMetadata({
    uuid: crypto.randomUUID(),
    location,
    nowMs: lake.clock.now(),
    schema,
  })
  for (let from = 0; from < count; from += filesPerManifest) {
    const nowMs = lake.clock.now()
    const numbers = Array.from({ length: Math.min(filesPerManifest, count - from) }, (_, index) => from + index)
    const files = numbers.map((number) => dataFile(location, number))
    const { updates } = await (await prepareAppend(io, metadata, files)).on(metadata, { nowMs })
    metadata = applyUpdates(metadata, updates, { nowMs })
  }
  return writeTableMetadata(io, metadata)
}

const pathOf = (location: string, number: number) =>
  `${location}/data/00000-${number}-0f9f3c5e-6c1e-4d5b-9c55-1d8d3f7a2b11-00001.parquet`

const literal = (kind: Kind, number: string) =>
  ({
    long: `(${number})::BIGINT`,
    int: `(${number})::INT`,
    string: `lpad((${number})::VARCHAR, 12, '0')`,
    double: `(${number})::DOUBLE`,
    timestamp: `make_timestamp((${number})::BIGINT)`,
    date: `DATE '1970-01-01' + (${number})::INT`,
  })[kind]

function valueOf(kind: Kind, number: number): Value {
  if (kind === 'string') return String(number).padStart(12, '0')
  return kind === 'long' || kind === 'timestamp' ? BigInt(number) : number
}

function dataFile(location: string, number: number): NewDataFile {
  const all = <Item>(item: (kind: Kind, id: number) => Item) =>
    new Map(columns.map(([, kind], index) => [index + 1, item(kind, index + 1)] as const))
  const from = number * rowsPerFile
  return {
    path: pathOf(location, number),
    recordCount: rowsPerFile,
    fileSizeBytes: 50_000,
    columnSizes: all((_, id) => id * 1_000),
    valueCounts: all(() => rowsPerFile),
    nullCounts: all(() => 0),
    lower: all((kind) => valueOf(kind, from)),
    upper: all((kind) => valueOf(kind, from + rowsPerFile - 1)),
  }
}
