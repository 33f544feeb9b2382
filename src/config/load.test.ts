import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { Failures, formatFailure, type Failure } from '../base/failure.ts'
import { assertWritable, type Config, findProjectDir, loadConfig, type Override, resolveEnvironment } from './index.ts'
import { environmentOfBranch, gitBranch } from './environment.ts'
import { type Machine, networkFileSystem } from './machine.ts'
import { settings } from './settings.ts'

const machine: Machine = { memoryBytes: 10e9, threads: 4, mounts: '/dev/sda / ext4 rw 0 0\n' }
const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function project(files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), 'boathouse-config-'))
  folders.push(dir)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), text)
  }
  return dir
}

type Given = { yml?: string; dotenv?: string; env?: Record<string, string>; overrides?: Override[]; machine?: Machine }

function load({ yml = 'name: sales', dotenv, env = {}, overrides = [], machine: own = machine }: Given): Config {
  const dir = project({ 'boathouse.yml': yml, ...(dotenv === undefined ? {} : { '.env': dotenv }) })
  return loadConfig({ dir, env, overrides, machine: own })
}

function mistakes(given: Given): string[] {
  try {
    load(given)
  } catch (error) {
    const failures = error as Failures
    expect(failures.code).toBe('CONFIG_INVALID')
    return formatFailure(failures)
      .split('\n')
      .filter((line) => line.startsWith('CONFIG_INVALID'))
      .map((line) => line.replace('CONFIG_INVALID: ', ''))
  }
  return []
}

test('a name is all that a project must say', () => {
  const config = load({})
  expect(config).toMatchObject({
    name: 'sales',
    environment: { name: 'dev', chosenBy: 'default' },
    environments: {
      dev: { catalog: 'dev_analytics', protected: false },
      prod: { catalog: 'prod_analytics', protected: true },
    },
    http: { host: '127.0.0.1', port: 8620, publicUrl: undefined },
    limits: { memoryBytes: 6e9, threads: 4, queryTimeoutMs: 60_000 },
    records: { url: undefined, schema: 'boathouse' },
    timezone: 'UTC',
    schedules: { enabled: true },
    doctor: [],
    secrets: [],
  })
  expect(config.stateDir).toBe(join(config.dir, '.boathouse'))
  expect(config.storage.root).toBe(join(config.dir, '.boathouse/lake'))
})

test('every setting can be written in boathouse.yml where its page says', () => {
  for (const { key, example } of Object.values(settings)) {
    if (!key || key === 'name') continue
    const nested = key.split('.').map((part, depth) => `${'  '.repeat(depth)}${part}:`)
    const unknown = mistakes({ yml: `name: sales\n${nested.join('\n')} ${example}` }).filter((line) =>
      line.includes('there is no setting'),
    )
    expect([key, unknown]).toEqual([key, []])
  }
  expect(load({ yml: 'name: sales\nlimits: {per_principal: {queries: 3}}' }).limits.perPrincipal).toMatchObject({
    queries: 3,
  })
})

test('a bucket as root; the usual variables of AWS say where it is', () => {
  const yml = 'name: sales\nstorage: {root: s3://lake/a/, region: eu-west-1}'
  const env = { AWS_ENDPOINT_URL: 'http://localhost:8333', AWS_REGION: 'us-east-2' }
  const { storage, stateDir } = load({ yml, env })
  expect(storage).toEqual({
    root: 's3://lake/a',
    endpoint: 'http://localhost:8333',
    region: 'eu-west-1',
    pathStyle: undefined,
    conditionalWrites: 'auto',
    cacheDir: join(stateDir, 'cache'),
    cacheBytes: 20 * 2 ** 30,
  })
})

test('a catalog of somebody else, its secrets hidden', () => {
  const yml =
    'name: sales\ncatalog: {type: rest, uri: "http://localhost:8181/", warehouse: lake, environment_as: namespace}'
  const config = load({ yml, env: { BOATHOUSE_CATALOG_CREDENTIAL: 'root:s3cr3t-one' } })
  expect(config.catalog.external).toMatchObject({
    uri: 'http://localhost:8181',
    warehouse: 'lake',
    environmentAs: 'namespace',
    credential: 'root:s3cr3t-one',
    scope: 'catalog',
    vendedCredentials: true,
  })
  expect(config.secrets).toContain('s3cr3t-one')
  expect(load({}).catalog.external).toBeUndefined()
})

