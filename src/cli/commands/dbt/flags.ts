// Taking dbt's command line apart, and which of line, variables and project says what holds.
//
// dbt's own parser differs from ours in what scripts rely on: `--select a b c` takes words up to the next flag, global
// flags may stand before the verb, most flags have a `--no-` form and a variable.

import { parse as parseYaml } from 'yaml'
import { Failure } from '../../../base/failure.ts'
import { didYouMean } from '../../../base/suggest.ts'
import { pythonTags } from '../../../project/index.ts'
import { flagTable, type FlagSpec } from './flag-table.ts'

export type Value = string | boolean | number | string[] | Record<string, unknown>

/** What `retry` does not take over from the command that it repeats, as in dbt. */
const notInherited = new Set(['project_dir', 'profiles_dir', 'target_path', 'log_path', 'warn_error'])

/** A command line taken apart; what is asked for stands over variables, those over `flags:` of dbt_project.yml. */
export class DbtFlags {
  readonly #given: ReadonlyMap<string, Value>
  readonly #environment: ReadonlyMap<string, Value>
  #project: ReadonlyMap<string, Value> = new Map()
  /** Flags of behaviour, which dbt_project.yml alone sets. */
  #behaviour: Record<string, unknown> = {}

  constructor(given: ReadonlyMap<string, Value>, environment: ReadonlyMap<string, Value>) {
    this.#given = given
    this.#environment = environment
  }

  /** Takes what dbt_project.yml sets under `flags:`; names with underscores, as dbt writes them. */
  readProject(flags: Record<string, unknown>): void {
    const found = new Map<string, Value>()
    for (const [key, value] of Object.entries(flags)) {
      const name = key.toLowerCase().replaceAll('_', '-')
      if (value === null || value === undefined) continue
      if (flagTable[name]) found.set(name, value as Value)
      else this.#behaviour[key.toLowerCase()] = value
    }
    this.#project = found
  }

