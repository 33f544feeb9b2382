// A process that reads files through a cache that others use too, until it has read `rounds` times or is killed.
//     cache-process.ts <folder of the store> <folder of the cache> <bytesMax> <rounds> <seed>

import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { localFileIO, mappedFileIO, openFileCache } from '../../src/io/index.ts'

const [store = '', folder = '', bytesMax, rounds, seed] = process.argv.slice(2)
const io = mappedFileIO(localFileIO(), { from: 's3://store', to: store })
const cache = await openFileCache({ io, folder, bytesMax: Number(bytesMax) })
const names = readdirSync(store)
let state = Number(seed)
const random = (below: number) => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) % below

process.stdout.write('ready\n')
const reader = async () => {
  for (let round = 0; round < Number(rounds); round++) {
    const some = Array.from({ length: 1 + random(3) }, () => names[random(names.length)]!)
    const lease = await cache.lease(some.map((name) => ({ path: `s3://store/${name}` })))
    await sleep(random(3))
    for (const name of some) {
      const content = await readFile(lease.pathOf(`s3://store/${name}`))
      // The name of each file says what is in it.
      if (createHash('sha256').update(content).digest('hex') !== name) throw new Error(`${name} has other bytes`)
    }
    lease.release()
  }
}
await Promise.all([reader(), reader(), reader()])
process.stdout.write(`${JSON.stringify(cache.stats())}\n`)
await cache.close()
