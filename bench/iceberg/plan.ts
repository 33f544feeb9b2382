// Plans of one table in a process of their own: what the first costs, what memory they take.
//
//     node --expose-gc bench/iceberg/plan.ts METADATA_FILE ID

import { manifestCache, planScan, readTableMetadata, type BoundedManifestCache } from '../../src/iceberg/index.ts'
import { localFileIO } from '../../src/io/index.ts'
import { median } from '../measure.ts'

const [location, id] = process.argv.slice(2) as [string, string]
const rounds = 11
const io = localFileIO()
const predicate = { op: '=', field: 1, value: BigInt(id) } as const
const before = process.memoryUsage.rss()

async function cold(manifests?: BoundedManifestCache): Promise<number> {
  const started = performance.now()
  const metadata = await readTableMetadata(io, location)
  const { files } = await planScan(io, metadata, { predicate, ...(manifests && { manifests }) })
  if (files.length !== 1) throw new Error(`${files.length} files match instead of one`)
  return performance.now() - started
}

const first = await cold()
const manifests = manifestCache({ bytesMax: 2 ** 30 })
const metadata = await readTableMetadata(io, location)
await cold(manifests)
const [colds, warms]: [number[], number[]] = [[], []]
for (let round = 0; round < rounds; round++) {
  colds.push(await cold())
  const started = performance.now()
  await planScan(io, metadata, { predicate, manifests })
  warms.push(performance.now() - started)
}
globalThis.gc?.()
const resident = process.resourceUsage().maxRSS * 1024
process.send?.({ first, cold: median(colds), warm: median(warms), before, resident, kept: manifests.bytes })
process.disconnect?.()
