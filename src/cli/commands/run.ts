import { Failure } from '../../base/failure.ts'
import { newId } from '../../base/ids.ts'
import { showDuration } from '../../base/units.ts'
import { addSource } from '../../ingest/index.ts'
import { fromProblem, type RunDetail, type RunEvent } from '../../orchestrate/index.ts'
import type { App } from '../app.ts'
import { oneArgument, type Command, type Context } from '../command.ts'
import { projectConfig } from '../cli.ts'
import { table } from '../output.ts'
import { selectionOf, selectOptions } from './models.ts'

/** What has not changed is not built or tested again; see docs. */
const buildOptions = {
  ...selectOptions,
  force: { type: 'boolean', about: 'Also what has not changed since it last went well.' },
} as const

export const run: Command = {
  name: 'run',
  summary: 'The whole pipeline: ingest, build, test, and publish all of it in one step.',
  options: buildOptions,
  examples: ['boathouse run', 'boathouse run --select +daily_revenue', 'boathouse run --env prod'],
  run: (context) => execute(context, 'run'),
}

export const build: Command = {
  name: 'build',
  summary: 'Build models and run their tests; publish when all passed.',
  options: buildOptions,
  examples: ['boathouse build', 'boathouse build --select stg_sales+'],
  run: (context) => execute(context, 'build'),
}

export const test: Command = {
  name: 'test',
  summary: 'Run the tests of the models as they are published; changes nothing.',
  options: buildOptions,
  examples: ['boathouse test', 'boathouse test --select stg_sales'],
  run: (context) => execute(context, 'test'),
}

export const ingest: Command = {
  name: 'ingest',
  summary: 'Load sources, all or those named, and publish them.',
  arguments: '[SOURCE...]',
  examples: ['boathouse ingest', 'boathouse ingest sales'],
  run: (context) => execute(context, 'ingest'),
}

export const ingestAdd: Command = {
  name: 'ingest add',
  summary: 'Write the source file for a CSV file; a file outside the project is copied into data/.',
  arguments: 'FILE',
  options: {
    table: { type: 'string', value: 'NAME', about: 'The table it fills; default raw.FILE.' },
    name: { type: 'string', value: 'NAME', about: 'The name of the source; default that of the file.' },
    append: { type: 'boolean', about: 'Add rows at every load instead of replacing the table.' },
    replace: { type: 'boolean', about: 'Replace a source of that name.' },
  },
  examples: ['boathouse ingest add ~/Downloads/orders.csv --table raw.orders && boathouse run'],
  async run(context) {
    const { flags, out } = context
    const { config } = projectConfig(context.dir, flags.text('env'))
    const added = await addSource(config.dir, {
      file: oneArgument(context, 'FILE'),
      table: flags.text('table'),
      name: flags.text('name'),
      mode: flags.is('append') ? 'append' : 'replace',
      replace: flags.is('replace'),
    })
    out.answer(
      added,
      `Wrote ${added.file}: ${added.source.path} fills ${added.source.table}.\nNext: boathouse ingest ${added.source.name}`,
    )
  },
}

async function execute(context: Context, kind: 'run' | 'build' | 'test' | 'ingest'): Promise<number> {
  const app = await context.open({ role: 'cli', quiet: true })
  await app.applyAccessAtStart()
  const request = await app.pipeline.plan({
    environment: app.environment,
    kind,
    ...selectionOf(context),
    by: app.principal.name,
    ...(kind !== 'ingest' && { force: context.flags.is('force') }),
  })
  const queued = await app.orchestrator.enqueue({ ...request, trigger: { kind: 'manual', by: app.principal.name } })
  return follow(app, context, queued.id)
}

/** Shows a run until it has ended; executes it here when no worker lives. Ctrl-C cancels it. */
export async function follow(app: App, context: Context, id: string): Promise<number> {
  const { orchestrator } = app
  const { out, signal } = context
  const started = performance.now()
  const someone = (await orchestrator.workers()).some(({ alive }) => alive)
  const worker = someone
    ? undefined
    : await orchestrator.startWorker({ workerId: `cli-${newId()}`, concurrency: app.config.worker.concurrency })
  const cancel = () => void orchestrator.cancel(id).catch(() => {})
  signal.addEventListener('abort', cancel, { once: true })
  try {
    for await (const line of orchestrator.follow(id, new AbortController().signal)) if (!out.json) show(out, line)
    const run = await orchestrator.get(id)
    out.answer(run, () => summary(run, out, performance.now() - started))
    if (run.status === 'succeeded') return 0
    if (run.failure && !out.json) throw fromProblem(run.failure)
    return 1
  } finally {
    signal.removeEventListener('abort', cancel)
    await worker?.stop()
  }
}

function show(out: Context['out'], { event, level, stepId, fields }: RunEvent): void {
  const { style } = out
  const step = stepId ?? ''
  if (step === 'close') return
  const node = fields['model'] ?? fields['test']
  if (typeof node === 'string')
    return out.note(`${nodeWord(event, out)} ${event.split(' ')[0]} ${node}${details(fields)}`)
  if (event === 'step succeeded') out.note(`${style.green('done   ')} ${step}${details(fields)}`)
  else if (event === 'step failed') out.note(`${style.red('failed ')} ${step}`)
  else if (event === 'step skipped') out.note(`${style.yellow('skipped')} ${step}`)
  else if (level === 'warn' || level === 'error')
    out.note(`${style.yellow(level.padEnd(7))} ${step} ${event}${details(fields)}`)
}