  /** Takes what an earlier command was told, by dbt's names, for what this one is not. */
  inherit(args: Record<string, unknown>): void {
    const own = Object.entries(args).filter(([key]) => !notInherited.has(key))
    this.readProject({ ...Object.fromEntries(this.#project), ...Object.fromEntries(own) })
  }

  get(name: string): Value | undefined {
    return this.#given.get(name) ?? this.#environment.get(name) ?? this.#project.get(name)
  }
  text(name: string): string | undefined {
    const value = this.get(name)
    return value === undefined || typeof value === 'object' ? undefined : String(value)
  }
  words(name: string): string[] {
    const value = this.get(name)
    return Array.isArray(value) ? value : typeof value === 'string' ? [value] : []
  }
  is(name: string, fallback = false): boolean {
    const value = this.get(name)
    return typeof value === 'boolean' ? value : fallback
  }
  whole(name: string): number | undefined {
    const value = this.get(name)
    return typeof value === 'number' ? value : undefined
  }
  mapping(name: string): Record<string, unknown> {
    const value = this.get(name)
    return typeof value === 'object' && !Array.isArray(value) ? value : {}
  }
  /** What dbt_project.yml says of a behaviour. */
  behaviour(name: string): unknown {
    return this.#behaviour[name]
  }
  /** What the line, the variables and the project set, by dbt's names: `fail_fast`. */
  all(): Record<string, unknown> {
    const names = new Set([...this.#project.keys(), ...this.#environment.keys(), ...this.#given.keys()])
    return Object.fromEntries(Array.from(names, (name) => [name.replaceAll('-', '_'), this.get(name)]))
  }
  given(name: string): boolean {
    return this.#given.has(name)
  }
}

type Spelling = { name: string; value: boolean }
const spellings = new Map<string, Spelling>(
  Object.entries(flagTable).flatMap(([name, spec]) => [
    [`--${name}`, { name, value: true }] as const,
    ...(spec.kind === 'switch' ? [[`--no-${name}`, { name, value: false }] as const] : []),
    ...(spec.also ?? []).map((other) => [other, { name, value: true }] as const),
  ]),
)

export type DbtLine = { words: string[]; given: Map<string, Value> }

/** @throws Failure USAGE for a flag that dbt does not have, or a value it cannot take */
export function splitLine(argv: readonly string[]): DbtLine {
  const words: string[] = []
  const given = new Map<string, Value>()
  const rest = argv.flatMap(apart)
  for (let at = 0; at < rest.length; at++) {
    const text = rest[at]!
    if (text === '--') {
      words.push(...rest.slice(at + 1))
      break
    }
    if (!text.startsWith('-') || text === '-') {
      words.push(text)
      continue
    }
    const equals = text.indexOf('=')
    const spelled = equals > 0 ? text.slice(0, equals) : text
    const found = spellings.get(spelled)
    if (!found) throw new Failure('USAGE', `there is no flag ${spelled}${didYouMean(spelled, spellings.keys(), 0)}`)
    const { name, value } = found
    const spec = flagTable[name]!
    if (spec.kind === 'set' || spec.kind === 'switch') {
      if (equals > 0) throw new Failure('USAGE', `${spelled} takes no value`)
      given.set(name, value)
      continue
    }
    const first = equals > 0 ? text.slice(equals + 1) : rest[++at]
    if (first === undefined) throw new Failure('USAGE', `${spelled} needs a value`)
    if (spec.kind !== 'words') {
      given.set(name, valueOf(spelled, spec, first))
      continue
    }
    const more = [first]
    while (at + 1 < rest.length && !rest[at + 1]!.startsWith('-')) more.push(rest[++at]!)
    const taken = more.flatMap((each) => each.split(' ')).filter(Boolean)
    for (const each of taken) checkChoice(spelled, spec, each)
    given.set(name, [...((given.get(name) as string[] | undefined) ?? []), ...taken])
  }
  return { words, given }
}

/** `-xf` is `-x -f`, `-tprod` is `-t prod`. */
function apart(text: string): string[] {
  if (!/^-[A-Za-z]./.test(text) || spellings.has(text)) return [text]
  const short = spellings.get(text.slice(0, 2))
  if (!short || text[2] === '=') return [text]
  const { kind } = flagTable[short.name]!
  return kind === 'set' || kind === 'switch'
    ? [text.slice(0, 2), ...apart(`-${text.slice(2)}`)]
    : [text.slice(0, 2), text.slice(2)]
}

function checkChoice(spelled: string, { choices }: FlagSpec, value: string): void {
  if (choices && !choices.includes(value.toLowerCase()))
    throw new Failure('USAGE', `${spelled} is one of ${choices.join(', ')}, found "${value}"`)
}

function valueOf(spelled: string, spec: FlagSpec, text: string): Value {
  for (const each of spec.kind === 'words' ? text.split(/\s+/).filter(Boolean) : [text])
    checkChoice(spelled, spec, each)
  switch (spec.kind) {
    case 'whole': {
      const value = Number(text)
      if (!Number.isInteger(value) || text.trim() === '')
        throw new Failure('USAGE', `${spelled} takes a whole number, found "${text}"`)
      return value
    }
    case 'mapping':
      return mappingOf(spelled, text)
    case 'words':
      return text.split(/\s+/).filter(Boolean)
    case 'set':
    case 'switch':
      return isOn(text)
    case 'text':
      return spec.choices ? text.toLowerCase() : text
  }
}

/** A mapping that was typed as YAML. @throws USAGE */
export function mappingOf(spelled: string, text: string): Record<string, unknown> {
  let value: unknown
  try {
    // Aliases could make a short text endless.
    value = parseYaml(text, { maxAliasCount: 0, version: '1.1', customTags: pythonTags }) ?? {}
  } catch (cause) {
    throw new Failure('USAGE', `${spelled} is no YAML: ${(cause as Error).message.split('\n')[0]}`, { cause })
  }
  if (typeof value !== 'object' || Array.isArray(value))
    throw new Failure('USAGE', `${spelled} takes a mapping such as '{name: value}', found ${JSON.stringify(text)}`)
  return value as Record<string, unknown>
}

const isOn = (text: string): boolean => ['1', 'true', 't', 'yes', 'y', 'on'].includes(text.trim().toLowerCase())

/** What `DBT_…` variables set. @throws Failure USAGE for a value that the flag cannot take */
export function readVariables(env: Readonly<Record<string, string | undefined>>): Map<string, Value> {
  const found = new Map<string, Value>()
  for (const [name, spec] of Object.entries(flagTable)) {
    if (!spec.env) continue
    const variable = [`DBT_ENGINE_${spec.env}`, `DBT_${spec.env}`].find((each) => env[each])
    if (variable) found.set(name, valueOf(variable, spec, env[variable]!))
  }
  // Spellings of old versions.
  if (env['DBT_NO_PRINT']) found.set('print', !isOn(env['DBT_NO_PRINT']))
  if (env['DBT_DEFER_TO_STATE'] && !found.has('defer')) found.set('defer', isOn(env['DBT_DEFER_TO_STATE']))
  if (env['DBT_ARTIFACT_STATE_PATH'] && !found.has('state')) found.set('state', env['DBT_ARTIFACT_STATE_PATH'])
  if (env['DBT_FAVOR_STATE_MODE'] && !found.has('favor-state'))
    found.set('favor-state', isOn(env['DBT_FAVOR_STATE_MODE']))
  return found
}

/** What variables of old versions are called today. */
export const renamedVariables: Readonly<Record<string, string>> = {
  DBT_NO_PRINT: 'DBT_ENGINE_PRINT',
  DBT_DEFER_TO_STATE: 'DBT_ENGINE_DEFER',
  DBT_ARTIFACT_STATE_PATH: 'DBT_ENGINE_STATE',
  DBT_FAVOR_STATE_MODE: 'DBT_ENGINE_FAVOR_STATE',
}

/** @throws Failure USAGE when a flag of the line belongs to other verbs */
export function checkVerb(verb: string, given: ReadonlyMap<string, Value>): void {
  for (const name of given.keys()) {
    const { verbs } = flagTable[name]!
    if (verbs && !verbs.includes(verb))
      throw new Failure('USAGE', `dbt ${verb} has no flag --${name}; it belongs to ${verbs.join(', ')}`, {
        hint: `\`boathouse dbt ${verb} --help\` lists its flags.`,
      })
  }
}

/** @throws Failure USAGE when flags exclude each other, or one wants another */
export function checkTogether(given: ReadonlyMap<string, Value>): void {
  if (given.get('warn-error') === true && given.has('warn-error-options'))
    throw new Failure('USAGE', '--warn-error and --warn-error-options are mutually exclusive')
  const [start, end] = ['event-time-start', 'event-time-end'].map((name) => given.get(name))
  if (start === undefined && end === undefined) return
  const [said, missing] = start === undefined ? ['end', 'start'] : ['start', 'end']
  if (start === undefined || end === undefined)
    throw new Failure(
      'USAGE',
      `When specifying \`--event-time-${said}\`, \`--event-time-${missing}\` must also be present.`,
    )
  if (Date.parse(String(start)) >= Date.parse(String(end)))
    throw new Failure('USAGE', 'Value for `--event-time-start` must be less than `--event-time-end`')
}
