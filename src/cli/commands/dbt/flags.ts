// The flags of dbt 1.12, as data: its command line, help, completion and the reference page read this table.
//
// dbt's own parser differs from ours in what scripts rely on: `--select a b c` takes words up to the next flag, global
// flags may stand before the verb, most flags have a `--no-` form and a variable. All of them are accepted; those that
// tune what Boathouse does not have (caches, parsers, usage statistics) are read and ignored.

import { parse as parseYaml } from 'yaml'
import { Failure } from '../../../base/failure.ts'
import { didYouMean } from '../../../base/suggest.ts'

type Kind =
  /** `--full-refresh`. */
  | 'set'
  /** `--defer` and `--no-defer`. */
  | 'switch'
  | 'text'
  | 'whole'
  /** A mapping as YAML. */
  | 'mapping'
  /** Words up to the next flag; may be repeated. */
  | 'words'

export type FlagSpec = {
  kind: Kind
  /** Other spellings, dashes included: `-s`, `--models`. */
  also?: readonly string[]
  /** The short form of `no-`, or how a switch is turned off when not by `--no-NAME`. */
  env?: string
  choices?: readonly string[]
  value?: string
  about: string
  /** Read and ignored: there is nothing here that it would change. */
  ignored?: true
  /** Verbs that take it; all of them when missing. */
  verbs?: readonly string[]
}

const resourceTypes = [
  'metric',
  'semantic_model',
  'saved_query',
  'source',
  'analysis',
  'function',
  'model',
  'test',
  'unit_test',
  'exposure',
  'snapshot',
  'seed',
  'default',
] as const

const levels = ['debug', 'info', 'warn', 'error', 'none']
const formats = ['text', 'debug', 'json', 'default']
const building = ['build', 'run', 'seed', 'snapshot', 'test'] as const
const selecting = [...building, 'clone', 'compile', 'docs generate', 'ls', 'show', 'source freshness'] as const
const ignoredSwitch = (about: string, env?: string): FlagSpec => ({
  kind: 'switch',
  about,
  ignored: true,
  ...(env ? { env } : {}),
})

