// The steps of a run, and the plan that says in which order. Part of the composition root: ingestion, transformation
// and orchestration know nothing of each other and meet here.
//
//   ingest:SOURCE …  ─▶  models (each node a part of it)  ─▶  publish        every step reads and writes the run's one
//                                                          └▶  close          change set; close discards what failed

import { Failure } from './base/failure.ts'
import type { App } from './cli/app.ts'
import { assertWritable, type Environment } from './config/index.ts'
import { systemPrincipal } from './govern/index.ts'
import { ingestSource } from './ingest/index.ts'
import type { PlannedStep, RunPlan, RunRequest, StepContext, StepFunctions } from './orchestrate/index.ts'
import { orThrow, readSources, type Located, type Source } from './project/index.ts'
import type { BuildInput, Models } from './models.ts'

/** What is planned and executed, apart from orchestration itself. */
export type PipelineDeps = Pick<App, 'config' | 'lake' | 'ingest'> & { models: Models }

export type PlanOptions = {
  environment: Environment
  /** Names of sources and selectors of models; everything when empty. */
  select?: readonly string[]
  exclude?: readonly string[]
  /** What the run does: `run` all, `ingest` only sources, `build` only models with tests, `test` only tests. */
  kind: 'run' | 'ingest' | 'build' | 'test'
  by: string
}

/** Plans a run of the project as it is now. Failures of the project's files come before anything is queued. */
export async function planRun(deps: PipelineDeps, options: PlanOptions): Promise<Omit<RunRequest, 'trigger'>> {
  const { environment, kind, select = [], exclude = [], by } = options
  if (kind !== 'test') assertWritable(environment)
  const sources =
    kind === 'run' || kind === 'ingest' ? selectSources(orThrow(await readSources(deps.config.dir)), select, kind) : []
  const chosen = sources.map(({ value }) => value.name)
  // A selector that names a source is not one for models.
  const forModels = select.filter((text) => !chosen.includes(text.replace(/^source:/, '')))
  const input: BuildInput = { command: kind === 'test' ? 'test' : 'build', select: forModels, exclude, by }
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

/** What the worker does for each kind of step. */
export function stepFunctions(deps: PipelineDeps): StepFunctions {
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
      const what = input as BuildInput
      return deps.models.build(what, {
        context,
        changes: what.command === 'test' ? undefined : await changesOf(context, input),
      })
    },
    async publish(input, context) {
      const changes = await changesOf(context, input)
      await context.assertOwned()
      const publication = await changes.publish()
      context.log.info('published', {
        publication: publication.id,
        tables: publication.tables.map(({ table }) => table),
      })
      return { publicationId: publication.id, tables: publication.tables }
    },
    async close(input, context) {
      // Published or discarded already: then this does nothing. Otherwise the run failed and nobody will publish it.
      const changes = await changesOf(context, input)
      if (context.outputOf('publish') === undefined) await changes.discard()
      return {}
    },
  }
}
