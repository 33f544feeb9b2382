// What reading a project has found out about its texts, kept in a file until the next time.
//
// Most of it follows from a text alone: the blocks of a macro file, the calls of a model, the values and places of a YAML
// file. It is kept under the hash of that text and of whatever else goes in, so it cannot be out of date, and no change has
// to be traced through the project: a text that is as it was is not parsed again, and what depends on more (names, graph) is
// worked out anew each time. What a model's rendering asked for is kept under the hash of all macros, variables and
// configs, too: a change of one of those has every model rendered again.
//
// The file is lines, a key and a value in JSON. A value is parsed when it is asked for, each time anew, so that nobody can
// change what another one gets. No code is kept: whoever writes the file can say no more than who writes the project.

import { hash, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { programFile } from '../../base/program.ts'
import { Float } from '../../jinja/index.ts'

/** A file that is larger was made by something else. */
const bytesMax = 256 * 2 ** 20

export class ParseCache {
  readonly #known: ReadonlyMap<string, string>
  /** What was asked for this time; the rest is about texts that are not there now. */
  readonly #used = new Map<string, string>()
  #isNew = false

  constructor(known: ReadonlyMap<string, string> = new Map()) {
    this.#known = known
  }

  /**
   * The value of `make()`, which must follow from `text` and `where` alone and be plain data, or what it was the last time.
   * What is no JSON (infinity, dates) is not kept. `isValid`: whether what follows from more is so still; asked before it is
   * kept, too.
   */
  of<Value>(
    kind: string,
    where: readonly (string | number)[],
    text: string,
    make: () => Value,
    isValid: (value: Value) => boolean = () => true,
  ): Value {
    const key = hash('sha256', `${JSON.stringify([kind, ...where])}${text}`, 'base64url')
    const kept = this.#used.get(key) ?? this.#known.get(key)
    if (kept !== undefined) {
      const value = JSON.parse(kept) as Value
      if (isValid(value)) {
        this.#used.set(key, kept)
        return value
      }
    }
    const made = make()
    if (isValid(made) && isJson(made)) {
      this.#used.set(key, JSON.stringify(made))
      this.#isNew = true
    }
    return made
  }

  /** The lines of the file; undefined when it would say nothing new. */
  lines(): string[] | undefined {
    if (!this.#isNew) return undefined
    // Texts come back: a branch, another target. They go when they are more than those that are there.
    const isWorn = this.#known.size > 2 * this.#used.size
    const kept = isWorn ? this.#used : new Map([...this.#known, ...this.#used])
    return Array.from(kept, ([key, value]) => `${key} ${value}`)
  }
}

/** Deeper values are nobody's work. */
const depthMax = 400

/**
 * Numbers, texts, lists and records that JSON gives back as they are; a key without a value may be left out. A Float comes
 * back as a number: who keeps one says where.
 */
function isJson(value: unknown, depth = 0): boolean {
  if (depth > depthMax) return false
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      if (value === null) return true
      if (Array.isArray(value)) return value.every((each) => isJson(each, depth + 1))
      if (value instanceof Float) return isJson(value.value)
      return (
        Object.getPrototypeOf(value) === Object.prototype &&
        Object.values(value).every((each) => each === undefined || isJson(each, depth + 1))
      )
    default:
      return false
  }
}

/** The cache of the dbt project in `dir`; several may share a folder of state. */
export const parseCacheFile = (stateDir: string, dir: string): string =>
  join(stateDir, 'parse', `${hash('sha256', dir).slice(0, 16)}.cache`)

/** An empty cache when there is no file, or one that is damaged or of another version of this program. */
export async function openParseCache(file: string): Promise<ParseCache> {
  try {
    if ((await stat(file)).size > bytesMax) return new ParseCache()
    const text = await readFile(file, 'utf8')
    const end = text.indexOf('\n')
    const body = text.slice(end + 1)
    if (text.slice(0, end) !== headOf(body)) return new ParseCache()
    const lines = body.split('\n')
    return new ParseCache(new Map(lines.map((line) => [line.slice(0, keyLength), line.slice(keyLength + 1)])))
  } catch {
    return new ParseCache()
  }
}

/** SHA-256 in base64url. */
const keyLength = 43

/** A cache that cannot be written is none the next time. Whoever reads meanwhile reads the old file or the new one. */
export async function saveParseCache(file: string, cache: ParseCache): Promise<void> {
  const lines = cache.lines()
  if (!lines) return
  const temporary = `${file}.${randomUUID()}`
  try {
    const body = lines.join('\n')
    await mkdir(dirname(file), { recursive: true })
    await writeFile(temporary, `${headOf(body)}\n${body}`)
    await rename(temporary, file)
  } catch {
    await rm(temporary, { force: true }).catch(() => {})
  }
}

/** The first line: that nothing is damaged, and the version of what is kept. */
const headOf = (body: string): string => `boathouse ${(version ??= readVersion())} ${hash('sha256', body, 'base64url')}`

let version: string | undefined
/** Of the program, and of the sources that find out what is kept, as they are while it is worked on. */
function readVersion(): string {
  const { version } = JSON.parse(readFileSync(programFile('package.json'), 'utf8')) as { version: string }
  // A program that was put together has a folder of its own, which is left as soon as a source differs.
  if (import.meta.url.endsWith('.mjs')) return `${version} ${basename(dirname(fileURLToPath(import.meta.url)))}`
  const stamps = ['src/jinja', 'src/project'].flatMap((folder) => {
    const dir = fileURLToPath(programFile(folder))
    return readdirSync(dir, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .sort()
      .map((file) => {
        const { size, mtimeMs } = statSync(join(dir, file))
        return `${file} ${size} ${mtimeMs}`
      })
  })
  return `${version} ${hash('sha256', stamps.join('\n'), 'base64url')}`
}