/** By name without dashes. Variables are given without `DBT_`; `DBT_ENGINE_` in front works too. */
export const flagTable: Readonly<Record<string, FlagSpec>> = {
  // where and which
  'project-dir': {
    kind: 'text',
    value: 'DIR',
    env: 'PROJECT_DIR',
    about: 'The folder of dbt_project.yml; default: the current one or above it.',
  },
  'profiles-dir': {
    kind: 'text',
    value: 'DIR',
    env: 'PROFILES_DIR',
    about: 'The folder of profiles.yml; default: the current one, then ~/.dbt.',
  },
  profile: { kind: 'text', value: 'NAME', env: 'PROFILE', about: 'The profile, instead of that of dbt_project.yml.' },
  target: {
    kind: 'text',
    also: ['-t'],
    value: 'NAME',
    env: 'TARGET',
    about: 'The target of the profile: which environment is written.',
  },
  'target-path': { kind: 'text', value: 'DIR', env: 'TARGET_PATH', about: 'Where artifacts go, instead of target/.' },
  'log-path': { kind: 'text', value: 'DIR', env: 'LOG_PATH', about: 'Where dbt.log goes, instead of logs/.' },
  vars: { kind: 'mapping', value: 'YAML', about: 'Variables, over those of dbt_project.yml: "{start: 2024-01-01}".' },
  threads: { kind: 'whole', value: 'N', about: 'How many nodes at a time.' },
  // selection
  select: {
    kind: 'words',
    also: ['-s', '--models', '--model', '-m'],
    value: 'WORDS',
    about: 'What to take: names, paths, tag:NAME, + for parents and children.',
    verbs: selecting,
  },
  exclude: { kind: 'words', value: 'WORDS', about: 'What to leave out, in the same words.', verbs: selecting },
  selector: { kind: 'text', value: 'NAME', about: 'A selector of selectors.yml.', verbs: selecting },
  'resource-type': {
    kind: 'words',
    also: ['--resource-types'],
    choices: [...resourceTypes, 'all'],
    value: 'TYPES',
    env: 'RESOURCE_TYPES',
    about: 'Only these kinds: model, test, seed …',
    verbs: ['build', 'clone', 'ls', 'test'],
  },
  'exclude-resource-type': {
    kind: 'words',
    also: ['--exclude-resource-types'],
    choices: resourceTypes,
    value: 'TYPES',
    env: 'EXCLUDE_RESOURCE_TYPES',
    about: 'All but these kinds.',
    verbs: ['build', 'clone', 'ls', 'test'],
  },
  'indirect-selection': {
    kind: 'text',
    choices: ['eager', 'cautious', 'buildable', 'empty'],
    value: 'MODE',
    env: 'INDIRECT_SELECTION',
    about: 'Which tests come with what they test: eager, cautious, buildable or empty.',
  },
  state: {
    kind: 'text',
    value: 'DIR',
    env: 'STATE',
    about: 'Artifacts of an earlier run, for state:, result: and --defer.',
  },
  'defer-state': { kind: 'text', value: 'DIR', env: 'DEFER_STATE', about: 'Other artifacts than --state for --defer.' },
  defer: { kind: 'switch', env: 'DEFER', about: 'References to what is not selected go to the tables of the state.' },
  'favor-state': {
    kind: 'switch',
    env: 'FAVOR_STATE',
    about: 'With --defer: also where the table is in this environment.',
  },
  // what is done
  'full-refresh': {
    kind: 'set',
    also: ['-f'],
    env: 'FULL_REFRESH',
    about: 'Incremental models and seeds are built from nothing.',
    verbs: ['build', 'clone', 'compile', 'retry', 'run', 'seed', 'show'],
  },
  empty: {
    kind: 'switch',
    env: 'EMPTY',
    about: 'References and sources without rows: a dry run of the SQL.',
    verbs: ['build', 'compile', 'run', 'seed', 'snapshot'],
  },
  sample: {
    kind: 'text',
    value: 'WINDOW',
    env: 'SAMPLE',
    about: 'References and sources of a window of time only: "3 days".',
    verbs: ['build', 'run'],
  },
  'event-time-start': {
    kind: 'text',
    value: 'TIME',
    env: 'EVENT_TIME_START',
    about: 'Microbatch models from this time.',
    verbs: ['build', 'run'],
  },
  'event-time-end': {
    kind: 'text',
    value: 'TIME',
    env: 'EVENT_TIME_END',
    about: 'Microbatch models up to this time.',
    verbs: ['build', 'run'],
  },
  'store-failures': {
    kind: 'set',
    env: 'STORE_FAILURES',
    about: 'Failing rows of tests are kept as tables.',
    verbs: ['build', 'test'],
  },
  'fail-fast': { kind: 'switch', also: ['-x'], env: 'FAIL_FAST', about: 'End with the first failure.' },
  'warn-error': { kind: 'set', env: 'WARN_ERROR', about: 'Warnings are errors.' },
  'warn-error-options': {
    kind: 'mapping',
    value: 'YAML',
    env: 'WARN_ERROR_OPTIONS',
    about: 'Which warnings: "{error: all, silence: [NoNodesForSelectionCriteria]}".',
  },
  show: { kind: 'set', about: 'Print some rows of each seed.', verbs: ['build', 'seed'] },
  'export-saved-queries': {
    kind: 'switch',
    env: 'EXPORT_SAVED_QUERIES',
    about: 'Exports of saved queries.',
    ignored: true,
    verbs: ['build'],
  },
  'include-saved-query': {
    kind: 'switch',
    env: 'INCLUDE_SAVED_QUERY',
    about: 'Saved queries among what is built.',
    ignored: true,
    verbs: ['build'],
  },
  args: { kind: 'mapping', value: 'YAML', about: 'Arguments of the macro: "{name: value}".', verbs: ['run-operation'] },
  sql: { kind: 'text', value: 'SQL', about: 'Jinja and SQL to run, instead of a macro.', verbs: ['run-operation'] },
  inline: { kind: 'text', value: 'SQL', about: 'Jinja and SQL, instead of a model.', verbs: ['compile', 'show'] },
  'inline-direct': { kind: 'text', value: 'SQL', about: 'SQL as it is, instead of a model.', verbs: ['show'] },
  limit: { kind: 'whole', value: 'N', about: 'Most rows shown; default 5, -1 for all.', verbs: ['show'] },
  introspect: {
    kind: 'switch',
    about: 'Whether templates may ask the database.',
    ignored: true,
    verbs: ['compile', 'show'],
  },
  'inject-ephemeral-ctes': {
    kind: 'switch',
    about: 'Ephemeral models as CTEs in what is compiled.',
    ignored: true,
    verbs: ['compile'],
  },
  output: {
    kind: 'text',
    also: ['-o'],
    value: 'FORMAT',
    about: 'ls: selector, name, path or json; show and compile: text or json; source freshness: a file.',
    verbs: ['compile', 'ls', 'show', 'source freshness'],
  },
  'output-keys': {
    kind: 'words',
    value: 'KEYS',
    about: 'Which properties --output json prints: name config.materialized …',
    verbs: ['ls'],
  },
  compile: { kind: 'switch', about: 'Whether docs generate compiles first.', verbs: ['docs generate'] },
  'empty-catalog': { kind: 'set', about: 'An empty catalog.json.', verbs: ['docs generate'] },
  static: { kind: 'set', about: 'One page that holds both artifacts.', verbs: ['docs generate'] },
  connection: { kind: 'set', about: 'Only whether the database answers.', verbs: ['debug'] },
  'config-dir': { kind: 'set', about: 'Only where profiles.yml is looked for.', verbs: ['debug'] },
  lock: { kind: 'set', about: 'Only write package-lock.yml.', verbs: ['deps'] },
  upgrade: { kind: 'set', about: 'The newest versions that packages.yml allows.', verbs: ['deps'] },
  'add-package': {
    kind: 'text',
    value: 'NAME[@VERSION]',
    about: 'Write a package into packages.yml first.',
    verbs: ['deps'],
  },
  source: {
    kind: 'text',
    choices: ['hub', 'git', 'local'],
    value: 'KIND',
    about: 'Where --add-package finds it: hub, git or local.',
    verbs: ['deps'],
  },
  'clean-project-files-only': {
    kind: 'switch',
    env: 'CLEAN_PROJECT_FILES_ONLY',
    about: 'Refused when off: nothing outside the project is deleted.',
    verbs: ['clean'],
  },
  browser: { kind: 'switch', about: 'Whether docs serve opens a browser.', ignored: true, verbs: ['docs serve'] },
  host: {
    kind: 'text',
    env: 'HOST',
    value: 'HOST',
    about: 'Host of docs serve.',
    ignored: true,
    verbs: ['docs serve'],
  },
  port: { kind: 'whole', value: 'PORT', about: 'Port of docs serve.', ignored: true, verbs: ['docs serve'] },
  'skip-profile-setup': { kind: 'set', about: 'For init.', ignored: true, verbs: ['init'] },
  'skip-debug': { kind: 'set', about: 'For init.', ignored: true, verbs: ['init'] },
  // what is printed
  quiet: { kind: 'switch', also: ['-q'], env: 'QUIET', about: 'Only errors and what templates print.' },
  debug: { kind: 'switch', also: ['-d'], env: 'DEBUG', about: 'More lines.' },
  'log-format': {
    kind: 'text',
    choices: formats,
    value: 'FORMAT',
    env: 'LOG_FORMAT',
    about: 'text or json, of the terminal.',
  },
  'log-format-file': {
    kind: 'text',
    choices: formats,
    value: 'FORMAT',
    env: 'LOG_FORMAT_FILE',
    about: 'text or json, of dbt.log.',
  },
  'log-level': {
    kind: 'text',
    choices: levels,
    value: 'LEVEL',
    env: 'LOG_LEVEL',
    about: 'debug, info, warn, error or none, of the terminal.',
  },
  'log-level-file': {
    kind: 'text',
    choices: levels,
    value: 'LEVEL',
    env: 'LOG_LEVEL_FILE',
    about: 'The same of dbt.log.',
  },
  'log-file-max-bytes': {
    kind: 'whole',
    value: 'BYTES',
    env: 'LOG_FILE_MAX_BYTES',
    about: 'From which size dbt.log begins anew.',
  },
  'use-colors': { kind: 'switch', env: 'USE_COLORS', about: 'Colours on a terminal.' },
  'use-colors-file': ignoredSwitch('Colours in dbt.log.', 'USE_COLORS_FILE'),
  'printer-width': { kind: 'whole', value: 'N', env: 'PRINTER_WIDTH', about: 'Width of the lines of nodes.' },
  print: { kind: 'switch', env: 'PRINT', about: 'What print() in templates says.' },
  'write-json': { kind: 'switch', env: 'WRITE_JSON', about: 'Whether artifacts are written.' },
  'show-all-deprecations': ignoredSwitch('Every old spelling, not the first of each kind.'),
  'version-check': { kind: 'switch', env: 'VERSION_CHECK', about: 'Whether require-dbt-version is held to.' },
  // of dbt's own engine
  'partial-parse': { kind: 'switch', env: 'PARTIAL_PARSE', about: 'Whether what was parsed before is used again.' },
  'partial-parse-file-path': {
    kind: 'text',
    env: 'PARTIAL_PARSE_FILE_PATH',
    about: "dbt's own parse cache.",
    ignored: true,
  },
  'partial-parse-file-diff': ignoredSwitch("dbt's own parse cache.", 'PARTIAL_PARSE_FILE_DIFF'),
  'populate-cache': ignoredSwitch("dbt's cache of relations.", 'POPULATE_CACHE'),
  'cache-selected-only': ignoredSwitch("dbt's cache of relations.", 'CACHE_SELECTED_ONLY'),
  'log-cache-events': ignoredSwitch("dbt's cache of relations.", 'LOG_CACHE_EVENTS'),
  'macro-debugging': ignoredSwitch("dbt's Jinja.", 'MACRO_DEBUGGING'),
  'static-parser': ignoredSwitch("dbt's parsers.", 'STATIC_PARSER'),
  'use-experimental-parser': ignoredSwitch("dbt's parsers.", 'USE_EXPERIMENTAL_PARSER'),
  'use-v2-parser': ignoredSwitch("dbt's parsers.", 'USE_V2_PARSER'),
  'v2-parser': { kind: 'text', env: 'V2_PARSER', about: "dbt's parsers.", ignored: true },
  'use-fast-test-edges': ignoredSwitch("dbt's graph.", 'USE_FAST_TEST_EDGES'),
  'single-threaded': { kind: 'switch', env: 'SINGLE_THREADED', about: 'One node at a time.' },
  'send-anonymous-usage-stats': ignoredSwitch('Nothing is sent anywhere.', 'SEND_ANONYMOUS_USAGE_STATS'),
  'upload-to-artifacts-ingest-api': ignoredSwitch('Nothing is sent anywhere.', 'UPLOAD_TO_ARTIFACTS_INGEST_API'),
  'snowflake-projects-otel': ignoredSwitch('Nothing is sent anywhere.', 'SNOWFLAKE_PROJECTS_OTEL'),
  'hints-enabled': ignoredSwitch("dbt's hints.", 'HINTS_ENABLED'),
  'maximum-seed-size-mib': {
    kind: 'whole',
    env: 'MAXIMUM_SEED_SIZE_MIB',
    about: 'Seeds are hashed whole.',
    ignored: true,
  },
  'record-timing-info': { kind: 'text', also: ['-r'], about: "dbt's profiler.", ignored: true },
  sqlparse: { kind: 'text', env: 'SQLPARSE', about: "dbt's SQL splitter.", ignored: true },
  'show-resource-report': ignoredSwitch("dbt's own memory.", 'SHOW_RESOURCE_REPORT'),
  version: { kind: 'set', also: ['-V', '-v'], about: 'The version, and which dbt it is like.' },
  help: { kind: 'set', also: ['-h'], about: 'This text.' },
  // Boathouse's own
  env: { kind: 'text', value: 'ENV', about: 'The environment, instead of that of the target.' },
  project: { kind: 'text', also: ['-C'], value: 'DIR', about: 'As --project-dir.' },
  publish: {
    kind: 'text',
    choices: ['passed-only', 'always'],
    value: 'WHEN',
    about:
      'passed-only (default): readers see the run when nothing failed; always: whatever was built, as dbt leaves it.',
    verbs: ['build', 'retry', 'run', 'run-operation', 'seed', 'snapshot', 'test'],
  },
  'state-aware': {
    kind: 'switch',
    about: 'Skip what is unchanged since it was last published.',
    verbs: ['build', 'run', 'seed', 'snapshot', 'test'],
  },
  force: { kind: 'set', about: 'Build also what is unchanged.', verbs: ['build', 'run', 'seed', 'snapshot', 'test'] },
  json: { kind: 'set', about: 'As --log-format json; with ls and show as --output json.' },
  color: { kind: 'switch', about: 'As --use-colors.' },
}

