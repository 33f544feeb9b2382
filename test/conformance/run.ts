// The real peers, part by part: PyIceberg, Spark, Trino and Java on our tables and we on theirs, the Iceberg REST
// compatibility kit, object stores and catalogs of others, dbt, PostgreSQL clients, and the image in a container engine.
//
//     run.sh                 all parts, about an hour and a half on two cores
//     run.sh storage rck     the parts whose names hold one of these words
//     run.sh --resume        without the parts that passed in an earlier run; each is told with the commit it passed at
//
// A part is one test file in a process of its own, or a script of `test/containers`. What a part said, and how it ended,
// is kept in the user's cache folder, so that a run which was stopped goes on where it was. What cannot run here is a
// skip, told with its reason; where the lab of the peers is at hand (`../shared`), a skip of what it has is a failure.
// The last line is `N passed, N failed`.

import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, globSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

type Outcome = {
  commit: string
  passed: number
  failures: { what: string; message: string }[]
  /** What did not run, and why as far as its title says so. */
  skipped: string[]
  mayBeSkipped: boolean
  minutes: number
}

type Ended = Pick<Outcome, 'passed' | 'failures' | 'skipped'>

const root = join(import.meta.dirname, '../..')
const kept = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'boathouse-conformance-results')
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const resumes = process.argv.includes('--resume')

const tests = globSync('test/conformance/**/*.test.ts', { cwd: root }).toSorted()
const parts = [...tests, 'test/containers/run.sh', 'test/containers/full.sh']
const nameOf = (part: string) => part.replace(/^test\/(conformance\/)?/, '').replace(/\.(test\.ts|sh)$/, '')
const fileOf = (part: string, kind: string) => join(kept, `${nameOf(part).replaceAll('/', '-')}.${kind}`)

/** These need more than the lab of the peers has: the sources of public projects. */
const mayBeSkipped = ['dbt/projects']

const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout?.trim() || '?'

/** The Python of the peers, with what `requirements.txt` pins. */
function python(): string | undefined {
  const made = spawnSync(join(import.meta.dirname, 'python.sh'), ['conformance', 'test/conformance/requirements.txt'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return made.status === 0 ? made.stdout.trim() : undefined
}

/** Runs to the end, all it says into the log of the part. Gives its exit code. */
function run(part: string, command: string, args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const log = openSync(fileOf(part, 'log'), 'w')
  const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', log, log] })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => (closeSync(log), resolve(code ?? 1)))
  })
}

async function runTests(part: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  const report = fileOf(part, 'vitest.json')
  rmSync(report, { force: true })
  const reporters = ['--reporter=verbose', '--reporter=json', `--outputFile.json=${report}`]
  const code = await run(
    part,
    'npx',
    ['vitest', 'run', '--config', 'test/conformance/vitest.config.ts', ...reporters, part],
    env,
  )
  type Assertion = { fullName: string; status: string; failureMessages: string[] }
  const { testResults } = (existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { testResults: [] }) as {
    testResults: { status: string; message: string; assertionResults: Assertion[] }[]
  }
  const all = testResults.flatMap(({ assertionResults }) => assertionResults)
  const failures = all
    .filter(({ status }) => status === 'failed')
    .map(({ fullName, failureMessages }) => ({ what: fullName, message: failureMessages.join('\n') }))
  if (code !== 0 && failures.length === 0)
    // A file that could not be loaded has no tests that failed.
    failures.push({ what: 'the file', message: testResults.map(({ message }) => message).join('\n') || `exit ${code}` })
  return {
    passed: all.filter(({ status }) => status === 'passed').length,
    failures,
    skipped: all.filter(({ status }) => status !== 'passed' && status !== 'failed').map(({ fullName }) => fullName),
  }
}

async function runContainers(part: string): Promise<Ended> {
  const code = await run(part, part, [], {})
  const said = readFileSync(fileOf(part, 'log'), 'utf8').trimEnd().split('\n')
  const passed = said.filter((line) => line.startsWith('ok: ')).length
  // The script said why it cannot run here.
  if (code === 77) return { passed: 0, failures: [], skipped: [said.at(-1) ?? ''] }
  const message = said.findLast((line) => line.startsWith('FAILED')) ?? `exit ${code}`
  return { passed, failures: code === 0 ? [] : [{ what: nameOf(part), message }], skipped: [] }
}

function tell(part: string, { passed, failures, skipped, minutes }: Outcome, earlier?: string): void {
  const state = failures.length > 0 ? 'FAILED' : skipped.length > 0 ? 'skipped' : 'passed'
  const counts = [
    `${passed} passed`,
    failures.length && `${failures.length} failed`,
    skipped.length && `${skipped.length} skipped`,
  ]
  const took = earlier === undefined ? `${minutes.toFixed(1)} min` : `at ${earlier}, not run again`
  console.log(`${state.padEnd(8)}${nameOf(part).padEnd(28)}${counts.filter(Boolean).join(', ')}, ${took}`)
  for (const { what, message } of failures)
    console.log(`        ${what}: ${message.split('\n').slice(0, 6).join('\n          ')}`)
  for (const why of skipped) console.log(`        skipped: ${why}`)
  if (failures.length > 0) console.log(`        log: ${fileOf(part, 'log')}`)
}

mkdirSync(kept, { recursive: true })
const peers = python()
if (!peers) console.log('no Python of the peers: python3 with venv, or the package index, is missing')
const env = peers ? { PYICEBERG_PYTHON: peers, CONFORMANCE_PYTHON: peers } : {}
const wanted = parts.filter((part) => words.length === 0 || words.some((word) => nameOf(part).includes(word)))
const outcomes: Outcome[] = []
for (const part of wanted) {
  const file = fileOf(part, 'json')
  const earlier = resumes && existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Outcome) : undefined
  if (earlier && earlier.failures.length === 0 && earlier.skipped.length === 0) {
    outcomes.push(earlier)
    tell(part, earlier, earlier.commit)
    continue
  }
  rmSync(file, { force: true })
  const began = Date.now()
  const ended = await (part.endsWith('.sh') ? runContainers(part) : runTests(part, env))
  const minutes = (Date.now() - began) / 60_000
  const outcome = { commit, ...ended, mayBeSkipped: mayBeSkipped.includes(nameOf(part)), minutes }
  writeFileSync(file, JSON.stringify(outcome, null, 2))
  outcomes.push(outcome)
  tell(part, outcome)
}

const total = (count: (one: Outcome) => number) => outcomes.reduce((sum, one) => sum + count(one), 0)
const skipped = total((one) => one.skipped.length)
const missed = existsSync(join(root, '../shared')) ? total((one) => (one.mayBeSkipped ? 0 : one.skipped.length)) : 0
const failed = total((one) => one.failures.length) + missed
const passed = total((one) => one.passed)
console.log(
  `${outcomes.length} parts, ${Math.round(total((one) => one.minutes))} minutes, ${skipped} skipped; logs in ${kept}`,
)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
