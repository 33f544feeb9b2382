// dbt's verbs, as data: the dispatcher, help and the reference page read this table. Each loads only what it needs.

import type { Context } from '../../command.ts'
import type { DbtFlags } from './flags.ts'
import type { Session } from './open.ts'

export type Verb = {
  summary: string
  examples: readonly string[]
  /** What stands after it, as help shows it. */
  takesWord?: string
  /** Prints nothing before its answer. */
  isSilent?: true
  /** It runs queries, whatever is selected. */
  queries?: true
  /** Why there is none, and what to do instead. */
  refused?: string
  hint?: string
  /** Instead of `run` where no project is needed. */
  begin?(context: Context, words: readonly string[], flags: DbtFlags): Promise<number>
  run(session: Session): Promise<number>
}

const never = () => Promise.resolve(2)

export const verbs: Readonly<Record<string, Verb>> = {
  build: {
    summary: 'Seeds, snapshots, models and their tests, in the order of the graph; published together when all passed.',
    examples: [
      'boathouse dbt build',
      'boathouse dbt build -s +orders --full-refresh',
      'boathouse dbt build -s state:modified+ --defer --state prod-artifacts',
    ],
    queries: true,
    run: async (session) => (await import('./build.ts')).build(session),
  },
  run: {
    summary: 'Models alone.',
    examples: [
      'boathouse dbt run',
      'boathouse dbt run -s tag:daily --target prod',
      "boathouse dbt run --vars '{start: 2024-01-01}'",
    ],
    queries: true,
    run: async (session) => (await import('./build.ts')).run(session),
  },
  test: {
    summary: 'Data tests and unit tests, on what is published.',
    examples: [
      'boathouse dbt test',
      'boathouse dbt test -s orders --store-failures',
      'boathouse dbt test -s test_type:unit',
    ],
    queries: true,
    run: async (session) => (await import('./build.ts')).test(session),
  },
  seed: {
    summary: 'Load the CSV files of the project.',
    examples: ['boathouse dbt seed', 'boathouse dbt seed -s countries --full-refresh --show'],
    queries: true,
    run: async (session) => (await import('./build.ts')).seed(session),
  },
  snapshot: {
    summary: 'Take the snapshots: keep how rows were.',
    examples: ['boathouse dbt snapshot', 'boathouse dbt snapshot -s orders_history'],
    queries: true,
    run: async (session) => (await import('./build.ts')).snapshot(session),
  },
  compile: {
    summary: 'Write the SQL to target/compiled without running it; print it for one model.',
    examples: [
      'boathouse dbt compile',
      'boathouse dbt compile -s orders',
      `boathouse dbt compile --inline "select * from {{ ref('orders') }}"`,
    ],
    run: async (session) => (await import('./compile.ts')).compile(session),
  },
  show: {
    summary: 'The first rows of a model as it is in the working tree, or of any SQL.',
    examples: [
      'boathouse dbt show -s orders --limit 10',
      `boathouse dbt show --inline "select count(*) from {{ ref('orders') }}" --output json`,
    ],
    queries: true,
    run: async (session) => (await import('./compile.ts')).show(session),
  },
  ls: {
    summary: 'What is selected: selectors, names, paths or JSON.',
    examples: [
      'boathouse dbt ls -s +orders',
      'boathouse dbt ls --resource-type model --output json --output-keys name config.materialized',
    ],
    run: async (session) => (await import('./list.ts')).list(session),
  },
  parse: {
    summary: 'Read the project and write target/manifest.json.',
    examples: ['boathouse dbt parse'],
    run: async (session) => (await import('./parse.ts')).parse(session),
  },
  deps: {
    summary: 'Install the packages that packages.yml names.',
    examples: [
      'boathouse dbt deps',
      'boathouse dbt deps --upgrade',
      'boathouse dbt deps --add-package dbt-labs/dbt_utils@1.3.0',
    ],
    run: async (session) => (await import('./deps.ts')).deps(session),
  },
  'docs generate': {
    summary: 'Write target/catalog.json and target/manifest.json.',
    examples: ['boathouse dbt docs generate'],
    run: async (session) => (await import('./docs.ts')).docsGenerate(session),
  },
  'docs serve': {
    summary: "Not here: the app shows the project's models.",
    examples: ['boathouse up'],
    refused: 'dbt docs serve is not here',
    hint: '`boathouse up` opens the app, whose models page shows the same.',
    run: never,
  },
  'source freshness': {
    summary: 'How old the data of sources is, by their loaded_at_field or their last snapshot.',
    examples: [
      'boathouse dbt source freshness',
      'boathouse dbt source freshness -s source:shop -o target/sources.json',
    ],
    run: async (session) => (await import('./freshness.ts')).sourceFreshness(session),
  },
  'run-operation': {
    summary: 'Run a macro of the project.',
    examples: ["boathouse dbt run-operation grant_select --args '{role: reader}'"],
    takesWord: 'MACRO',
    queries: true,
    run: async (session) => (await import('./operation.ts')).runOperation(session),
  },
  retry: {
    summary: 'What failed or was skipped in the last command, and what came after it.',
    examples: ['boathouse dbt retry'],
    queries: true,
    run: async (session) => (await import('./retry.ts')).retry(session),
  },
  debug: {
    summary: 'Check the project, the profile, git and the lake.',
    examples: ['boathouse dbt debug', 'boathouse dbt debug --connection'],
    run: async (session) => (await import('./debug.ts')).debug(session),
  },
  clean: {
    summary: 'Delete the folders of clean-targets.',
    examples: ['boathouse dbt clean'],
    run: async (session) => (await import('./clean.ts')).clean(session),
  },
  init: {
    summary: 'Make a dbt project: two models with their tests. `boathouse init` makes a whole lakehouse.',
    examples: ['boathouse dbt init shop'],
    takesWord: 'NAME',
    begin: async (context, words, flags) => (await import('./init.ts')).init(context, words, flags),
    run: never,
  },
  clone: {
    summary: 'Not here: `boathouse env create` forks an environment without a copy.',
    examples: ['boathouse env create try_it --from prod'],
    refused: 'dbt clone is not here',
    hint: '`boathouse env create NAME --from ENV` gives an environment with the same tables, at once and without a copy.',
    run: never,
  },
}