type Value = string | boolean | number | string[] | Record<string, unknown>

/** A command line taken apart; what is asked for stands over variables, those over `flags:` of dbt_project.yml. */
export class DbtFlags {
  readonly #given: ReadonlyMap<string, Value>
  readonly #environment: ReadonlyMap<string, Value>
  #project: ReadonlyMap<string, Value> = new Map()

  constructor(given: ReadonlyMap<string, Value>, environment: ReadonlyMap<string, Value>) {
    this.#given = given
    this.#environment = environment
  }

  /** Takes what dbt_project.yml sets under `flags:`; names with underscores, as dbt writes them. */
  readProject(flags: Record<string, unknown>): void {
    const found = new Map<string, Value>()
    for (const [key, value] of Object.entries(flags)) {
      const name = key.toLowerCase().replaceAll('_', '-')
      if (!flagTable[name] || value === null || value === undefined) continue
      found.set(name, value as Value)
    }
    this.#project = found
  }

  /** Takes what an earlier command was told, by dbt's names, for what this one is not. */
  inherit(args: Record<string, unknown>): void {
    const own = Object.entries(args).filter(
      ([key]) => !['project_dir', 'state', 'target_path', 'log_path'].includes(key),
    )
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
  checkChoice(spelled, spec, text)
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

function mappingOf(spelled: string, text: string): Record<string, unknown> {
  let value: unknown
  try {
    // Aliases could make a short text endless.
    value = parseYaml(text, { maxAliasCount: 0, version: '1.1' }) ?? {}
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
  return found
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
