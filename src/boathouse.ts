// What is started. Hundreds of small files take several times as long to load as a few large ones, so `make build`
// puts the program together in `dist/`. That is used while every source is as it was then; else the sources are.

import { readFileSync, statSync } from 'node:fs'
import { constants, enableCompileCache, SourceMap } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(import.meta.dirname, '..')

cacheCompiled()
const built = builtProgram()
if (built !== undefined) nameSources()
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

/**
 * Stack traces of the built program name the sources and their lines. Node would read all the maps at every start; most
 * commands never show a stack.
 */
function nameSources(): void {
  const maps = new Map<string, SourceMap | undefined>()
  const mapOf = (file: string): SourceMap | undefined => {
    if (maps.has(file)) return maps.get(file)
    let map: SourceMap | undefined
    try {
      map = new SourceMap(JSON.parse(readFileSync(fileURLToPath(`${file}.map`), 'utf8')) as never)
    } catch {
      // The places in the built file are better than none.
    }
    maps.set(file, map)
    return map
  }
  const dist = pathToFileURL(join(root, 'dist/')).href
  Error.prepareStackTrace = (error: Error, sites) => {
    const lines = sites.map((site) => {
      const file = site.getScriptNameOrSourceURL() ?? ''
      const shown = `    at ${String(site)}`
      const map = file.startsWith(dist) ? mapOf(file) : undefined
      const [line, column] = [site.getLineNumber() ?? 1, site.getColumnNumber() ?? 1]
      const entry = map?.findEntry(line - 1, column - 1)
      if (!entry || !('originalSource' in entry)) return shown
      const place = `${new URL(entry.originalSource, file).href}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
      return shown.replace(`${file}:${line}:${column}`, place)
    })
    return [String(error), ...lines].join('\n')
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