/** `model success`, `test fail`: how it ended, as wide as the words of steps. */
function nodeWord(event: string, { style }: Context['out']): string {
  const status = event.slice(event.indexOf(' ') + 1)
  const word = status.padEnd(7)
  if (status === 'success' || status === 'pass') return style.green(word)
  return status === 'error' || status === 'fail' ? style.red(word) : style.yellow(word)
}

function details(fields: Record<string, unknown>): string {
  const shown = Object.entries(fields).filter(
    ([name, value]) =>
      ['rows', 'ms', 'durationMs', 'tests', 'because', 'failures'].includes(name) &&
      value !== null &&
      value !== undefined,
  )
  return shown.length === 0
    ? ''
    : `  ${shown.map(([name, value]) => (name === 'durationMs' || name === 'ms' ? showDuration(Number(value)) : `${name} ${String(value)}`)).join(', ')}`
}

function summary(run: RunDetail, out: Context['out'], ms: number): string {
  const { counts } = run
  const word = run.status === 'succeeded' ? out.style.green('succeeded') : out.style.red(run.status)
  const parts = [
    `${counts.succeeded} done`,
    ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
    ...(counts.skipped > 0 ? [`${counts.skipped} skipped`] : []),
  ]
  return `Run ${run.id} ${word} in ${showDuration(ms)}: ${parts.join(', ')}${run.publicationId ? `; published as ${run.publicationId}` : ''}.`
}

export const runsList: Command = {
  name: 'runs ls',
  summary: 'The latest runs.',
  options: { limit: { type: 'string', value: 'N', about: 'How many; default 20.' } },
  examples: ['boathouse runs ls', 'boathouse runs ls --json --limit 5'],
  async run(context) {
    const app = await context.open()
    const runs = await app.orchestrator.list({ limit: context.flags.whole('limit', { min: 1, max: 1_000 }) ?? 20 })
    context.out.answer(runs, () =>
      runs.length === 0
        ? 'Nothing ran yet. `boathouse run` runs the project.'
        : table(
            ['run', 'status', 'kind', 'environment', 'by', 'created', 'took'],
            runs.map((one) => [
              one.id,
              one.status,
              one.kind,
              one.environment,
              one.trigger.schedule ?? one.trigger.by,
              one.createdAt,
              took(one),
            ]),
          ),
    )
  },
}

const took = ({ startedAt, finishedAt }: { startedAt: string | null; finishedAt: string | null }) =>
  startedAt && finishedAt ? showDuration(Date.parse(finishedAt) - Date.parse(startedAt)) : ''

export const runsShow: Command = {
  name: 'runs show',
  summary: 'The steps of a run and its log.',
  arguments: 'RUN',
  examples: ['boathouse runs show 01k2…'],
  async run(context) {
    const id = oneArgument(context, 'RUN')
    const app = await context.open()
    const run = await app.orchestrator.get(id)
    const { lines } = await app.orchestrator.logs(id)
    context.out.answer({ ...run, log: lines }, () =>
      [
        `${run.id} ${run.status}, ${run.kind} in ${run.environment}, by ${run.trigger.schedule ?? run.trigger.by ?? run.trigger.kind}`,
        table(
          ['step', 'status', 'attempt', 'took', ''],
          run.steps.map((step) => [
            step.id,
            step.status,
            step.attempt,
            took(step),
            step.failure ? `${step.failure.code}: ${step.failure.message}` : '',
          ]),
        ),
        '',
        ...lines.map((line) =>
          `${line.at.slice(11, 23)} ${line.level.padEnd(5)} ${line.stepId ?? '-'} ${line.event} ${Object.keys(line.fields).length > 0 ? JSON.stringify(line.fields) : ''}`.trimEnd(),
        ),
      ].join('\n'),
    )
  },
}

export const runsCancel: Command = {
  name: 'runs cancel',
  summary: 'End a run; nothing of it becomes visible.',
  arguments: 'RUN',
  examples: ['boathouse runs cancel 01k2…'],
  async run(context) {
    const id = oneArgument(context, 'RUN')
    const app = await context.open()
    const run = await app.orchestrator.cancel(id)
    context.out.answer(run, `Run ${id} is ${run.status === 'running' ? 'being cancelled' : run.status}.`)
  },
}

export const runsRetry: Command = {
  name: 'runs retry',
  summary: 'Run the same again, with the project as it is now.',
  arguments: 'RUN',
  examples: ['boathouse runs retry 01k2…'],
  async run(context) {
    const id = oneArgument(context, 'RUN')
    const app = await context.open({ role: 'cli', quiet: true })
    const old = await app.orchestrator.get(id)
    const environment = app.environmentNamed(old.environment)
    const kind = old.kind as 'run'
    if (!['run', 'build', 'test', 'ingest'].includes(kind))
      throw new Failure('UNSUPPORTED', `a run of the kind ${kind} cannot be repeated`)
    const request = await app.pipeline.plan({
      environment,
      kind,
      select: old.selection?.split(/\s+/) ?? [],
      by: app.principal.name,
    })
    const queued = await app.orchestrator.enqueue({
      ...request,
      trigger: { kind: 'retry', by: app.principal.name, runId: id },
    })
    return follow(app, context, queued.id)
  },
}
