import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Failure } from '../../base/failure.ts'
import { unpack } from './archive.ts'
import { addPackage, installPackages, type DepsEvent, type DepsOptions } from './index.ts'
import { wishesHash, writtenPackages } from './lock.ts'
import { compareVersions, newestWithin } from './versions.ts'

const folder = mkdtempSync(join(tmpdir(), 'deps-'))
let hub: Server
let hubUrl: string
/** What the hub answers, by path. */
const answers = new Map<string, Buffer>()
let dir: string
let count = 0

beforeAll(async () => {
  hub = createServer((request, response) => {
    const body = answers.get(request.url ?? '')
    response.writeHead(body ? 200 : 404).end(body)
  }).listen(0)
  await new Promise((resolve) => hub.once('listening', resolve))
  hubUrl = `http://127.0.0.1:${(hub.address() as AddressInfo).port}/`
})
afterAll(() => {
  hub.close()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => {
  dir = join(folder, `project-${++count}`)
  write({ 'dbt_project.yml': 'name: shop\nversion: 1.0.0\n' })
})

function write(files: Record<string, string>, at = dir): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(at, name)), { recursive: true })
    writeFileSync(join(at, name), text)
  }
}
const read = (name: string) => readFileSync(join(dir, name), 'utf8')

async function deps(more: Partial<DepsOptions> = {}): Promise<DepsEvent[]> {
  const events: DepsEvent[] = []
  await installPackages({
    dir,
    projectName: 'shop',
    packagesFolder: 'dbt_packages',
    vars: {},
    env: {},
    hubUrl,
    dbtVersion: '1.12.6',
    upgrade: false,
    lockOnly: false,
    onEvent: (event) => events.push(event),
    ...more,
  })
  return events
}
const failing = (more?: Partial<DepsOptions>) =>
  deps(more).then(
    () => 'no failure',
    (error: unknown) => (error instanceof Failure ? `${error.code}: ${error.message}` : Promise.reject(error)),
  )

/** A package of the hub with these versions; each holds one model that says which it is. */
function publish(
  name: string,
  versions: Record<string, { requires?: string[]; packages?: string }>,
  own = name.split('/')[1]!,
): void {
  const entries = Object.entries(versions).map(([version, { requires = [], packages }]) => {
    const at = join(folder, `made-${++count}`, `${own}-${version}`)
    write(
      {
        'dbt_project.yml': `name: ${own}\n`,
        'models/which.sql': `select '${version}' as version`,
        ...(packages ? { 'packages.yml': packages } : {}),
      },
      at,
    )
    const path = `/archives/${own}-${version}.tar.gz`
    answers.set(path, execFileSync('tar', ['czf', '-', '-C', dirname(at), `${own}-${version}`]))
    return [
      version,
      {
        name: own,
        packages: [],
        downloads: { tarball: `${hubUrl.replace(/\/$/, '')}${path}` },
        require_dbt_version: requires,
      },
    ]
  })
  answers.set(
    `/api/v1/${name}.json`,
    Buffer.from(JSON.stringify({ name: own, namespace: name.split('/')[0], versions: Object.fromEntries(entries) })),
  )
}

