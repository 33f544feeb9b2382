// The same on an object store: SeaweedFS of the lab beside the project, on this machine, with DuckDB and PyIceberg on it
// too. Without the lab the section says so.

import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { s3FileIO } from '../../src/io/index.ts'
import { labServices } from '../../test/conformance/storage/lab.ts'
import { measure, milliseconds, table, tenths, type Case } from '../measure.ts'
import { makeSource } from './append.ts'
import type { Bench } from './bench.ts'
import { startPeer, type Peer } from './child.ts'
import { oneRow } from './commits.ts'
import { memoryBytes, openBenchLake, threads } from './lake.ts'

const parts = 200
const rowsPerPart = 5_000

export async function benchStorage(bench: Bench, python: string | undefined): Promise<string[]> {
  const env = await labServices('seaweedfs')
  if (!env) return ['## On an object store', '', 'Not measured: no lab of services beside the project.']
  const endpoint = env['LAB_S3_ENDPOINT']!
  const location = `s3://${env['LAB_S3_BUCKET']}/bench-${randomUUID().slice(0, 8)}`
  const keys = { accessKeyId: env['AWS_ACCESS_KEY_ID']!, secretAccessKey: env['AWS_SECRET_ACCESS_KEY']! }
  const io = s3FileIO({ endpoint, region: env['AWS_REGION'], credentials: async () => keys })
  const lake = await openBenchLake({ store: { location, io } })
  const peers: Peer[] = []
  const peer = (command: string | undefined, script: string, ...args: string[]) => {
    if (command === undefined) return undefined
    const started = startPeer(command, [join(import.meta.dirname, script), ...args], env)
    peers.push(started)
    return started
  }
  try {
    const source = await makeSource({ ...bench, lake })
    const duckdb = peer(duckdbPython(), 'duckdb_s3_peer.py', String(threads), `${memoryBytes / 2 ** 20}MiB`)
    const pyiceberg = peer(python, 'pyiceberg_peer.py', lake.spool)
    const properties = {
      's3.endpoint': endpoint,
      's3.access-key-id': keys.accessKeyId,
      's3.secret-access-key': keys.secretAccessKey,
      's3.region': env['AWS_REGION']!,
    }
    await pyiceberg?.ask('remote', { warehouse: `${location}/pyiceberg`, properties })
    await pyiceberg?.ask('one_row_table')

    await lake.append('one', oneRow)
    const many = `SELECT range::BIGINT AS id, (range // ${rowsPerPart})::INT AS part, md5(range::VARCHAR) AS text FROM range(${parts * rowsPerPart})`
    await lake.append('many', many, { partitionedBy: [{ column: 'part', transform: { kind: 'identity' } }] })
    const { location: metadataFile, metadata } = await lake.table('many')
    let [number, asked] = [0, (parts >> 1) * rowsPerPart]
    const query = async () => {
      const { rows } = await lake.query(`select * from raw.many where id = ${asked++}`)
      if (rows.length !== 1) throw new Error(`${rows.length} rows instead of one`)
    }
    const duck = (name: string, sql: () => string): Case[] =>
      duckdb ? [{ name: `DuckDB, ${name}`, run: () => duckdb.ask('run', { sql: sql() }) }] : []
    const py = (name: string, command: string, argument: () => Record<string, unknown>): Case[] =>
      pyiceberg ? [{ name: `PyIceberg, ${name}`, run: () => pyiceberg.ask(command, argument()) }] : []
    const samples = await measure(
      [
        {
          name: 'append',
          run: async () => void (await lake.append(`append_${number++}`, `FROM read_parquet('${source}')`)),
        },
        ...duck(
          'append',
          () =>
            `COPY (FROM read_parquet('${source}')) TO '${location}/copied.parquet' (FORMAT parquet, COMPRESSION zstd)`,
        ),
        ...py('append', 'append', () => ({ file: source })),
        { name: 'one row', run: async () => void (await lake.append('one', oneRow)) },
        ...py('one row', 'one_row', () => ({})),
        { name: 'cold', prepare: lake.forgetFiles, run: query },
        { name: 'warm', run: query },
        ...duck('selective', () => `FROM read_parquet('${metadata.location}/data/**/*.parquet') WHERE id = ${asked++}`),
        ...py('selective', 'select', () => ({ location: metadataFile, value: asked++, properties })),
      ],
      { rounds: bench.rounds, warmUp: true },
    )
    const rows: [name: string, title: string, show: (ms: number) => string][] = [
      ['append', 'Boathouse, append of all rows, published', milliseconds],
      ['DuckDB, append: ms', 'DuckDB, `COPY` to the store', milliseconds],
      ['PyIceberg, append: ms', 'PyIceberg, append', milliseconds],
      ['one row', 'Boathouse, append of one row', tenths],
      ['PyIceberg, one row: ms', 'PyIceberg, append of one row', tenths],
      ['cold', `Boathouse, one row of ${parts} files, none of them on this disk`, tenths],
      ['warm', 'Boathouse, again another row of that file', tenths],
      ['DuckDB, selective: ms', 'DuckDB, `read_parquet` of all files with the same condition', tenths],
      ['PyIceberg, selective: ms', 'PyIceberg, the same scan, the table loaded anew', tenths],
    ]
    return [
      '## On an object store',
      '',
      'SeaweedFS 3.39 on this machine: no network lies between, so this is what the programs themselves and their requests cost.',
      `The rows of "Append of many rows", then one row at a time, then a question about one row of ${(parts * rowsPerPart).toLocaleString('en')} in ${parts} partitions.`,
      'Boathouse keeps files that it has read or written on the local disk; for the cold question they are taken away, the metadata is known.',
      '',
      ...table(
        samples,
        rows.filter(([name]) => samples.has(name)).map(([name, title, show]) => ({ name, title, show })),
      ),
    ]
  } finally {
    for (const one of peers) await one.close()
    await io.deleteAll(await Array.fromAsync(io.list(location), ({ path }) => path)).catch(() => {})
    await lake.close()
  }
}

/** A Python with DuckDB's extensions, which `make conformance` installs too. */
function duckdbPython(): string | undefined {
  try {
    const conformance = join(import.meta.dirname, '../../test/conformance')
    const args = ['duckdb-iceberg', join(conformance, 'rck/requirements.txt')]
    return execFileSync(join(conformance, 'python.sh'), args, { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}
