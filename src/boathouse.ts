// What is started. Hundreds of small files take several times as long to load as a few large ones, so `make build`
// puts the program together in `dist/`. That is used while every source is as it was then; else the sources are.

import { readFileSync, statSync } from 'node:fs'
import { constants, enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(import.meta.dirname, '..')

cacheCompiled()
const built = builtProgram()
// Stack traces name the sources and their lines.
if (built !== undefined) process.setSourceMapsEnabled(true)
const { runProgram }: typeof import('./program.ts') = await import(built ?? './program.ts')
process.exitCode = await runProgram(process.argv.slice(2), fileURLToPath(import.meta.url))

/** Types are stripped and code compiled once, not at every start, by this process and those that it starts. */
function cacheCompiled(): void {
  if (process.env['NODE_COMPILE_CACHE']) return
  // The second one is for a program that lies where its user may not write.
  for (const folder of [join(root, 'node_modules'), homedir()]) {
    const cache = join(folder, '.cache', 'boathouse')
    if (enableCompileCache(cache).status === constants.compileCacheStatus.FAILED) continue
    process.env['NODE_COMPILE_CACHE'] = cache
    return
  }
}

/** As `dist/built.json` has it, with size and time (in seconds) of every file that went in; see `tools/build-program.ts`. */
function builtProgram(): string | undefined {
  try {
    const { program, sources } = JSON.parse(readFileSync(`${root}/dist/built.json`, 'utf8')) as {
      program: string
      sources: Record<string, string>
    }
    const isNow = Object.entries(sources).every(([file, stamp]) => {
      const { size, mtimeMs } = statSync(`${root}/${file}`)
      return `${size} ${Math.floor(mtimeMs / 1000)}` === stamp
    })
    return isNow ? `../${program}` : undefined
  } catch {
    return undefined // never built, or a source is gone
  }
}