describe('the hub', () => {
  test('the newest version within all bounds, of those that allow this dbt', async () => {
    publish('dbt-labs/dbt_utils', {
      '0.9.0': {},
      '1.1.0': {},
      '1.3.0': {},
      '1.4.0-rc1': {},
      '1.9.0': { requires: ['>=2.0.0'] },
      '2.0.0': {},
    })
    write({ 'packages.yml': "packages:\n  - package: dbt-labs/dbt_utils\n    version: ['>=1.0.0', '<2.0.0']\n" })
    const events = await deps()
    expect(read('dbt_packages/dbt_utils/models/which.sql')).toBe("select '1.3.0' as version")
    expect(events).toContainEqual({
      kind: 'installed',
      title: 'dbt-labs/dbt_utils',
      from: 'version 1.3.0',
      newer: '2.0.0',
      isHub: true,
    })
    expect(read('package-lock.yml')).toMatch(
      /^packages:\n {2}- name: dbt_utils\n {4}package: dbt-labs\/dbt_utils\n {4}version: 1\.3\.0\nsha1_hash: [0-9a-f]{40}\n$/,
    )
  })

  test('the lock holds until the wishes are others, or --upgrade', async () => {
    publish('a/locked', { '1.0.0': {} })
    write({ 'packages.yml': 'packages:\n  - package: a/locked\n    version: ">=1.0.0"\n' })
    await deps()
    publish('a/locked', { '1.0.0': {}, '1.5.0': {} })
    expect((await deps()).some(({ kind }) => kind === 'locked')).toBe(false)
    expect(read('dbt_packages/locked/models/which.sql')).toContain('1.0.0')
    await deps({ upgrade: true, lockOnly: true })
    expect(read('dbt_packages/locked/models/which.sql')).toContain('1.0.0')
    expect(read('package-lock.yml')).toContain('version: 1.5.0')
    await deps()
    expect(read('dbt_packages/locked/models/which.sql')).toContain('1.5.0')
  })

  test('packages of packages; one that is wished for twice takes both bounds', async () => {
    publish('a/base', { '1.0.0': {}, '1.1.0': {}, '1.2.0': {} })
    publish('a/middle', { '1.0.0': { packages: 'packages:\n  - package: a/base\n    version: "<1.2.0"\n' } })
    write({
      'packages.yml':
        'packages:\n  - package: a/middle\n    version: 1.0.0\n  - package: a/base\n    version: ">=1.0.0"\n',
    })
    await deps()
    expect(read('dbt_packages/base/models/which.sql')).toContain('1.1.0')
    expect(readdirSync(join(dir, 'dbt_packages')).sort()).toEqual(['base', 'middle'])
  })

  test.each([
    [
      'no version fits',
      '  - package: a/fit\n    version: ">=9.0.0"\n',
      /PROJECT_INVALID: the hub has no version of a\/fit within >=9\.0\.0; there are: 1\.0\.0/,
    ],
    [
      'no such package',
      '  - package: a/nowhere\n    version: 1.0.0\n',
      /NOT_FOUND: the package a\/nowhere is not at http/,
    ],
    [
      'two of one name',
      '  - package: a/fit\n    version: 1.0.0\n  - local: other\n',
      /PROJECT_INVALID: two packages are called "fit"/,
    ],
    [
      'bounds that exclude each other',
      '  - package: a/fit\n    version: 1.0.0\n  - package: a/fit\n    version: 2.0.0\n',
      /no version of a\/fit within 1\.0\.0 and 2\.0\.0/,
    ],
  ])('%s', async (_, packages, message) => {
    publish('a/fit', { '1.0.0': {} })
    write({
      'packages.yml': `packages:\n${packages}`,
      'other/dbt_project.yml': 'name: fit\n',
      'dbt_packages/kept/dbt_project.yml': 'name: kept\n',
    })
    expect(await failing()).toMatch(message)
    expect(
      readdirSync(dir)
        .sort()
        .filter((name) => name.startsWith('dbt_packages')),
    ).toEqual(['dbt_packages'])
    expect(readdirSync(join(dir, 'dbt_packages'))).toEqual(['kept'])
  })
})

describe('git', () => {
  const git = (at: string, ...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: at,
      encoding: 'utf8',
    }).trim()
  let repository: string
  let first: string

  beforeAll(() => {
    repository = join(folder, 'repository')
    write(
      {
        'dbt_project.yml': 'name: from_git\n',
        'models/a.sql': 'select 1',
        'sub/dbt_project.yml': 'name: below\n',
        'sub/models/b.sql': 'select 2',
      },
      repository,
    )
    git(repository, 'init', '-q', '-b', 'main')
    git(repository, 'add', '.')
    git(repository, 'commit', '-qm', 'one')
    git(repository, 'tag', 'v1')
    first = git(repository, 'rev-parse', 'HEAD')
    write({ 'models/a.sql': 'select 10' }, repository)
    git(repository, 'commit', '-qam', 'two')
    git(repository, 'branch', 'next')
  })

  test.each<[string, () => string, string]>([
    ['a tag', () => 'v1', 'select 1'],
    ['a branch', () => 'next', 'select 10'],
    ['a commit', () => first, 'select 1'],
    ['a short commit', () => first.slice(0, 9), 'select 1'],
    ['the default branch', () => '', 'select 10'],
  ])('%s', async (_, revision, sql) => {
    write({
      'packages.yml': `packages:\n  - git: file://${repository}\n${revision() ? `    revision: "${revision()}"\n` : ''}`,
    })
    await deps()
    expect(read('dbt_packages/from_git/models/a.sql')).toBe(sql)
    expect(existsSync(join(dir, 'dbt_packages/from_git/.git'))).toBe(false)
    // The lock has the commit, whatever moves later.
    expect(read('package-lock.yml')).toMatch(/revision: "?[0-9a-f]{40}/)
  })

  test('a folder of the repository', async () => {
    write({ 'packages.yml': `packages:\n  - git: file://${repository}\n    revision: v1\n    subdirectory: sub\n` })
    await deps()
    expect(read('dbt_packages/below/models/b.sql')).toBe('select 2')
    await deps()
    expect(readdirSync(join(dir, 'dbt_packages'))).toEqual(['below'])
  })

  test.each([
    ['a revision that is not there', 'revision: nope', /STORAGE_FAILED: git could not fetch file:/],
    ['a folder outside', 'subdirectory: ../..', /is not inside the repository/],
    ['an option in the place of a revision', 'revision: --upload-pack=touch', /is no repository and revision/],
  ])('%s', async (_, line, message) => {
    write({ 'packages.yml': `packages:\n  - git: file://${repository}\n    ${line}\n` })
    expect(await failing()).toMatch(message)
  })

  test('an address that runs a program is refused, and a password is not told', async () => {
    write({ 'packages.yml': 'packages:\n  - git: "ext::sh -c touch% ran"\n    revision: main\n' })
    expect(await failing()).toMatch(/STORAGE_FAILED.*transport 'ext' not allowed/)
    write({
      'packages.yml':
        'packages:\n  - git: "http://user:{{ env_var(\'DBT_ENV_SECRET_GIT\') }}@127.0.0.1:1/a.git"\n    revision: v1\n',
    })
    const said = await failing({ env: { DBT_ENV_SECRET_GIT: 'hunter2-secret' } })
    expect(said).toMatch(/git could not fetch http:\/\/127\.0\.0\.1:1\/a\.git/)
    expect(said).not.toContain('hunter2')
  })
})

