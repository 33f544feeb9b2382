// The flags of dbt 1.12, as data: its command line, help, completion and the reference page read this table. All of them
// are accepted; those that tune what Boathouse does not have (caches, parsers, usage statistics) are read and ignored.

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
    also: ['-s'],
    value: 'WORDS',
    about: 'What to take: names, paths, tag:NAME, + for parents and children.',
    verbs: selecting,
  },
  // Elsewhere it is another name of select.
  models: {
    kind: 'words',
    also: ['--model', '-m'],
    value: 'WORDS',
    about: 'Models to list, in the words of --select.',
    verbs: ['ls'],
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
    env: 'INTROSPECT',
    about: 'Whether templates may ask the database.',
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
    about: 'Off: folders of clean-targets outside of the project are deleted, too.',
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
  'skip-profile-setup': { kind: 'set', about: 'Without a profiles.yml.', verbs: ['init'] },
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
  'show-all-deprecations': { kind: 'switch', about: 'Every old spelling, not the first of each kind.' },
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
