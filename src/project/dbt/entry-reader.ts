// Reading mappings of YAML whose keys may be missing or of the wrong kind: a mistake is noted at its place, and
// reading goes on with what is there.

import { isRecord } from '../../base/record.ts'
import { Failure, type Place } from '../../base/failure.ts'
import { didYouMean } from '../../base/suggest.ts'
import { Float } from '../../jinja/index.ts'
import type { Located, Path } from '../yaml.ts'
import type { Config } from './types.ts'

export class EntryReader {
  readonly file: string
  readonly at: Located<unknown>['at']
  readonly #failures: Failure[]
  /** The file before its templates are rendered. */
  readonly #written: unknown

  constructor(file: string, at: Located<unknown>['at'], failures: Failure[], written?: unknown) {
    this.file = file
    this.at = at
    this.#failures = failures
    this.#written = written
  }

  wrong(message: string, path: Path): undefined {
    this.#failures.push(new Failure('PROJECT_INVALID', message, { place: this.at(path) }))
    return undefined
  }

  /** Each key that is none of `allowed` is a mistake. */
  refuseOthers(entry: Config, path: Path, allowed: readonly string[]): void {
    for (const key of Object.keys(entry))
      if (!allowed.includes(key)) this.wrong(`unknown key "${key}"${didYouMean(key, allowed, 20)}`, [...path, key])
  }

  place(path: Path): Place {
    return this.at(path)
  }

  /** Visits the mappings of a list; `path` is where the list stands. */
  each(list: unknown, path: Path, visit: (entry: Config, path: Path) => void): void {
    if (list === undefined || list === null) return
    if (!Array.isArray(list))
      return this.wrong(`The schema file is invalid because the value of '${String(path.at(-1))}' is not a list`, path)
    list.forEach((entry: unknown, index) => {
      const at = [...path, index]
      if (isRecord(entry)) visit(entry, at)
      else this.wrong(`each entry of "${String(path.at(-1))}" must be a mapping with a name`, at)
    })
  }

  /** A text that must be there. */
  text(entry: Config, key: string, path: Path): string | undefined {
    const value = entry[key]
    if (typeof value === 'string' || typeof value === 'number' || value instanceof Float) return String(value)
    return this.wrong(
      value === undefined || value === null ? `"${key}" is missing` : `"${key}" must be text`,
      value === undefined ? path : [...path, key],
    )
  }

  /** A text that may be missing; lists and mappings are mistakes. */
  optional(entry: Config, key: string, path: Path): string | undefined {
    const value = entry[key]
    if (value === undefined || value === null) return undefined
    if (isRecord(value) || Array.isArray(value)) return this.wrong(`"${key}" must be text`, [...path, key])
    return String(value)
  }

  /** A text that may be left out, but not left empty: `description:` with nothing behind it is a mistake, and so is a number. */
  words(entry: Config, key: string, path: Path): string | undefined {
    const value = entry[key]
    if (value === undefined || typeof value === 'string') return value
    return this.wrong(`"${key}" must be text${value === null ? ', and has no value' : ''}`, [...path, key])
  }

  /** Keys that may be left out, but not be written without a value. */
  refuseNulls(entry: Config, path: Path, keys: readonly string[]): void {
    for (const key of keys) if (entry[key] === null) this.wrong(`"${key}" has no value`, [...path, key])
  }

  record(entry: Config, key: string, path: Path): Config {
    const value = entry[key]
    if (value === undefined || value === null) return {}
    if (isRecord(value)) return value
    this.wrong(`"${key}" must be a mapping`, [...path, key])
    return {}
  }

  /**
   * `config:`, and those of `keys` that stand beside it, which dbt moves there; the same key twice is a mistake, or both
   * count where `isMerged` says so.
   */
  config(entry: Config, path: Path, keys: readonly string[], isMerged = false): Config {
    const own = this.record(entry, 'config', path)
    const beside: Config = {}
    for (const key of keys) {
      if (entry[key] === undefined || entry[key] === null) continue
      if (own[key] === undefined) beside[key] = entry[key]
      else if (isMerged && isRecord(entry[key]) && isRecord(own[key])) beside[key] = { ...entry[key], ...own[key] }
      else this.wrong(`"${key}" stands both here and under "config"; keep the one under "config"`, [...path, key])
    }
    return { ...own, ...beside }
  }

  /** What stands at a place, with its templates as they are written. */
  written(path: Path): unknown {
    return path.reduce<unknown>((value, key) => (value as Config | undefined)?.[key as string], this.#written)
  }

  /** What stands under `config:`, with its templates as they are written. */
  writtenConfig(path: Path): Config {
    const entry = this.written(path)
    return isRecord(entry) && isRecord(entry['config']) ? entry['config'] : {}
  }
}

/** A text, a list of texts, or nothing. */
export const listOfTexts = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(String) : value === undefined || value === null ? [] : [String(value)]
