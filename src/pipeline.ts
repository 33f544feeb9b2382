// The steps of a run, and the plan that says in which order. Part of the composition root: ingestion, transformation
// and orchestration know nothing of each other and meet here.
//
//   ingest:SOURCE …  ─▶  models (each node a part of it)  ─▶  publish        every step reads and writes the run's one
//                                                          └▶  close          change set; close says what failed

import { Failure } from './base/failure.ts'
import type { App } from './cli/app.ts'
import { assertWritable, type Environment } from './config/index.ts'
import { systemPrincipal } from './govern/index.ts'
import { ingestSource } from './ingest/index.ts'
import type { Orchestrator, PlannedStep, RunPlan, RunRequest, StepContext, StepFunctions } from './orchestrate/index.ts'
import { orThrow, readSources, type Located, type Source } from './project/index.ts'
import type { BuildInput, DbtRunDone, DbtRunRequest, LiveBuild } from './cli/dbt-run.ts'
import type { Models } from './models.ts'

/** What is planned and executed, apart from orchestration itself. */
export type PipelineDeps = Pick<App, 'config' | 'lake' | 'ingest' | 'publications'> & { models: Models }

export type PlanOptions = {
  environment: Environment
  /** Names of sources and selectors of models; everything when empty. */
  select?: readonly string[]
  exclude?: readonly string[]
  /** What the run does: `run` all, `ingest` only sources, `build` only models with tests, `test` only tests. */
  kind: 'run' | 'ingest' | 'build' | 'test'
  by: string
  /** Everything is built, also what has not changed. */
  force?: boolean
}

/** Plans a run of the project as it is now. Failures of the project's files come before anything is queued. */
export async function planRun(deps: PipelineDeps, options: PlanOptions): Promise<Omit<RunRequest, 'trigger'>> {
  const { environment, kind, select = [], exclude = [], by, force = false } = options
  if (kind !== 'test') assertWritable(environment)
  const sources =
    kind === 'run' || kind === 'ingest' ? selectSources(orThrow(await readSources(deps.config.dir)), select, kind) : []
  const chosen = sources.map(({ value }) => value.name)
  // A selector that names a source is not one for models.
  const forModels = select.filter((text) => !chosen.includes(text.replace(/^source:/, '')))
  const command = kind === 'test' ? 'test' : 'build'
  const check = command === 'build'
  const input: BuildInput = { command, select: forModels, exclude, by, stateAware: !force, check }
  const models =
    kind === 'ingest' || (select.length > 0 && forModels.length === 0)
      ? undefined
      : await deps.models.plan({ environment, ...input })
  const ingests: PlannedStep[] = sources.map(({ value }) => ({
    id: `ingest:${value.name}`,
    kind: 'ingest',
    asset: value.table,
    input: { source: value.name, by },
  }))
  const filling = sources.filter(({ value }) => models?.reads.includes(value.table.split('.').slice(-2).join('.')))
  const builds: PlannedStep[] = models
    ? [{ id: 'models', kind: 'models', input, dependsOn: filling.map(({ value }) => `ingest:${value.name}`) }]
    : []
  if (ingests.length + builds.length === 0)
    throw new Failure(
      'USAGE',
      select.length > 0 ? `nothing is selected by ${select.join(' ')}` : 'the project has nothing to run yet',
      {
        hint:
          select.length > 0
            ? '`boathouse ls` lists what there is.'
            : 'Add a source with `boathouse ingest add FILE`, or a model in models/.',
      },
    )
  const end: PlannedStep[] =
    kind === 'test' ? [] : [{ id: 'publish', kind: 'publish', input: { by }, dependsOn: 'all' }]
  const plan: RunPlan = {
    steps: [...ingests, ...builds, ...end, { id: 'close', kind: 'close', dependsOn: 'all', always: true }],
  }
  return {
    environment: environment.name,
    catalog: environment.catalog,
    kind,
    selection: select.length > 0 ? select.join(' ') : null,
    plan,
    writes: kind !== 'test',
  }
}

