// Puts the program and the packages that it needs together in `dist/`, one file for what is always loaded together, so
// that a command loads few files and nothing that it does not use. See `src/boathouse.ts` for when that is used.

import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('../', import.meta.url))
/** What has native parts, loads its own files, or is used by few: it stays where it is installed. */
const apart = ['pg', 'redis', 'chokidar', 'pino', 'pino-pretty', /^@duckdb\//]
/** Packages whose modules do nothing but export: one that is not used is left out. They do not say so themselves. */
const pure = /\/node_modules\/(yaml|kysely|zod)\//

const started = Date.now()
const program = await rolldown({
  input: { program: 'src/program.ts' },
  cwd: root,
  platform: 'node',
  external: apart,
  // None of our modules does anything when it is loaded, so an index of a room costs only what is used of it.
  treeshake: { moduleSideEffects: (id) => !id.startsWith(`${root}src/`) && !pure.test(id) },
  onLog(level, log) {
    if (level === 'warn') throw new Error(log.message)
  },
})
const folder = `${root}dist.new`
await rm(folder, { recursive: true, force: true })
const { output } = await program.write({ dir: folder, entryFileNames: '[name].js', chunkFileNames: '[name].js' })

// All that was read: an index that only hands on is in no file, and what it says counts all the same.
const sources = (await program.watchFiles).map((file) => relative(root, file)).filter((file) => file.startsWith('src/'))
const stamps: Record<string, string> = {}
for (const file of ['package-lock.json', ...sources].sort()) {
  const { size, mtimeMs } = await stat(`${root}${file}`)
  stamps[file] = `${size} ${mtimeMs}`
  if (mtimeMs > started) throw new Error(`${file} was changed while the program was built: build again`)
}
await program.close()
await writeFile(`${folder}/sources.json`, JSON.stringify(stamps))
await rm(`${root}dist`, { recursive: true, force: true })
await rename(folder, `${root}dist`)
console.log(
  `dist: ${output.length} files of ${sources.length} sources, in ${((Date.now() - started) / 1000).toFixed(1)} s`,
)
