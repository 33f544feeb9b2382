// What dbt's commands cost here and with others, on the same projects: time on the clock, and processor seconds of the command
// with all that it starts. Each command is a process of its own, as people run it, and starts from a fresh copy of the
// project, but for `parse again`. What takes minutes elsewhere is measured once, what is quick in every round.
//
// Expect a fifteenth of dbt-core's processor time for parsing and compiling, and less than dbt 2's. A build is mostly the
// database: there the part above the SQL counts, which `floor.ts` measures by itself.

import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { circumstances, machineLoad, measure, median, seconds, table, type Case, type Samples } from '../measure.ts'
import { writeGenerated, writeObserved } from './generated.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const setting = (name: string, otherwise: number) => Number(process.env[name] ?? otherwise)
const [rounds, slowRounds] = [setting('BENCH_ROUNDS', 3), setting('BENCH_SLOW_ROUNDS', 1)]
const [models, observed, limitS] = [
  setting('BENCH_MODELS', 1_000),
  setting('BENCH_OBSERVED', 700),
  setting('BENCH_LIMIT_S', 240),
]
const quiet = { ...process.env, DBT_SEND_ANONYMOUS_USAGE_STATS: 'false', NO_COLOR: '1', BOATHOUSE_LOG_LEVEL: 'error' }
for (const name of Object.keys(quiet)) if (name.startsWith('BENCH_')) delete quiet[name as keyof typeof quiet]

const verbs = ['parse', 'parse again', 'compile', 'check', 'build', 'hook'] as const
type Verb = (typeof verbs)[number]
type Tool = {
  name: string
  isSlow: boolean
  /** The arguments of its program; none: it has no such command. */
  commands: Partial<Record<Verb, readonly string[]>>
  /** What its copy of a project needs besides. */
  layOut?: (dir: string) => void
  /** Loads the seeds, of which a project may say that they are its sources: then they must be there before it is built. */
  seed?: readonly string[]
}

const oneNode = ['--select', '+m_00_000']
const asDbt = (...program: string[]): Tool['commands'] => ({
  parse: [...program, 'parse'],
  'parse again': [...program, 'parse'],
  compile: [...program, 'compile'],
  build: [...program, 'build'],
  hook: [...program, 'build', ...oneNode],
})
const boathouse = join(root, 'boathouse')
const here: Tool = {
  name: 'here',
  isSlow: false,
  commands: { ...asDbt(boathouse, 'dbt'), check: [boathouse, 'check'] },
  seed: [boathouse, 'dbt', 'seed'],
}
/** Of a copy that was built by us: the SQL is compiled there. */
const floor: Tool = {
  name: 'DuckDB alone',
  isSlow: false,
  commands: { build: [process.execPath, '--disable-warning=ExperimentalWarning', join(root, 'bench/dbt/floor.ts')] },
}
const [dbt, dbt2, sqlmesh] = [
  process.env.BENCH_DBT ?? 'dbt',
  process.env.BENCH_DBT2 ?? 'dbt2',
  process.env.BENCH_SQLMESH ?? 'sqlmesh',
]
const tools: Tool[] = [
  here,
  floor,
  ...installed(dbt, { name: 'dbt-core', isSlow: true, commands: asDbt(dbt), seed: [dbt, 'seed'] }),
  ...installed(dbt2, { name: 'dbt 2', isSlow: false, commands: pick(asDbt(dbt2), ['parse', 'compile']) }),
  ...installed(sqlmesh, {
    name: 'SQLMesh',
    isSlow: true,
    commands: {
      parse: [sqlmesh, 'info', '--skip-connection'],
      build: [sqlmesh, 'plan', '--auto-apply', '--no-prompts'],
    },
    layOut: (dir) => writeFileSync(join(dir, 'config.py'), sqlmeshConfig),
  }),
]

/** SQLMesh reads dbt's project by this; models without a start are refused. */
const sqlmeshConfig = `from pathlib import Path
from sqlmesh.core.config import ModelDefaultsConfig
from sqlmesh.dbt.loader import sqlmesh_config
config = sqlmesh_config(Path(__file__).parent, model_defaults=ModelDefaultsConfig(dialect='duckdb', start='2024-01-01'))
`

function pick(commands: Tool['commands'], some: readonly Verb[]): Tool['commands'] {
  return Object.fromEntries(some.map((verb) => [verb, commands[verb]!]))
}

function installed(program: string, tool: Tool): Tool[] {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore', env: quiet })
    return [tool]
  } catch {
    process.stderr.write(`${program} is not there: ${tool.name} is left out\n`)
    return []
  }
}

