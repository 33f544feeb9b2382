// Planning a selective scan: a table of 8 columns with full statistics, 1,000 files a manifest, one file matches.
//
//     node bench/iceberg/plan.ts [files]
//
// `cold` has nothing in memory but the program, `warm` the manifests of the plan before. PyIceberg 0.12 took 780 ms for 10,000 files
// (research of November 2026).

import {
  applyUpdates,
  manifestCache,
  newTableMetadata,
  planScan,
  prepareAppend,
  type NewDataFile,
  type TableMetadata,
  type Value,
} from '../../src/iceberg/index.ts'
import { memoryFileIO } from '../../src/io/index.ts'

const count = Number(process.argv[2] ?? 10_000)
const [rounds, filesPerManifest] = [15, 1000]
const io = memoryFileIO()
const names = ['id', 'n', 'a', 'b', 'price', 'x', 'at', 'day']
const kinds = ['long', 'int', 'string', 'string', 'long', 'double', 'timestamp', 'date'] as const
const schema = names.map((name, index) => ({ name, type: { kind: kinds[index]! } }))
let metadata: TableMetadata = newTableMetadata({ uuid: 'u', location: '/t', nowMs: 0, schema })

const valueOf = (kind: (typeof kinds)[number], number: number): Value =>
  kind === 'string'
    ? `value ${number} of the table`
    : ['int', 'double', 'date'].includes(kind)
      ? number
      : BigInt(number)
function dataFile(index: number): NewDataFile {
  const all = <Item>(item: (id: number) => Item) => new Map(names.map((_, at) => [at + 1, item(at + 1)] as const))
  return {
    path: `s3://bucket/warehouse/db/table/data/00000-${index}-0f9f3c5e-6c1e-4d5b-9c55-1d8d3f7a2b11-00001.parquet`,
    recordCount: 100_000,
    fileSizeBytes: 5_000_000,
    columnSizes: all((id) => id * 100_000),
    valueCounts: all(() => 100_000),
    nullCounts: all(() => 0),
    lower: all((id) => valueOf(kinds[id - 1]!, index * 1000)),
    upper: all((id) => valueOf(kinds[id - 1]!, index * 1000 + 999)),
  }
}
for (let from = 0; from < count; from += filesPerManifest) {
  const files = Array.from({ length: Math.min(filesPerManifest, count - from) }, (_, index) => dataFile(from + index))
  const { updates } = await (await prepareAppend(io, metadata, files)).on(metadata, { nowMs: from + 1 })
  metadata = applyUpdates(metadata, updates, { nowMs: from + 1 })
}

const predicate = { op: '=', field: 1, value: BigInt((count / 2) * 1000 + 5) } as const
async function planned(options: Parameters<typeof planScan>[2]) {
  const start = performance.now()
  const { files } = await planScan(io, metadata, options)
  return { ms: performance.now() - start, files: files.length }
}
const median = (all: number[]) => all.toSorted((a, b) => a - b)[all.length >> 1]!.toFixed(1)

const first = await planned({ predicate })
const manifests = manifestCache({ bytesMax: 2 ** 30 })
const cold: number[] = []
const warm: number[] = []
const full: number[] = []
await planned({ predicate, manifests })
for (let round = 0; round < rounds; round++) {
  cold.push((await planned({ predicate })).ms)
  warm.push((await planned({ predicate, manifests })).ms)
  full.push((await planned({ manifests })).ms)
}
globalThis.gc?.()
console.log(`${count} files in ${Math.ceil(count / filesPerManifest)} manifests, ${first.files} match`)
console.log(`first plan of the process ${first.ms.toFixed(1)} ms, cold ${median(cold)} ms, warm ${median(warm)} ms`)
console.log(`all files, warm ${median(full)} ms; cached manifests weigh ${(manifests.bytes / 2 ** 20).toFixed(1)} MiB`)
console.log(`resident at most ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`)