describe('local packages and archives', () => {
  test('a local package is linked: edits of it count at once', async () => {
    write({
      'packages.yml': 'packages:\n  - local: packages/tool\n',
      'packages/tool/dbt_project.yml': 'name: tool\n',
      'packages/tool/macros/m.sql': 'one',
    })
    await deps()
    expect(lstatSync(join(dir, 'dbt_packages/tool')).isSymbolicLink()).toBe(true)
    write({ 'packages/tool/macros/m.sql': 'two' })
    expect(read('dbt_packages/tool/macros/m.sql')).toBe('two')
    // dbt 1.12's own hash of the same file.
    write({ 'packages.yml': 'packages:\n  - local: packages/toolbox\n' })
    write({ 'packages/toolbox/dbt_project.yml': 'name: tool\n' })
    await deps()
    expect(read('package-lock.yml')).toContain('sha1_hash: f49182c945c376c1a1d53d2cf49cccb21c087952')
  })

  test('a tarball', async () => {
    publish('a/packed', { '1.0.0': {} })
    write({ 'packages.yml': `packages:\n  - tarball: ${hubUrl}archives/packed-1.0.0.tar.gz\n    name: packed\n` })
    await deps()
    expect(read('dbt_packages/packed/models/which.sql')).toContain('1.0.0')
  })

  test('nothing to do is said; a package without dbt_project.yml is none', async () => {
    expect(await deps()).toEqual([{ kind: 'none' }])
    write({ 'packages.yml': 'packages:\n  - local: nowhere\n' })
    expect(await failing()).toMatch(/nowhere has no dbt_project\.yml/)
  })

  /** One entry of a tar archive. */
  const entry = (name: string, content: string, { type = '0', link = '', size = content.length } = {}) => {
    const header = Buffer.alloc(512)
    header.write(name, 0)
    header.write('0000644\0', 100)
    header.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
    header.write(type, 156)
    header.write(link, 157)
    header.write('ustar\0', 257)
    return Buffer.concat([header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)])
  }
  const unpacked = async (...parts: Buffer[]) => {
    const into = join(folder, `unpacked-${++count}`)
    mkdirSync(into, { recursive: true })
    await unpack(
      (async function* () {
        yield gzipSync(Buffer.concat([...parts, Buffer.alloc(1024)]))
      })(),
      into,
      'it',
    )
    return (readdirSync(into, { recursive: true }) as string[]).sort()
  }

  test('an archive writes plain files below its folder, and nothing else', async () => {
    expect(
      await unpacked(
        entry('top/', '', { type: '5' }),
        entry('top/a.sql', 'one'),
        entry('top/b/c.sql', 'two'),
        entry('top/link', '', { type: '2', link: '/etc/passwd' }),
      ),
    ).toEqual(['a.sql', 'b', 'b/c.sql'])
    const long = `top/${'x'.repeat(120)}.sql`
    expect(await unpacked(entry('././@LongLink', `${long}\0`, { type: 'L' }), entry('top/x', 'one'))).toEqual([
      `${'x'.repeat(120)}.sql`,
    ])
    expect(
      await unpacked(entry('PaxHeader', `${long.length + 10} path=${long}\n`, { type: 'x' }), entry('top/x', 'one')),
    ).toEqual([`${'x'.repeat(120)}.sql`])
  })

  test.each([
    ['a way out', () => [entry('top/../../out.sql', 'x')], /wants to write to/],
    ['an absolute path', () => [entry('/etc/out.sql', 'x')], /wants to write to/],
    ['a size beyond all limits', () => [entry('top/big', 'x', { size: 8_000_000_000 })], /more than|too early/],
    ['an end that is missing', () => [entry('top/a', 'x'.repeat(5000)).subarray(0, 900)], /too early/],
  ])('%s is refused', async (_, parts, message) => {
    await expect(unpacked(...parts())).rejects.toThrow(message)
    expect(existsSync(join(folder, 'out.sql'))).toBe(false)
  })

  test('what is no archive is refused', async () => {
    const bytes = (async function* () {
      yield Buffer.from('hello')
    })()
    await expect(unpack(bytes, folder, 'it')).rejects.toThrow(/it is no \.tar\.gz/)
  })
})