test('command line over environment over .env over boathouse.yml over default', () => {
  const given = {
    yml: 'name: sales\nhttp: {port: 1}',
    dotenv: 'BOATHOUSE_HTTP_PORT=2',
    env: { BOATHOUSE_HTTP_PORT: '3' },
  }
  const port = (one: Given) => load(one).http.port
  expect(port({ ...given, overrides: [{ setting: 'httpPort', value: '4', from: '--port' }] })).toBe(4)
  expect(port(given)).toBe(3)
  expect(port({ ...given, env: { BOATHOUSE_HTTP_PORT: '' } })).toBe(2)
  expect(port({ yml: given.yml })).toBe(1)
  expect(port({})).toBe(8620)
})

test.each([
  ['limits: {memory: 2GB}', { limits: { memoryBytes: 2e9 } }],
  ['limits: {memory: 50%}', { limits: { memoryBytes: 5e9 } }],
  ['limits: {query_timeout: 5 min}', { limits: { queryTimeoutMs: 300_000 } }],
  ['schedules: {enabled: off}', { schedules: { enabled: false } }],
  ['schedules: {enabled: false}', { schedules: { enabled: false } }],
  ['timezone: Europe/Berlin', { timezone: 'Europe/Berlin' }],
  ['http:', { http: { port: 8620 } }],
  ['public_url: https://data.example.com/', { http: { publicUrl: 'https://data.example.com' } }],
  [
    'environments: {dev: dev_lake, live: {catalog: live_lake, protected: true}}',
    {
      environments: { dev: { catalog: 'dev_lake', protected: false }, live: { catalog: 'live_lake', protected: true } },
    },
  ],
  ['environments: {only: only_lake}', { environment: { name: 'only' } }],
  [
    'doctor: [{name: rows, sql: select 1, expect: {at_least: 1}}]',
    { doctor: [{ name: 'rows', sql: 'select 1', expect: { at_least: 1 } }] },
  ],
])('%s', (line, expected) => expect(load({ yml: `name: sales\n${line}` })).toMatchObject(expected))

