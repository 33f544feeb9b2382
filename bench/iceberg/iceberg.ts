// The table format beside PyIceberg and raw DuckDB, printed to docs/reference/bench-iceberg.md.

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { circumstances, machineLoad } from '../measure.ts'
import { benchAppend, makeSource } from './append.ts'
import type { Bench } from './bench.ts'
import { startPeer } from './child.ts'
import { benchCommits } from './commits.ts'
import { memoryBytes, openBenchLake, threads } from './lake.ts'
import { benchPlanning } from './planning.ts'
import { benchRest } from './rest.ts'
import { benchRows } from './rows.ts'
import { benchStorage } from './storage.ts'
import { benchFork, benchUpkeep } from './upkeep.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 5)
const scale = Number(process.env.BENCH_SCALE ?? 1)
const python = process.env.BENCH_PYTHON || undefined
const sized = (count: number) => Math.max(20, Math.round(count * scale))

const loadBefore = machineLoad()
const lake = await openBenchLake()
const here = (name: string) => join(import.meta.dirname, name)
const quiet = '--disable-warning=ExperimentalWarning'
const duckdb = startPeer(process.execPath, [quiet, here('duckdb.ts'), String(threads), `${memoryBytes / 2 ** 20}MiB`])
const [pyiceberg, freshPyiceberg] = ['peer', 'fresh-peer'].map((name) => {
  if (python === undefined) return undefined
  const folder = join(lake.root, name)
  mkdirSync(folder)
  return startPeer(python, [here('pyiceberg_peer.py'), folder])
})
const bench: Bench = {
  lake,
  duckdb,
  pyiceberg,
  freshPyiceberg,
  rounds,
  rows: sized(1_000_000),
  commits: sized(1_000),
  files: sized(10_000),
  manyFiles: sized(100_000),
  tables: sized(1_000),
}
try {
  const source = await makeSource(bench)
  const sections = [
    await benchAppend(bench, source),
    await benchCommits(bench),
    await benchPlanning(bench),
    await benchRest(bench),
    await benchStorage(bench, python),
    await benchRows(bench, source),
    await benchUpkeep(bench),
    await benchFork(bench),
  ]
  const text = [
    '# Measurements of the table format',
    '',
    `Printed by \`make bench\`: ${circumstances()}${python ? `, PyIceberg ${version(python)}` : ''}.`,
    `Rounds: ${rounds}, each case once in every round. Load of the machine before ${loadBefore.toFixed(1)}, after ${machineLoad().toFixed(1)}:`,
    'above the number of cores, others were at work too; then times are too long and only what was measured side by side can be',
    'compared. Ratios are medians of those of the rounds.',
    ...(scale === 1 ? [] : [`All sizes are multiplied by ${scale}.`]),
    '',
    ...sections.flatMap((section) => [...section, '']),
  ].join('\n')
  writeFileSync(fileURLToPath(new URL('../../docs/reference/bench-iceberg.md', import.meta.url)), text)
  process.stdout.write(text)
} finally {
  await duckdb.close()
  await pyiceberg?.close()
  await freshPyiceberg?.close()
  await lake.close()
}

function version(command: string): string {
  return execFileSync(command, ['-c', 'import pyiceberg; print(pyiceberg.__version__)'], { encoding: 'utf8' }).trim()
}