// Made by dbt-core 1.12.6: `_create_sha1_hash(package_config_from_data(…))`.
test.each([
  ['package: dbt-labs/dbt_utils\n    version: 1.1.1', 'a158c48c59c2bb7d729d2a4e215aabe5bb4f3353'],
  ['package: dbt-labs/dbt_utils\n    version: [">=1.0.0", "<2.0.0"]', 'dd1e1feb2d2bbce79e7a255cd309a60e6548df0b'],
  ['package: a/b\n    version: 1.1\n    install_prerelease: true', '2f428497b220c75873c13d58fef48aeb60f964bb'],
  [
    'git: https://x.com/a.git\n    revision: main\n    warn-unpinned: false',
    '43a3660b740aca097d85b8b407aecb5bbfcf2f27',
  ],
  ['git: https://x.com/a.git\n    revision: 1.0\n    subdirectory: sub', 'd9d4093585033cdf947bfe7e9e039e89edec7dc1'],
  ['git: https://x.com/a.git', '3c046a2c573d105573e85a3d59dea46973afe7ce'],
  ['tarball: https://x.com/é.tgz\n    name: n', '88b61f379fb5c1408da6d5c62fb71033c1489ca7'],
  ['local: a\n    name: q', 'bfc9ea803441d724e107fe94ff18623de0887d4e'],
])("the lock hash of %s is dbt's", async (entry, hash) => {
  write({ 'packages.yml': `packages:\n  - ${entry}\n` })
  expect(wishesHash(await writtenPackages(join(dir, 'packages.yml')), [])).toBe(hash)
})

test('versions in order, pre-releases before their release', () => {
  const order = ['0.9.9', '1.0.0-a1', '1.0.0-rc2', '1.0.0-rc10', '1.0.0', '1.0.10', '1.2.0', '10.0.0']
  expect(order.toReversed().sort(compareVersions)).toEqual(order)
  expect(newestWithin(order, ['>=1.0.0', '<1.2.0'], { prereleases: false })).toBe('1.0.10')
  expect(newestWithin(order, ['<1.0.0'], { prereleases: false })).toBe('0.9.9')
  expect(newestWithin(order, ['=1.0.0-rc2'], { prereleases: false })).toBe('1.0.0-rc2')
})

test('--add-package keeps what packages.yml says, and takes the place of the same package', async () => {
  write({
    'packages.yml': '# ours\npackages:\n  - package: dbt-labs/dbt_utils\n    version: 1.0.0 # old\n  - local: tool\n',
  })
  await addPackage(dir, { name: 'dbt-labs/dbt_utils', version: '>=1.1.0,<2.0.0', source: 'hub' })
  expect(read('packages.yml')).toBe(
    '# ours\npackages:\n  - local: tool\n  - package: dbt-labs/dbt_utils\n    version:\n      - ">=1.1.0"\n      - <2.0.0\n',
  )
  await addPackage(dir, { name: 'https://x.com/dbt-utils.git', version: 'v1', source: 'git' })
  expect(read('packages.yml')).toBe(
    '# ours\npackages:\n  - local: tool\n  - git: https://x.com/dbt-utils.git\n    revision: v1\n',
  )
  rmSync(join(dir, 'packages.yml'))
  await addPackage(dir, { name: 'a/b', version: undefined, source: 'hub' })
  expect(read('packages.yml')).toBe('packages:\n  - package: a/b\n')
})