type Project = { name: string; from: string; verbs: readonly Verb[]; hasOwnSeeds?: true }
const folder = mkdtempSync(join(tmpdir(), 'bench-dbt-'))
const usual = verbs.filter((verb) => verb !== 'hook')
const [generated, watched] = [join(folder, 'generated'), join(folder, 'observed')]
writeGenerated(generated, models)
writeObserved(watched, observed)
const projects: Project[] = [
  { name: `${models} generated models`, from: generated, verbs: usual },
  { name: `A hook over ${observed} models`, from: watched, verbs: ['hook'] },
  ...(process.env.BENCH_PROJECTS ?? '')
    .split(':')
    .filter(Boolean)
    .map((path): Project => ({ name: basename(path), from: resolve(path), verbs: usual, hasOwnSeeds: true })),
]

/** Why a command has no figures, by the name of its case. */
const withoutFigures = new Map<string, string>()

/** Milliseconds on the clock and of processors. A build may end red: that is the project's own result. */
function timed(name: string, command: readonly string[], dir: string): Record<string, number> {
  const script = 'TIMEFORMAT="%R %U %S"; time timeout "$BENCH_LIMIT" "$@" > "$BENCH_SAID" 2>&1'
  const said = join(folder, 'said.txt')
  const { stderr, status } = spawnSync('bash', ['-c', script, 'bench', ...command], {
    cwd: dir,
    encoding: 'utf8',
    env: { ...quiet, BENCH_LIMIT: String(limitS), BENCH_SAID: said },
  })
  const figures = /([\d.]+) ([\d.]+) ([\d.]+)\s*$/.exec(stderr)
  const isRed = status === 1 && command.includes('build')
  if (!figures || (status !== 0 && !isRed)) {
    const last = readFileSync(said, 'utf8').trim().split('\n').slice(-3).join(' ').slice(0, 200)
    const why = status === 124 ? `ended after ${limitS} s` : `ended with ${status}: ${last}`
    process.stderr.write(`${name} ${why}\n`)
    withoutFigures.set(name, status === 124 ? why : `ended with ${status}`)
    return {}
  }
  const [clock, user, system] = figures.slice(1).map(Number)
  return { clock: clock! * 1_000, processor: (user! + system!) * 1_000 }
}

const nameOf = (project: Project, verb: Verb, tool: Tool) => `${project.name}, ${verb}, ${tool.name}`
const copyOf = (project: Project, tool: Tool) => join(folder, `${basename(project.from)}-${tools.indexOf(tool)}`)

function caseOf(project: Project, verb: Verb, tool: Tool): Case {
  const dir = copyOf(project, tool)
  const name = nameOf(project, verb, tool)
  const built = copyOf(project, here)
  return {
    name,
    prepare: async () => {
      if (tool === floor) return
      if (verb === 'parse again') {
        // What was parsed before is kept; one model has changed.
        const model = firstModel(dir)
        if (model) appendFileSync(model, '\n-- changed\n')
        return
      }
      rmSync(dir, { recursive: true, force: true })
      const made = ['target', 'logs', '.boathouse', '.cache']
      cpSync(project.from, dir, { recursive: true, filter: (path) => !made.includes(basename(path)) })
      tool.layOut?.(dir)
      if (project.hasOwnSeeds && tool.seed && (verb === 'check' || verb === 'build'))
        timed(`${name}, seeds`, [...tool.seed, ...optionsOf(project, tool, 'seed', dir)], dir)
    },
    run: async () => {
      const command = tool.commands[verb]!
      if (tool === floor) return timed(name, [...command, built], built)
      return timed(name, [...command, ...optionsOf(project, tool, verb, dir)], dir)
    },
  }
}

/** What a command of dbt's needs on its line. */
function optionsOf(project: Project, tool: Tool, verb: Verb | 'seed', dir: string): string[] {
  if (tool.name === 'SQLMesh' || verb === 'check') return []
  const variables = project.hasOwnSeeds ? process.env.BENCH_VARS : undefined
  return [
    ...(tool !== here && existsSync(join(dir, 'profiles.yml')) ? ['--profiles-dir', '.'] : []),
    ...(variables === undefined ? [] : ['--vars', variables]),
  ]
}

/** One of the project itself where it has any: what tests a package may have none. */
function firstModel(dir: string): string | undefined {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' })
  const models = files.filter((file) => /(?:^|\/)models\/.*\.sql$/.test(file))
  const found = models.find((file) => file.startsWith('models/')) ?? models[0]
  return found && join(dir, found)
}

