// The project's files as the pages see them: read once, read again when a file changes, dashboards compiled and checked.
// What changed by that is told as events, so that an open page follows a saved file.
//
// A dashboard that was fine and has a mistake now keeps its last good picture, with the mistake beside it: nobody who
// looks at it loses it because somebody else is typing.

import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { Failure, Failures } from '../../../base/failure.ts'
import type { Log } from '../../../base/log.ts'
import { suggest } from '../../../base/suggest.ts'
import type { Dashboard, Event, Problem } from '../../../contract/index.ts'
import { checkDashboard, compileDashboard, type Bind, type CompiledDashboard } from '../../../dashboards/index.ts'
import { partOf, readProject, watchProject, type Project } from '../../../project/index.ts'
import { openModels, type Models } from '../../../semantic/index.ts'
import { asProblem } from '../answer.ts'

export type LiveProject = {
  current(): Promise<{ project: Project; models: Models }>
  /** As they are drawn in this catalog, by name. */
  dashboards(catalog: string): Promise<Map<string, CompiledDashboard>>
  /** @throws NOT_FOUND, or the mistake in the file of a dashboard that never worked */
  dashboard(name: string, catalog: string): Promise<CompiledDashboard>
  /** Mistakes in the project's files, those of dashboards aside from their panels'. */
  problems(): Promise<Problem[]>
  /** Tables may be there now that were not: dashboards are checked anew. */
  tablesChanged(): void
}

type Options = {
  dir: string
  /** The server's own catalog: events speak of dashboards as they are there. */
  catalog: string
  bind(catalog: string): Bind
  emit(event: Event): void
  signal: AbortSignal
  log: Log
  /** Folders in it that hold none of its files. */
  ignore?: readonly string[]
  /** False where files cannot change: containers without the project mounted. */
  watch?: boolean
}

type Loaded = {
  project: Project
  models: Models
  compiled: Map<string, CompiledDashboard>
  problems: Problem[]
  broken: Map<string, Failure[]>
}

export async function openLiveProject(options: Options): Promise<LiveProject> {
  const { dir, catalog: own, bind, emit, signal, log } = options
  let loaded = load()
  const checked = new Map<string, Promise<Map<string, CompiledDashboard>>>()
  const lastGood = new Map<string, CompiledDashboard>()
  let revisions = new Map<string, string>()
  let told = Promise.resolve()

  async function load(): Promise<Loaded> {
    const project = await readProject(dir)
    const { models, failures } = openModels(project.metrics)
    const compiled = new Map(project.dashboards.map((file) => [file.value.name, compileDashboard(file, models)]))
    const all = [...project.failures, ...failures].flatMap((one) => (one instanceof Failures ? one.all : [one]))
    const broken = Map.groupBy(
      all.filter(({ place }) => nameOfFile(place?.file) !== undefined),
      ({ place }) => nameOfFile(place?.file)!,
    )
    return { project, models, compiled, broken, problems: all.map(asProblem) }
  }

  function dashboards(catalog: string): Promise<Map<string, CompiledDashboard>> {
    const known = checked.get(catalog)
    if (known) return known
    const fresh = check(catalog)
    checked.set(catalog, fresh)
    fresh.catch(() => checked.get(catalog) === fresh && checked.delete(catalog))
    return fresh
  }

  async function check(catalog: string): Promise<Map<string, CompiledDashboard>> {
    const { compiled, broken } = await loaded
    const found = new Map<string, CompiledDashboard>()
    for (const [name, one] of compiled) {
      const dashboard = await checkDashboard(one, bind(catalog))
      found.set(name, dashboard)
      if (catalog === own) lastGood.set(name, dashboard)
    }
    for (const [name, failures] of broken) {
      const before = lastGood.get(name)
      if (before && !found.has(name)) found.set(name, withMistakes(before, failures))
    }
    for (const name of lastGood.keys()) if (!found.has(name)) lastGood.delete(name)
    return found
  }

  /** Says which dashboards look otherwise than when we last looked. Never two at once. */
  function tell(alsoProblems: boolean): Promise<void> {
    told = told.then(async () => {
      try {
        if (alsoProblems) emit({ kind: 'project', problems: (await loaded).problems })
        const now = new Map([...(await dashboards(own))].map(([name, { definition }]) => [name, definition.revision]))
        for (const name of new Set([...revisions.keys(), ...now.keys()]))
          if (revisions.get(name) !== now.get(name)) emit({ kind: 'dashboard', name, revision: now.get(name) ?? null })
        revisions = now
      } catch (error) {
        log.warn('dashboards not checked', { reason: (error as Error).message })
      }
    })
    return told
  }

  async function reload(files: readonly string[]): Promise<void> {
    if (!files.some((file) => ['source', 'metric', 'dashboard', 'schedule'].includes(partOf(file)))) return
    log.debug('project changed', { files })
    loaded = load()
    checked.clear()
    await tell(true)
  }

  await loaded
  revisions = new Map([...(await loaded).compiled].map(([name, { definition }]) => [name, definition.revision]))
  if (options.watch !== false) await watchProject(dir, reload, signal, { ignore: options.ignore ?? [] })

  return {
    current: () => loaded,
    dashboards,
    async dashboard(name, catalog) {
      const all = await dashboards(catalog)
      const found = all.get(name)
      if (found) return found
      const failures = (await loaded).broken.get(name)
      if (failures) throw failures.length === 1 ? failures[0]! : new Failures(failures)
      throw new Failure('NOT_FOUND', `there is no dashboard "${name}"`, {
        hint: 'Each file in dashboards/ is one.',
        suggestions: suggest(name, [...all.keys()]),
      })
    },
    problems: async () => (await loaded).problems,
    tablesChanged() {
      checked.clear()
      void tell(false)
    },
  }
}

const nameOfFile = (file: string | undefined): string | undefined =>
  file?.startsWith('dashboards/') ? basename(file).replace(/\.ya?ml$/, '') : undefined

function withMistakes(dashboard: CompiledDashboard, failures: readonly Failure[]): CompiledDashboard {
  const problems = failures.map((failure) => ({ ...asProblem(failure), panel: null }))
  const revision = createHash('sha256')
    .update(JSON.stringify([dashboard.definition.revision, problems]))
    .digest('hex')
    .slice(0, 16)
  const definition: Dashboard = {
    ...dashboard.definition,
    revision,
    problems: [...dashboard.definition.problems, ...problems],
  }
  return { ...dashboard, definition }
}