test.each<[string, Given, string[]]>([
  [
    'empty file',
    { yml: '' },
    ['boathouse.yml:1:1: name is missing; expected lower-case letters, digits, - and _, for example name: sales'],
  ],
  ['not a map', { yml: '- name' }, ['boathouse.yml:1:1: must be a map of settings, for example name: sales']],
  [
    'no YAML',
    { yml: 'name: "sales' },
    [expect.stringMatching(/^boathouse.yml:1:\d+: Missing closing "quote/) as string],
  ],
  [
    'unknown key',
    { yml: 'name: sales\nhttp:\n  prot: 1' },
    ['boathouse.yml:3:3: there is no setting http.prot; did you mean "http.port"?'],
  ],
  [
    'key in the wrong place',
    { yml: 'name: sales\nport: 1' },
    ['boathouse.yml:2:1: there is no setting port; did you mean "http.port"?'],
  ],
  [
    'section with a value',
    { yml: 'name: sales\nlog: json' },
    ['boathouse.yml:2:1: log must hold settings: log.level, log.format, log.retention, log.audit_retention'],
  ],
  [
    'secret in the file',
    { yml: 'name: sales\ndatabase_url: postgres://a:b@c/d' },
    ['boathouse.yml:2:1: database_url holds a secret and is set by the variable DATABASE_URL, for example in .env'],
  ],
  [
    'wrong value',
    { yml: 'name: sales\nhttp: {port: abc}' },
    [
      'boathouse.yml:2:14: http.port is "abc"; expected a whole number from 0 to 65535 (0 takes any free port), for example http.port: 8620',
    ],
  ],
  [
    'no value',
    { yml: 'name: sales\ntimezone:' },
    [
      'boathouse.yml:2:1: timezone is empty; expected a time zone of the IANA list, for example timezone: Europe/Berlin'.replace(
        ':2:1:',
        ':2:10:',
      ),
    ],
  ],
  [
    'a number without a unit',
    { yml: 'name: sales\nlimits: {query_timeout: 60}' },
    [
      'boathouse.yml:2:25: limits.query_timeout is 60; expected a duration in ms, s, min, h or d, for example limits.query_timeout: 60s',
    ],
  ],
  [
    'wrong variable',
    { env: { BOATHOUSE_HTTP_PORT: '86200' } },
    [
      'BOATHOUSE_HTTP_PORT is "86200"; expected a whole number from 0 to 65535 (0 takes any free port), for example http.port: 8620',
    ],
  ],
  [
    'unknown variable',
    { env: { BOATHOUSE_HTTP_PROT: '1' } },
    ['there is no variable BOATHOUSE_HTTP_PROT; did you mean "BOATHOUSE_HTTP_PORT"?'],
  ],
  [
    'unknown variable in .env',
    { dotenv: '# x\nBOATHOUSE_PORTS=1' },
    [expect.stringMatching(/^\.env:2:1: there is no variable BOATHOUSE_PORTS/) as string],
  ],
  [
    'secret with a password',
    { dotenv: 'DATABASE_URL=mysql://ann:geheim@db/x' },
    [
      '.env:1:14: DATABASE_URL is "mysql://ann:***@db/x"; expected a PostgreSQL address, for example DATABASE_URL=postgres://boathouse:secret@localhost:5432/boathouse',
    ],
  ],
  [
    'secret of no form',
    { env: { REDIS_URL: 'geheim' } },
    ['REDIS_URL is hidden; expected a Redis address, for example REDIS_URL=redis://:secret@localhost:6379/0'],
  ],
  [
    'environment of no catalog',
    { yml: 'name: sales\nenvironments:\n  dev: 5' },
    [
      'boathouse.yml:3:3: environments.dev: must be a catalog name or {catalog, protected}, for example environments: {dev: dev_analytics, prod: {catalog: prod_analytics, protected: true}}',
    ],
  ],
  [
    'unknown environment',
    { yml: 'name: sales\nenvironment: prd' },
    ['boathouse.yml:2:14: environment names "prd"; did you mean "prod"?; expected one of dev, staging, prod'],
  ],
  [
    'unknown environment by branch',
    { yml: 'name: sales\nenvironment:\n  by_branch:\n    main: prodd' },
    ['boathouse.yml:4:5: environment names "prodd"; did you mean "prod"?; expected one of dev, staging, prod'],
  ],
  [
    'unknown environment by variable',
    { env: { BOATHOUSE_ENV: 'test' } },
    ['BOATHOUSE_ENV names "test"; expected one of dev, staging, prod'],
  ],
  [
    'two of one catalog',
    { yml: 'name: sales\nenvironments: {dev: lake, test: lake}' },
    ['environments.test and environments.dev share the catalog lake'],
  ],
  [
    'expectation without a bound',
    { yml: 'name: sales\ndoctor:\n  - name: x\n    sql: select 1\n    expect: {}' },
    [expect.stringMatching(/^boathouse.yml:5:5: doctor.0.expect: must have equals, at_least or at_most/) as string],
  ],
  [
    'expectation with a typo',
    { yml: 'name: sales\ndoctor:\n  - name: x\n    sqll: select 1\n    expect: {equals: 1}' },
    [
      expect.stringMatching(/^boathouse.yml:3:5: doctor.0.sql: /) as string,
      expect.stringMatching(/^boathouse.yml:4:5: doctor.0: unrecognized key: "sqll"/) as string,
    ],
  ],
  [
    'several at once',
    { yml: 'nam: sales\nhttp: {port: x}', env: { BOATHOUSE_X_Y: '1', BOATHOUSE_TIMEZONE: 'Mars' } },
    [
      expect.stringContaining('nam; did you mean "name"?') as string,
      'there is no variable BOATHOUSE_X_Y' as string,
      expect.stringContaining('name is missing') as string,
      expect.stringContaining('http.port is "x"') as string,
      expect.stringContaining('BOATHOUSE_TIMEZONE is "Mars"') as string,
    ],
  ],
  [
    'a line of .env',
    { dotenv: 'export A=1\nwhat is this\nB="open' },
    [
      '.env:2:1: a line must be NAME=value, for example HTTP_PROXY="http://proxy:3128"',
      '.env:3:3: the value of B must close its quote on the same line, for example HTTP_PROXY="http://proxy:3128"',
    ],
  ],
  [
    'a store that is none of ours',
    { yml: 'name: sales\nstorage: {root: gs://lake}' },
    [
      'boathouse.yml:2:17: storage.root is "gs://lake"; expected a local folder, absolute or relative to boathouse.yml, or s3://bucket/folder, for example storage.root: s3://lake/analytics',
    ],
  ],
  [
    'a catalog without an address',
    { yml: 'name: sales\ncatalog: {type: rest}' },
    [
      'catalog.type is rest and catalog.uri is missing, for example catalog.uri: https://polaris.example.com/api/catalog',
    ],
  ],
  [
    'a certificate without its key',
    { yml: 'name: sales\npg: {tls_cert: server.crt}' },
    ['pg.tls_cert is set and pg.tls_key is missing, for example pg.tls_key: /etc/boathouse/server.key'],
  ],
  [
    'a key without its certificate',
    { yml: 'name: sales\npg: {tls_key: server.key}' },
    ['pg.tls_key is set and pg.tls_cert is missing, for example pg.tls_cert: /etc/boathouse/server.crt'],
  ],
])('mistake: %s', (_, given, expected) => {
  const found = mistakes(given)
  expect(found).toEqual(expect.arrayContaining(expected))
  expect(found).toHaveLength(expected.length)
})

test('.env has quotes, comments, exports, and expands nothing', () => {
  const dotenv = '\uFEFF# all\nA=1 # one\nexport B="x \\"y\\" #z" # c\nC=\'a\\n$B\'\r\nD=\nE = spaced out \nF=a#b\n'
  expect(load({ dotenv, env: { A: 'own' } }).env).toEqual({
    A: 'own',
    B: 'x "y" #z',
    C: 'a\\n$B',
    D: '',
    E: 'spaced out',
    F: 'a#b',
  })
})

test('secrets are the values of secret settings and of variables named so', () => {
  const env = { DATABASE_URL: 'postgres://ann:ge%40heim@db/x', FRED_API_KEY: 'abcdef', PATH: '/bin', DB_PASSWORD: 'p' }
  expect(load({ env }).secrets).toEqual(
    ['postgres://ann:ge%40heim@db/x', 'ge%40heim', 'ge@heim', 'abcdef'].toSorted((a, b) => b.length - a.length),
  )
})

test('a folder without boathouse.yml is no project; one below it is in it', () => {
  const dir = project({ 'boathouse.yml': 'name: sales', 'models/marts/x.sql': '' })
  expect(() => loadConfig({ dir: join(dir, 'models'), env: {}, machine })).toThrow(
    expect.objectContaining({ code: 'PROJECT_NOT_FOUND' }),
  )
  expect(findProjectDir(join(dir, 'models/marts'))).toBe(dir)
  expect(findProjectDir('/')).toBeUndefined()
})

describe('the environment', () => {
  const onBranch = (branch: string) =>
    loadConfig({
      dir: project({
        'boathouse.yml': 'name: sales\nenvironment: {by_branch: {main: prod, develop: staging, "*": dev}}',
        '.git/HEAD': branch,
      }),
      env: {},
      machine,
    })
  test.each([
    ['ref: refs/heads/main\n', 'prod', 'branch'],
    ['ref: refs/heads/feature/x\n', 'dev', 'branch'],
    ['8d1c0d5e0a3b\n', 'dev', 'branch'], // a detached head is on no branch
  ])('of %j is %s', (head, name, chosenBy) => expect(onBranch(head).environment).toEqual({ name, chosenBy }))

  test('is written in production only where somebody named it', () => {
    const config = onBranch('ref: refs/heads/main')
    const byBranch = resolveEnvironment(config)
    expect(byBranch).toMatchObject({ name: 'prod', catalog: 'prod_analytics', writable: false })
    expect(() => assertWritable(byBranch)).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN', hint: expect.stringContaining('--env prod') }),
    )
    assertWritable(resolveEnvironment(config, { flag: 'prod' }))
    assertWritable(resolveEnvironment(load({ env: { BOATHOUSE_ENV: 'prod' } })))
    expect(resolveEnvironment(load({ yml: 'name: sales\nenvironment: prod' })).writable).toBe(false)
    assertWritable(resolveEnvironment(load({ yml: 'name: sales\nenvironment: staging' })))
  })

  test('that the flag names must exist', () => {
    expect(() => resolveEnvironment(load({}), { flag: 'prd' })).toThrow(
      expect.objectContaining({ code: 'USAGE', message: 'there is no environment prd; did you mean "prod"?' }),
    )
  })

  test('of a worktree is found through its .git file', () => {
    const dir = project({
      'main/.git/worktrees/w/HEAD': 'ref: refs/heads/side',
      'w/.git': 'gitdir: ../main/.git/worktrees/w\n',
      'w/sub/x': '',
    })
    expect(gitBranch(join(dir, 'w/sub'))).toBe('side')
  })

  test.each([
    [{ main: 'a', 'feature/*': 'b', '*': 'c' }, 'feature/x', 'b'],
    [{ '*': 'c', 'feature/*': 'b' }, 'feature/x', 'b'],
    [{ main: 'a' }, 'other', undefined],
    [{ 'a.b*': 'x' }, 'aXb', undefined],
  ])('by %j on %s is %s', (map, branch, expected) => expect(environmentOfBranch(map, branch)).toBe(expected))
})

describe('a network file system', () => {
  const mounts =
    'a / ext4 rw 0 0\nC:\\ /mnt/c 9p rw 0 0\nnas:/x /data\\040set nfs4 rw 0 0\nb /data\\040set/disk xfs rw 0 0\nc /far fuse.sshfs rw 0 0\n'
  test.each([
    ['/home/ann/x', undefined],
    ['/mnt/c/Users/ann', '9p'],
    ['/mnt/cd', undefined],
    ['/data set/x', 'nfs4'],
    ['/data set/disk/x', undefined],
    ['/far/x', 'fuse.sshfs'],
  ])('%s is %s', (folder, type) => expect(networkFileSystem(folder, mounts)).toBe(type))

  test('is refused for the state, with the remedy, unless PostgreSQL holds the records', () => {
    const remote = { ...machine, mounts: 'nas:/x / nfs4 rw 0 0' }
    expect(mistakes({ machine: remote })).toEqual([
      expect.stringMatching(/network file system \(nfs4\).*BOATHOUSE_STATE_DIR=\/var\/lib\/boathouse.*DATABASE_URL/),
    ])
    expect(mistakes({ machine: remote, env: { DATABASE_URL: 'postgres://a:b@c/d' } })).toEqual([])
  })
})

test('one mistake says what to do', () => {
  const error = ((): Failure => {
    try {
      load({ yml: 'name: A' })
    } catch (thrown) {
      return thrown as Failure
    }
    throw new Error('no mistake')
  })()
  expect(formatFailure(error)).toMatchInlineSnapshot(`
    "CONFIG_INVALID: boathouse.yml:1:7: name is "A"; expected lower-case letters, digits, - and _, for example name: sales
      Correct the settings named above; \`docs/reference/configuration.md\` lists all of them."
  `)
})

describe('a folder of another tool, whose settings are given instead of a boathouse.yml', () => {
  const loadIn = (dir: string) => loadConfig({ dir, env: {}, machine, instead: 'name: shop' }).env
  test('takes its .env, or the one above it, as far as it is one', () => {
    const above = project({ '.env': 'A=1\nsome words\nB="open\n', 'dbt/x': '' })
    expect(loadIn(join(above, 'dbt'))).toEqual({ A: '1' })
    expect(loadIn(project({ '.env': 'A=2' }))).toEqual({ A: '2' })
  })
  test('may have a folder of that name', () => {
    expect(loadIn(project({ '.env/bin/python': '' }))).toEqual({})
  })
})
