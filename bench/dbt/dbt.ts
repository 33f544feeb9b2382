// What dbt's commands cost here and with dbt itself, on the same projects in the same rounds: time on the clock, and
// processor seconds of the command with all that it starts. Each command is a process of its own, as people run it.
//
// Expect a fifteenth of dbt-core's processor time for parsing and compiling, and less than dbt 2's. A build is mostly the
// database: there the part above the SQL counts.

import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { circumstances, machineLoad, measure, ratio, seconds, table, type Case, type Samples } from '../measure.ts'
import { writeGenerated } from './generated.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const [rounds, models] = [Number(process.env.BENCH_ROUNDS ?? 3), Number(process.env.BENCH_MODELS ?? 1_000)]
const quiet = { ...process.env, DBT_SEND_ANONYMOUS_USAGE_STATS: 'false', NO_COLOR: '1', BOATHOUSE_LOG_LEVEL: 'error' }

type Tool = { name: string; command: readonly string[]; verbs: readonly Verb[] }
type Verb = 'parse' | 'parse again' | 'compile' | 'build'
const everything: readonly Verb[] = ['parse', 'parse again', 'compile', 'build']

const here: Tool = { name: 'here', command: [join(root, 'boathouse'), 'dbt'], verbs: everything }
const tools = [
  here,
  ...installed('dbt-core', process.env.BENCH_DBT ?? 'dbt', everything),
  ...installed('dbt 2', process.env.BENCH_DBT2 ?? 'dbt-core-experimental-parser', ['parse', 'compile']),
]

function installed(name: string, program: string, verbs: readonly Verb[]): Tool[] {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore', env: quiet })
    return [{ name, command: [program], verbs }]
  } catch {
    process.stderr.write(`${program} is not there: ${name} is left out\n`)
    return []
  }
}

const folder = mkdtempSync(join(tmpdir(), 'bench-dbt-'))
writeGenerated(join(folder, 'generated'), models)
const projects = [
  { name: `${models} generated models`, from: join(folder, 'generated') },
  ...(process.env.BENCH_PROJECTS ?? '')
    .split(':')
    .filter(Boolean)
    .map((path) => ({ name: basename(path), from: resolve(path) })),
]

/** Milliseconds on the clock and of processors. A build may end red: that is the project's own result. */
function timed(command: readonly string[], dir: string): { clock: number; processor: number } {
  const script = 'TIMEFORMAT="%R %U %S"; time "$@" > /dev/null 2> "$BENCH_ERRORS"'
  const errors = join(folder, 'errors.txt')
  const { stderr, status } = spawnSync('bash', ['-c', script, 'bench', ...command], {
    cwd: dir,
    encoding: 'utf8',
    env: { ...quiet, BENCH_ERRORS: errors },
  })
  const figures = /([\d.]+) ([\d.]+) ([\d.]+)\s*$/.exec(stderr)
  if (!figures || (status !== 0 && status !== 1))
    throw new Error(`${command.join(' ')} ended with ${status}: ${stderr}`)
  const [clock, user, system] = figures.slice(1).map(Number)
  return { clock: clock! * 1_000, processor: (user! + system!) * 1_000 }
}

function caseOf(project: (typeof projects)[number], tool: Tool, verb: Verb): Case {
  const dir = join(folder, `${basename(project.from)}-${tools.indexOf(tool)}`)
  const word = verb === 'parse again' ? 'parse' : verb
  return {
    name: `${project.name}, ${verb}, ${tool.name}`,
    prepare: async () => {
      if (verb === 'parse again') {
        // What was parsed before is kept; one model has changed.
        const model = firstModel(dir)
        if (model) appendFileSync(model, '\n-- changed\n')
        return
      }
      rmSync(dir, { recursive: true, force: true })
      cpSync(project.from, dir, {
        recursive: true,
        filter: (path) => !['target', 'logs', '.boathouse'].includes(basename(path)),
      })
    },
    run: async () =>
      timed([...tool.command, word, ...(existsSync(join(dir, 'profiles.yml')) ? ['--profiles-dir', '.'] : [])], dir),
  }
}

function firstModel(dir: string): string | undefined {
  const found = readdirSync(join(dir, 'models'), { recursive: true, encoding: 'utf8' }).find((file) =>
    file.endsWith('.sql'),
  )
  return found && join(dir, 'models', found)
}

const loadBefore = machineLoad()
const cases = projects.flatMap((project) =>
  everything.flatMap((verb) =>
    tools.filter(({ verbs }) => verbs.includes(verb)).map((tool) => caseOf(project, tool, verb)),
  ),
)
const samples = await measure(cases, { rounds })

function section(project: string, verb: Verb): string[] {
  const measured = tools.filter(({ verbs }) => verbs.includes(verb))
  const name = (tool: Tool, figure: string) => `${project}, ${verb}, ${tool.name}: ${figure}`
  const rows = measured.flatMap((tool) =>
    (['clock', 'processor'] as const).map((figure) => ({
      name: name(tool, figure),
      title: `${tool.name}, ${figure === 'clock' ? 'on the clock' : 'of processors'}`,
      show: seconds,
    })),
  )
  const ratios = measured
    .slice(1)
    .map(
      (tool) =>
        `${tool.name} takes ${times(samples, name(here, 'processor'), name(tool, 'processor'))} the processor time and ${times(samples, name(here, 'clock'), name(tool, 'clock'))} the time.`,
    )
  return [
    `### ${verb === 'parse again' ? 'parse, one model changed' : verb}`,
    '',
    ...table(samples, rows),
    '',
    ...ratios,
    '',
  ]
}

const times = (all: Samples, one: string, other: string) => `${ratio(all, one, other).toFixed(1)} times`

const load = machineLoad()
const text = [
  '# Measurements of dbt commands',
  '',
  `Printed by \`bench/dbt/run.sh\`: ${circumstances()}.`,
  `Rounds: ${rounds}, each case once in every round. Load of the machine before ${loadBefore.toFixed(1)}, after ${load.toFixed(1)}.`,
  `Beside ${
    tools
      .slice(1)
      .map(({ name }) => name)
      .join(' and ') || 'nothing: no dbt was found'
  }.`,
  '',
  ...projects.flatMap(({ name }) => [`## ${name}`, '', ...everything.flatMap((verb) => section(name, verb))]),
].join('\n')
writeFileSync(join(root, 'docs/reference/bench-dbt.md'), `${text.trimEnd()}\n`)
rmSync(folder, { recursive: true, force: true })