function selectSources(
  all: Located<Source>[],
  select: readonly string[],
  kind: PlanOptions['kind'],
): Located<Source>[] {
  if (select.length === 0) return all
  const found = all.filter(({ value }) =>
    select.some((text) => [value.name, `source:${value.name}`, value.table].includes(text)),
  )
  if (kind !== 'ingest') return found
  const known = new Set(found.flatMap(({ value }) => [value.name, `source:${value.name}`, value.table]))
  const unknown = select.filter((text) => !known.has(text))
  if (unknown.length > 0)
    throw new Failure('USAGE', `there is no source ${unknown.join(', ')}`, {
      hint: `The sources are ${all.map(({ value }) => value.name).join(', ') || 'none yet'}.`,
    })
  return found
}

/** What the worker does for each kind of step. `live`: builds that this process follows itself. */
export function stepFunctions(deps: PipelineDeps, live?: (runId: string) => LiveBuild | undefined): StepFunctions {
  const changesOf = ({ runId, catalog }: StepContext, input: unknown) =>
    deps.lake.openChanges({
      catalog,
      // Boathouse does it; whoever asked for the run stands in the publication.
      principal: { ...systemPrincipal, name: (input as { by?: string } | undefined)?.by ?? systemPrincipal.name },
      runId,
      // The environment was named, or was not protected, when the run was planned.
      environmentNamed: true,
    })

  return {
    async ingest(input, context) {
      const { source: name } = input as { source: string }
      const source = orThrow(await readSources(deps.config.dir)).find(({ value }) => value.name === name)
      if (!source) throw new Failure('SOURCE_INVALID', `the source ${name} is gone from the project`)
      const loaded = await ingestSource(source, await changesOf(context, input), deps.ingest, {
        signal: context.signal,
        log: context.log,
      })
      return {
        table: loaded.table,
        rows: loaded.rowsWritten,
        bytes: loaded.bytesWritten,
        snapshotId: loaded.snapshotId,
        files: loaded.files.length,
      }
    },
    async models(input, context) {
      const build = input as BuildInput
      return deps.models.build(build, {
        context,
        changes: writes(build) ? await changesOf(context, input) : undefined,
        live: live?.(context.runId),
      })
    },
    async publish(input, context) {
      const changes = await changesOf(context, input)
      await context.assertOwned()
      if ((await changes.pending()).length === 0) return { tables: [] }
      const publication = await changes.publish()
      // What failed runs left to be looked at has been overtaken.
      await deps.publications.discardEnded(context.catalog)
      context.log.info('published', {
        publication: publication.id,
        tables: publication.tables.map(({ table }) => table),
      })
      return { publicationId: publication.id, tables: publication.tables }
    },
    async close(_, context) {
      // Nothing was published: the run failed. What it wrote can be read (`boathouse query --run`) until the next run of
      // the environment succeeds, or a day has passed; then it is given up.
      const { failed } = (context.outputOf('models') ?? {}) as { failed?: string[] }
      if (failed && failed.length > 0)
        throw new Failure('RUN_FAILED', `${failed.join(', ')} went wrong; what was built is published all the same`)
      return {}
    },
  }
}

/** Tests write nothing, unless what they find is wanted. */
const writes = ({ command, publish }: BuildInput): boolean => command !== 'test' || publish === 'always'

/**
 * A run of the project's nodes alone, as dbt's commands are, done by this process: the project, the plan and who is told
 * are given. It is a durable run like any other: recorded, alone in writing its catalog, resumed by whoever comes next
 * should this process be killed, and published in one step.
 */
export async function runDbt(
  deps: PipelineDeps & { orchestrator: Orchestrator },
  request: DbtRunRequest,
): Promise<DbtRunDone> {
  const { environment, input, signal, onWait } = request
  if (writes(input)) assertWritable(environment)
  const live: LiveBuild = { ...request.live, results: [] }
  const steps: PlannedStep[] = [
    { id: 'models', kind: 'models', input },
    ...(writes(input) ? [{ id: 'publish', kind: 'publish', input: { by: input.by }, dependsOn: 'all' as const }] : []),
    { id: 'close', kind: 'close', dependsOn: 'all', always: true },
  ]
  const run = await deps.orchestrator.execute(
    {
      environment: environment.name,
      catalog: environment.catalog,
      kind: input.command,
      selection: input.select.length > 0 ? input.select.join(' ') : null,
      trigger: { kind: 'manual', by: input.by },
      plan: { steps },
      writes: writes(input),
    },
    { signal, functions: (id) => stepFunctions(deps, (runId) => (runId === id ? live : undefined)), onWait },
  )
  return { run, results: live.results }
}