const measuredBy = (project: Project, verb: Verb) =>
  project.verbs.includes(verb) ? tools.filter(({ commands }) => commands[verb]) : []
const casesOf = (isSlow: boolean) =>
  projects.flatMap((project) =>
    verbs.flatMap((verb) =>
      measuredBy(project, verb)
        .filter((tool) => tool.isSlow === isSlow)
        .map((tool) => caseOf(project, verb, tool)),
    ),
  )

const loadBefore = machineLoad()
const quick = await measure(casesOf(false), { rounds })
const samples: Samples = new Map([...quick, ...(await measure(casesOf(true), { rounds: slowRounds }))])

const figureOf = (name: string, figure: 'clock' | 'processor'): number | undefined => {
  const values = samples.get(`${name}: ${figure}`)
  return values && median(values)
}

function section(project: Project, verb: Verb): string[] {
  const measured = measuredBy(project, verb)
  if (measured.length === 0) return []
  const rows = measured.flatMap((tool) =>
    (['clock', 'processor'] as const).flatMap((figure) => {
      const name = `${nameOf(project, verb, tool)}: ${figure}`
      const title = `${tool.name}, ${figure === 'clock' ? 'on the clock' : 'of processors'}`
      return samples.has(name) ? [{ name, title, show: seconds }] : []
    }),
  )
  const words = measured.flatMap((tool) => {
    const name = nameOf(project, verb, tool)
    const why = withoutFigures.get(name)
    if (why !== undefined) return [`${tool.name} ${why}.`]
    return tool === here ? [] : ratios(nameOf(project, verb, here), name, tool)
  })
  const heads: Partial<Record<Verb, string>> = {
    'parse again': 'parse, one model changed',
    check: 'check: every mistake before anything runs',
    hook: `build of one model, then a hook that walks the graph`,
  }
  return [`### ${heads[verb] ?? verb}`, '', ...table(samples, rows), '', ...words, '']
}

function ratios(ours: string, theirs: string, tool: Tool): string[] {
  const times = (figure: 'clock' | 'processor') => {
    const [one, other] = [figureOf(ours, figure), figureOf(theirs, figure)]
    return one && other ? (other / one).toFixed(1) : undefined
  }
  const [processor, clock] = [times('processor'), times('clock')]
  return processor && clock
    ? [`${tool.name} takes ${processor} times the processor time and ${clock} times the time.`]
    : []
}

/** What a build costs above its SQL, per node. */
function overhead(project: Project): string[] {
  const [whole, sql] = [here, floor].map((tool) => figureOf(nameOf(project, 'build', tool), 'processor'))
  const parsed = figureOf(nameOf(project, 'parse', here), 'processor')
  const results = join(copyOf(project, here), 'target', 'run_results.json')
  if (whole === undefined || sql === undefined || parsed === undefined || !existsSync(results)) return []
  const nodes = (JSON.parse(readFileSync(results, 'utf8')) as { results: unknown[] }).results.length
  const above = (ms: number) => `${((whole - sql - ms) / nodes).toFixed(1)} ms`
  return [
    `A build of ${nodes} nodes takes ${above(parsed)} of processors per node above its SQL; ${above(0)} with start and parsing.`,
    '',
  ]
}

const others = tools.filter((tool) => tool !== here && tool !== floor).map(({ name }) => name)
const absent = tools.some(({ name }) => name === 'dbt 2')
  ? []
  : [
      'dbt 2 is not beside them: its packages fetch the program itself from elsewhere, which was not to be had. Another',
      'machine, while busy, measured its second alpha at 2.1 s (parse) and 3.8 s (compile) of processors for 1,000 such models.',
      '',
    ]
const text = [
  '# Measurements of dbt commands',
  '',
  `Printed by \`bench/dbt/run.sh\`: ${circumstances()}.`,
  `Rounds: ${rounds}, of what is slow ${slowRounds}. Load of the machine before ${loadBefore.toFixed(1)}, after ${machineLoad().toFixed(1)}.`,
  `Beside ${others.join(' and ') || 'nothing: no dbt was found'}. "DuckDB alone": the compiled SQL in one process, tables as COPY to Parquet.`,
  '',
  ...absent,
  ...projects.flatMap((project) => [
    `## ${project.name}`,
    '',
    ...verbs.flatMap((verb) => section(project, verb)),
    ...overhead(project),
  ]),
].join('\n')
writeFileSync(join(root, 'docs/reference/bench-dbt.md'), `${text.trimEnd()}\n`)
rmSync(folder, { recursive: true, force: true })
