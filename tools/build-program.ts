// Puts the program and the packages that it needs together in a folder of `dist/`, one file for what is always loaded together, so
// that a command loads few files and nothing that it does not use. See `src/boathouse.ts` for when that is used.

import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { findBuiltins } from '../src/project/dbt/macros.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
/** What has native parts, loads its own files, or is used by few: it stays where it is installed. */
const apart = ['pg', 'redis', 'chokidar', 'pino', 'pino-pretty', /^@duckdb\//]
/** Packages whose modules do nothing but export: one that is not used is left out. They do not say so themselves. */
const pure = /\/node_modules\/(yaml|kysely|zod)\//

const foundFile = `${root}src/project/dbt/builtin-found.ts`

const started = Date.now()
// Named by when it was built: a server that runs goes on loading what it was started with.
const folder = `${root}dist/${started.toString(36)}`
const program = await built('program', 'src/program.ts', apart)
// A process of its own, that needs little of all this: `src/engine/pool.ts` starts it.
const host = await built('host', 'src/engine/host.ts', [/^@duckdb\/node-bindings/])
const files = [...new Set([...program.files, ...host.files])]
const sources: Record<string, string> = {}
for (const file of ['package-lock.json', ...files].sort()) {
  const { size, mtimeMs } = await stat(`${root}${file}`)
  // Whole seconds: an image keeps no more of a time.
  sources[file] = `${size} ${Math.floor(mtimeMs / 1000)}`
  if (mtimeMs > started) throw new Error(`${file} was changed while the program was built: build again`)
}
const list = `${root}dist/built.json`
await writeFile(`${list}.new`, JSON.stringify({ program: `dist/${basename(folder)}/program.mjs`, sources }))
await rename(`${list}.new`, list)
await removeOld()
const chunks = program.chunks + host.chunks
console.log(`dist: ${chunks} files of ${files.length} sources, in ${((Date.now() - started) / 1000).toFixed(1)} s`)

/** The built-in macros as they are found in their text. */
function foundCode(): string {
  return `export const builtinFound = JSON.parse(${JSON.stringify(JSON.stringify(findBuiltins()))})\n`
}

async function built(name: string, file: string, external: (string | RegExp)[]) {
  const program = await rolldown({
    input: { [name]: file },
    cwd: root,
    platform: 'node',
    external,
    plugins: [{ name: 'found', load: (id) => (id === foundFile ? { code: foundCode(), moduleType: 'js' } : null) }],
    // None of our modules does anything when it is loaded, so an index of a room costs only what is used of it.
    treeshake: { moduleSideEffects: (id) => !id.startsWith(`${root}src/`) && !pure.test(id) },
    onLog(level, log) {
      if (level === 'warn') throw new Error(log.message)
    },
  })
  const { output } = await program.write({
    dir: folder,
    // Of `.js` Node would ask the package.json around each file what it is.
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name].mjs',
    // For stack traces: the places that they name are those of the sources.
    sourcemap: true,
    sourcemapExcludeSources: true,
  })
  // All that was read: an index that only hands on is in no file, and what it says counts all the same.
  const files = (await program.watchFiles).map((read) => relative(root, read)).filter((read) => read.startsWith('src/'))
  await program.close()
  return { files, chunks: output.filter(({ type }) => type === 'chunk').length }
}

/** Builds that are older than a week and not among the newest ones: nothing that runs was started with them. */
async function removeOld(): Promise<void> {
  const entries = await readdir(`${root}dist`, { withFileTypes: true })
  const builds = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const newestFirst = builds.sort((a, b) => parseInt(b, 36) - parseInt(a, 36))
  for (const [index, name] of newestFirst.entries())
    if (index >= 20 || (index >= 3 && parseInt(name, 36) < started - 7 * 86_400_000))
      await rm(`${root}dist/${name}`, { recursive: true, force: true })
}
