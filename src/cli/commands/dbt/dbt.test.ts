import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { Failure } from '../../../base/failure.ts'
import { recordFiles } from '../../../project/dbt/index.ts'
import { loadProject, type NodeResult } from '../../../transform/index.ts'
import { runCli } from '../../cli.ts'
import { flagTable } from './flag-table.ts'
import { DbtFlags, readVariables, splitLine } from './flags.ts'
import { verbPage } from './help.ts'
import { inWords, sayResult } from './lines.ts'
import { counted } from '../../output.ts'
import { DbtLog, progressLine } from './log.ts'
import { verbs } from './verbs.ts'

const given = (line: string) => Object.fromEntries(splitLine(line.split('|')).given)

describe('a command line', () => {
  test.each<[string, string[], Record<string, unknown>]>([
    ['run', ['run'], {}],
    ['--quiet|run|-x', ['run'], { quiet: true, 'fail-fast': true }],
    ['run|--select|a|b+|--exclude|c', ['run'], { select: ['a', 'b+'], exclude: ['c'] }],
    ['run|-s|a b|-s|c', ['run'], { select: ['a', 'b', 'c'] }],
    ['run|--models|a|-m|b|--model|c', ['run'], { models: ['a', 'b', 'c'] }],
    ['run|--select=a', ['run'], { select: ['a'] }],
    ['run|-tprod|-xf', ['run'], { target: 'prod', 'fail-fast': true, 'full-refresh': true }],
    ['run|--no-defer|--defer', ['run'], { defer: true }],
    ['build|--vars|{a: 1, b: [x, "2"]}', ['build'], { vars: { a: 1, b: ['x', '2'] } }],
    ['build|--vars|{}', ['build'], { vars: {} }],
    ['build|--resource-types|model|seed', ['build'], { 'resource-type': ['model', 'seed'] }],
    ['ls|--output|JSON', ['ls'], { output: 'JSON' }],
    ['run-operation|m|--args|{x: 1}', ['run-operation', 'm'], { args: { x: 1 } }],
    ['docs|generate|--no-compile', ['docs', 'generate'], { compile: false }],
    [
      'run|--threads|4|--no-partial-parse|--no-populate-cache|--cache-selected-only',
      ['run'],
      { threads: 4, 'partial-parse': false, 'populate-cache': false, 'cache-selected-only': true },
    ],
    ['show|--limit|-1', ['show'], { limit: -1 }],
    ['run|--|--odd', ['run', '--odd'], {}],
    ['run|-C|elsewhere|--env|prod', ['run'], { project: 'elsewhere', env: 'prod' }],
  ])('%s', (line, words, flags) => {
    expect(splitLine(line.split('|')).words).toEqual(words)
    expect(given(line)).toEqual(flags)
  })

  test.each([
    ['run|--selct|a', /no flag --selct; did you mean "--select"/],
    ['run|--threads|many', /--threads takes a whole number, found "many"/],
    ['run|--threads', /--threads needs a value/],
    ['run|--quiet=yes', /--quiet takes no value/],
    ['run|--indirect-selection|sideways', /--indirect-selection is one of eager, cautious, buildable, empty/],
    ['build|--resource-type|table', /--resource-type is one of/],
    ['run|--vars|a: [', /--vars is no YAML/],
    ['run|--vars|[1]', /--vars takes a mapping/],
    ['run|--vars|{a: &a [1], b: *a}', /--vars is no YAML/],
  ])('%s is refused', (line, message) => {
    expect(() => splitLine(line.split('|'))).toThrow(message)
    expect(() => splitLine(line.split('|'))).toThrow(Failure)
  })

  test('the line goes before variables, those before the project, in both spellings of variables', () => {
    const environment = readVariables({
      DBT_FULL_REFRESH: 'true',
      DBT_ENGINE_TARGET: 'ci',
      DBT_TARGET: 'dev',
      DBT_QUIET: '0',
      DBT_NO_PRINT: '1',
      DBT_STATE: '',
    })
    const flags = new DbtFlags(new Map([['quiet', true]]), environment)
    flags.readProject({
      fail_fast: true,
      target: 'other',
      send_anonymous_usage_stats: false,
      unknown: 1,
      indirect_selection: 'cautious',
    })
    expect([
      flags.is('full-refresh'),
      flags.text('target'),
      flags.is('quiet'),
      flags.is('print', true),
      flags.is('fail-fast'),
      flags.text('indirect-selection'),
      flags.text('state'),
    ]).toEqual([true, 'ci', true, false, true, 'cautious', undefined])
    expect(flags.all()).toMatchObject({ full_refresh: true, fail_fast: true })
    expect(() => readVariables({ DBT_INDIRECT_SELECTION: 'no' })).toThrow(/DBT_INDIRECT_SELECTION is one of/)
    expect(readVariables({ DBT_RESOURCE_TYPES: 'test model' }).get('resource-type')).toEqual(['test', 'model'])
    expect(() => readVariables({ DBT_RESOURCE_TYPES: 'test modle' })).toThrow(/found "modle"/)
  })

  test('every flag and verb has its help, and every example is a line that is understood', () => {
    for (const [name, verb] of Object.entries(verbs)) {
      expect(verbPage(name)).toContain(verb.summary)
      for (const example of verb.examples.filter((one) => one.startsWith('boathouse dbt ')))
        expect(() =>
          splitLine(
            example
              .replace(/(["'])(.*?)\1/g, (_, __, text: string) => text.replaceAll(' ', '\u0001'))
              .split(' ')
              .slice(2)
              .map((word) => word.replaceAll('\u0001', ' ')),
          ),
        ).not.toThrow()
    }
    for (const { verbs: some = [] } of Object.values(flagTable))
      for (const verb of some) expect(Object.keys(verbs)).toContain(verb)
  })
})

describe('lines', () => {
  // As dbt-core 1.12.6 prints them.
  test.each([
    [
      progressLine({ width: 80 }, 'START seed file main.raw_customers', 'RUN', { index: 1, total: 28 }),
      '1 of 28 START seed file main.raw_customers ..................................... [RUN]',
    ],
    [
      progressLine({ width: 80 }, 'OK loaded seed file main.raw_customers', 'INSERT 100', {
        index: 1,
        total: 28,
        seconds: 0.5,
      }),
      '1 of 28 OK loaded seed file main.raw_customers ................................. [INSERT 100 in 0.50s]',
    ],
    [
      progressLine(
        { width: 80 },
        'PASS accepted_values_orders_status__placed__shipped__completed__return_pending__returned',
        'PASS',
        { index: 19, total: 28, seconds: 0.123 },
      ),
      '19 of 28 PASS accepted_values_orders_status__placed__shipped__completed__return_pending__returned  [PASS in 0.12s]',
    ],
    [inWords(1.9), '0 hours 0 minutes and 1.90 seconds (1.90s)'],
    [inWords(3_725.5), '1 hours 2 minutes and 5.50 seconds (3725.50s)'],
    [counted(1, 'data test'), '1 data test'],
    [counted(2, 'saved query'), '2 saved queries'],
    [counted(2, 'analysis'), '2 analyses'],
  ])('%s', (line, expected) => expect(line).toBe(expected))

  test('the log file has what the terminal does not show; a folder that cannot be written stops nobody', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dbt-log-'))
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    try {
      const options = {
        format: 'text',
        fileFormat: 'json',
        level: 'warn',
        fileLevel: 'debug',
        quiet: false,
        color: false,
        width: 80,
        fileBytesMax: 0,
        invocationId: 'i',
        extra: { TEAM: 'crew' },
      } as const
      const log = new DbtLog({ ...options, file: join(folder, 'logs/dbt.log') })
      log.info('one')
      log.warn('two')
      log.close()
      const lines = readFileSync(join(folder, 'logs/dbt.log'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { info: { msg: string; level: string } })
      expect(lines.map(({ info }) => [info.level, info.msg])).toEqual([
        ['info', 'one'],
        ['warn', '[WARNING]: two'],
      ])
      expect(written.mock.calls.map(([text]) => String(text).slice(10))).toEqual(['[WARNING]: two\n'])
      writeFileSync(join(folder, 'file'), '')
      new DbtLog({ ...options, file: join(folder, 'file/dbt.log') }).warn('three')
    } finally {
      written.mockRestore()
      rmSync(folder, { recursive: true })
    }
  })
})

test('events of nodes have their group, relation and what they are', async () => {
  const project = await loadProject('/project', {
    files: recordFiles({
      'dbt_project.yml': 'name: shop',
      'models/a.sql': 'select 1 as id',
      'models/all.yml': `groups: [{name: crew, owner: {email: a@b.c}}]
models: [{name: a, config: {group: crew}, columns: [{name: id, tests: [unique]}]}]`,
    }),
    target: { name: 'dev', catalog: 'dev_analytics', schema: 'main', database: 'db' },
    startedAt: 0,
  })
  const said: Record<string, unknown>[] = []
  const log = {
    width: 80,
    paint: (_: unknown, text: string) => text,
    say: (...[, , event]: unknown[]) => said.push(event as never),
  }
  for (const { uniqueId, kind, name } of project.nodes.values()) {
    const status = kind === 'test' ? 'pass' : 'success'
    const result = { uniqueId, kind, name, status, message: 'OK', executionMs: 500, adapterResponse: {} }
    sayResult(log as unknown as DbtLog, project, result as unknown as NodeResult, { index: 1, total: 2 })
  }
  const group = { name: 'crew', package_name: 'shop', owner: { email: 'a@b.c' } }
  expect(said).toMatchObject([
    {
      name: 'LogModelResult',
      data: {
        description: 'sql view model main.a',
        status: 'OK',
        group,
        node_info: { node_relation: { relation_name: '"db"."main"."a"' } },
      },
    },
    { name: 'LogTestResult', data: { name: 'unique_a_id', status: 'pass', num_models: 2, group } },
  ])
})

describe('used wrongly', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dbt-cli-'))
  writeFileSync(join(folder, 'dbt_project.yml'), 'name: shop\nprofile: shop\n')
  writeFileSync(
    join(folder, 'profiles.yml'),
    'shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb}}}\n',
  )
  mkdirSync(join(folder, 'old'))
  writeFileSync(join(folder, 'old', 'dbt_project.yml'), 'name: old\nprofile: shop\ndata-paths: [data]\n')
  writeFileSync(join(folder, 'old', 'profiles.yml'), 'shop: {target: dev, outputs: {dev: {type: duckdb}}}\n')
  afterAll(() => rmSync(folder, { recursive: true }))

  async function run(line: string): Promise<[number, string]> {
    let said = ''
    const take = (text: string | Uint8Array) => ((said += String(text)), true)
    const streams = [
      vi.spyOn(process.stdout, 'write').mockImplementation(take),
      vi.spyOn(process.stderr, 'write').mockImplementation(take),
    ]
    try {
      const code = await runCli(['dbt', ...line.split(' ').filter(Boolean)], {
        open: () => Promise.reject(new Error('not here')),
        startEngine: async () => {},
        self: { node: '', script: '' },
      })
      return [code, said]
    } finally {
      for (const stream of streams) stream.mockRestore()
    }
  }

  test.each([
    ['biuld', 2, /USAGE: dbt has no command "biuld"; did you mean "build"\?/],
    ['parse --select a', 2, /USAGE: dbt parse has no flag --select; it belongs to build/],
    ['build --event-time-start 2024-01-01', 2, /`--event-time-end` must also be present/],
    ['run --event-time-start 2024-01-02 --event-time-end 2024-01-01', 2, /must be less than `--event-time-end`/],
    ['run --warn-error --warn-error-options {error:all}', 2, /mutually exclusive/],
    ['docs', 2, /USAGE: dbt docs needs one of: generate, serve/],
    ['run orders', 2, /USAGE: dbt run takes no argument, found "orders"/],
    ['init', 2, /USAGE: dbt init needs the name of the project/],
    ['init my-shop', 2, /USAGE: "my-shop" is not a valid project name/],
    ['docs serve', 1, /`boathouse up`/],
    [`run --project-dir ${folder}/nowhere`, 2, /PROJECT_NOT_FOUND: there is no dbt_project\.yml in/],
    [
      `ls --project-dir ${folder} --target nowhere`,
      2,
      /the profile "shop" has no target "nowhere"; did you mean|has no target/,
    ],
    [`ls --project-dir ${folder} -s state:modified`, 2, /--state DIR/],
    [`ls --project-dir ${folder} -s nonsense:x`, 2, /"nonsense" is no method of selection/],
    [`ls --project-dir ${folder} --selector daily`, 2, /selectors\.yml has no selector "daily"/],
    [`--warn-error ls --project-dir ${folder} -s nothing`, 2, /does not match any enabled nodes/],
    [
      `ls --project-dir ${folder} -s nothing`,
      0,
      /\[WARNING\]: The selection criterion 'nothing' does not match any enabled nodes/,
    ],
    [
      `parse --project-dir ${folder}/old`,
      0,
      /\[WARNING\]\[ConfigDataPathDeprecation\]: Deprecated functionality\nThe `data-paths`[^]*encountered deprecations:\n- ConfigDataPathDeprecation: 1 occurrence\n/,
    ],
    [
      `compile --project-dir ${folder} -m nothing --warn-error`,
      2,
      /Usage of `--models`, `--model`, and `-m` is deprecated/,
    ],
    ['--version', 0, /Core:\n {2}- installed: 1\.12/],
    ['run --help', 0, /boathouse dbt run \[flags\].*--full-refresh/s],
    ['', 2, /boathouse dbt VERB/],
  ])('dbt %s ends with %i', async (line, code, said) => {
    const [ended, text] = await run(line)
    expect(text).toMatch(said)
    expect(ended).toBe(code)
  })

  test.each([
    ['clean-targets: [../elsewhere]', /directories outside the project/],
    ['clean-targets: [models]', /will not clean the following source paths/],
    ['clean-targets: ["."]', /will not clean the following source paths/],
    ['clean-targets: [.boathouse]', /will not clean the following source paths/],
    ['model-paths: [sql]\nclean-targets: [sql]', /will not clean the following source paths/],
    ['clean-targets: [..]', /directories outside the project/, '--no-clean-project-files-only'],
    ['clean-targets: [/]', /directories outside the project/, '--no-clean-project-files-only'],
  ])('clean keeps its hands off: %s', async (text, message, flag = '') => {
    writeFileSync(join(folder, 'dbt_project.yml'), `name: shop\nprofile: shop\n${text}\n`)
    const [code, said] = await run(`clean --project-dir ${folder} ${flag}`.trim())
    expect([code, said]).toEqual([2, expect.stringMatching(message)])
  })

  test('variables under old and reserved names are told, as is config: of profiles.yml, which holds flags', async () => {
    const dir = join(folder, 'old')
    vi.stubEnv('DBT_NO_PRINT', '0')
    vi.stubEnv('DBT_ENGINE_OURS', 'x')
    vi.stubEnv('DBT_ENGINE_PARTIAL_PARSE', 'false')
    const profiles = 'shop: {target: dev, outputs: {dev: {type: duckdb}}}\nconfig: {warn_error: true}\n'
    try {
      const told = (await run(`parse --project-dir ${dir} --show-all-deprecations`))[1]
      expect(told).toContain('The environment variable `DBT_NO_PRINT` has been renamed as `DBT_ENGINE_PRINT`')
      expect(told.match(/custom environment variable `\w+`/g)).toEqual([
        'custom environment variable `DBT_ENGINE_OURS`',
      ])
      vi.unstubAllEnvs()
      writeFileSync(join(dir, 'profiles.yml'), profiles)
      expect(await run(`parse --project-dir ${dir}`)).toEqual([
        2,
        expect.stringContaining("User config should be moved from the 'config' key in profiles.yml"),
      ])
      writeFileSync(join(dir, 'dbt_project.yml'), 'name: old\nprofile: shop\nflags: {fail_fast: true}\n')
      expect((await run(`parse --project-dir ${dir}`))[1]).toContain("Do not specify both 'config'")
    } finally {
      vi.unstubAllEnvs()
      rmSync(dir, { recursive: true })
    }
  })

  test('templates see a variable of dbt under both of its names', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'names-'))
    vi.stubEnv('DBT_STATE', 'old')
    vi.stubEnv('DBT_ENGINE_DEFER_STATE', 'new')
    vi.stubEnv('DBT_DEFER_STATE', 'other')
    vi.stubEnv('DBT_OURS', 'own')
    const asked = (name: string) => `"{{ env_var('${name}', 'none') }}"`
    writeFileSync(
      join(dir, 'profiles.yml'),
      `shop: {target: dev, outputs: {dev: {type: duckdb, schema: ${asked('DBT_ENGINE_STATE')}}}}`,
    )
    writeFileSync(
      join(dir, 'dbt_project.yml'),
      `name: shop\nprofile: shop\nmodels: {+alias: ${asked('DBT_DEFER_STATE')}, +group: ${asked('DBT_ENGINE_OURS')}}`,
    )
    mkdirSync(join(dir, 'models'))
    writeFileSync(join(dir, 'models', 'm.sql'), 'select 1 as one')
    writeFileSync(join(dir, 'models', 'm.yml'), 'groups: [{name: none, owner: {name: Ann}}]')
    try {
      const [, shown] = await run(`ls --project-dir ${dir} --output json --output-keys schema alias group --quiet`)
      expect(JSON.parse(shown)).toEqual({ schema: 'old', alias: 'new', group: 'none' })
    } finally {
      vi.unstubAllEnvs()
      rmSync(dir, { recursive: true })
    }
  })

  test('a microbatch model that reads nothing by time is no error by --warn-error, but where the flag of the project says so', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'batches-'))
    mkdirSync(join(dir, 'models'))
    writeFileSync(join(dir, 'profiles.yml'), 'shop: {target: dev, outputs: {dev: {type: duckdb}}}\n')
    const config =
      "materialized='incremental', incremental_strategy='microbatch', event_time='t', batch_size='day', begin='2024-01-01'"
    writeFileSync(join(dir, 'models', 'm.sql'), `{{ config(${config}) }} select now() as t`)
    const parsed = async (flags: string) => {
      writeFileSync(join(dir, 'dbt_project.yml'), `name: shop\nprofile: shop\n${flags}`)
      return (await run(`parse --project-dir ${dir} --warn-error`))[0]
    }
    expect(await parsed('')).toBe(0)
    expect(await parsed('flags: {require_all_warnings_handled_by_warn_error: true}\n')).toBe(2)
    rmSync(dir, { recursive: true })
  })

  test('ls keeps old spellings to the log: what it prints is read by programs', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'listed-'))
    writeFileSync(join(dir, 'profiles.yml'), 'shop: {target: dev, outputs: {dev: {type: duckdb}}}\n')
    writeFileSync(join(dir, 'dbt_project.yml'), 'name: shop\nprofile: shop\ndata-paths: [data]\n')
    expect((await run(`ls --project-dir ${dir}`))[1]).not.toContain('ConfigDataPathDeprecation')
    expect(readFileSync(join(dir, 'logs', 'dbt.log'), 'utf8')).toContain('ConfigDataPathDeprecation')
    rmSync(dir, { recursive: true })
  })

  test('clean deletes what lies outside of the project where the flag says so', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'outside-'))
    writeFileSync(join(folder, 'dbt_project.yml'), `name: shop\nprofile: shop\nclean-targets: ["${outside}"]\n`)
    const line = `clean --project-dir ${folder}`
    expect([(await run(line))[0], existsSync(outside)]).toEqual([2, true])
    expect([(await run(`${line} --no-clean-project-files-only`))[0], existsSync(outside)]).toEqual([0, false])
  })
})
