// What a branch does to the data, before it is merged: built in an environment of its own, compared, taken away again.

import { writeFile } from 'node:fs/promises'
import { Failure, Failures } from '../../base/failure.ts'
import { resolveEnvironment } from '../../config/index.ts'
import { authorise, type Principal } from '../../govern/index.ts'
import type { QueryOptions } from '../../lake/index.ts'
import {
  diffTables,
  isBad,
  keysOfNode,
  plan,
  readersAsSources,
  runPlan,
  select,
  stateOf,
  type DbtProject,
  type NodeResult,
  type TableDiff,
} from '../../transform/index.ts'
import type { App } from '../app.ts'
import { isTable } from '../../project/dbt/index.ts'
import { folderAt, usualReference } from '../ci/base-project.ts'
import { abandonedForks, forgetFork, holdFork } from '../ci/leases.ts'
import { markdownOf } from '../ci/report.ts'
import { noArguments, type Command, type Context } from '../command.ts'
import { counted } from '../output.ts'
import { catalogFor, forkName } from './environments.ts'
import { reading, readingOf } from './reading.ts'

/** Samples in a pull request are what a reader may see, whoever runs the check. */
const reader: Principal = { id: 'ci', name: 'ci', role: 'reader' }

const against = {
  type: 'string',
  value: 'REF',
  about: 'The git reference to compare with; default: the target of the pull request, else the main branch.',
} as const

export const ci: Command = {
  name: 'ci',
  summary: 'Build what a branch changes in an environment of its own, and print how the data differs, as Markdown.',
  options: {
    base: {
      type: 'string',
      value: 'ENV',
      about: 'The environment to compare with; default: prod, or the current one while prod is empty.',
    },
    against,
    name: {
      type: 'string',
      value: 'ENV',
      about: 'What the environment of the branch is called; default: ci_ and a number.',
    },
    ...reading,
    samples: { type: 'string', value: 'ROWS', about: 'Rows shown per table and kind of change; default 3, 0: none.' },
    output: { type: 'string', value: 'FILE', about: 'Write the Markdown to a file as well.' },
    keep: { type: 'boolean', about: 'Keep the environment; else it is dropped at the end.' },
  },
  examples: ['boathouse ci', 'boathouse ci --base prod --against origin/main --output diff.md'],
  async run(context) {
    noArguments(context)
    const { flags, out } = context
    const app = await context.open({ quiet: true })
    const base = await baseOf(app, flags.text('base'))
    const name = forkName(flags.text('name') ?? `ci_${app.clock.now().toString(36)}`)
    if (app.config.environments[name])
      throw new Failure('ALREADY_EXISTS', `there is an environment ${name} already`, { hint: 'Choose another --name.' })
    const catalog = catalogFor(name, base)
    authorise(app.principal, 'create', { kind: 'table', name: catalog })
    const project = await app.insight.project(base, readingOf(flags))
    const reference = flags.text('against') ?? (await usualReference(app.config.dir, app.config.env))
    await using folder = await folderAt(app.config.dir, reference, rootPackages(project))
    const before = await app.insight.projectAt(folder.dir, project)
    const changes = await app.insight.compare(before, project, context.signal)
    const remade = await app.insight.remade(before, project, context.signal)
    const otherwise = remade.map((id) => `fqn:${project.nodes.get(id)!.fqn.join('.')}+`)
    const changed = select(project, { select: ['state:modified+', ...otherwise], state: stateOf(before) })
    const readers = readersAsSources(project, changed)
    const ids = [...new Set([...changed, ...readers])]
    out.note(out.style.dim(`${counted(ids.length, 'node')} changed, or depending on what is`))
    const environment = { environment: name, catalog, origin: base.catalog, by: app.principal.name }
    await dropAbandoned(app, out)
    await using _held = await holdFork(app.config.stateDir, name)
    await app.environments.create(environment)
    try {
      const within = inCatalog(project, catalog)
      // What is read as a source is made before who reads it: the graph does not say so.
      const first = changed.filter((id) => !readers.has(id))
      const results = await build(app, within, readers.size > 0 ? first : ids, context)
      if (readers.size > 0) results.push(...(await build(app, within, [...readers], context)))
      // What was not built is as it was, which says nothing of the change.
      const built = results.flatMap(({ uniqueId, status }) => (status === 'success' ? [uniqueId] : []))
      const diffs = await compare(app, project, built, { before: base.catalog, after: catalog }, context)
      const kept = flags.is('keep')
      const report = {
        base: { environment: base.name, reference: `${reference} at ${folder.commit.slice(0, 8)}` },
        environment: name,
        results,
        changes,
        diffs,
        kept,
      }
      const markdown = markdownOf(report)
      const file = flags.text('output')
      if (file !== undefined) await writeFile(file, markdown)
      out.answer({ ...report, markdown }, markdown)
      return results.some(isBad) ? 1 : 0
    } finally {
      if (!flags.is('keep')) await app.environments.drop(catalog)
    }
  },
}

export const impact: Command = {
  name: 'impact',
  summary: 'What the working tree changes against a git reference: models, columns, and who depends on them.',
  options: {
    against,
    ...reading,
    'fail-on-breaking': { type: 'boolean', about: 'Exit with 1 when a change is breaking.' },
  },
  examples: ['boathouse impact', 'boathouse impact --against origin/main --json'],
  async run(context) {
    noArguments(context)
    const { flags, out, signal } = context
    const app = await context.open()
    const project = await app.insight.project(app.environment, readingOf(flags))
    const reference = flags.text('against') ?? (await usualReference(app.config.dir, app.config.env))
    await using folder = await folderAt(app.config.dir, reference, rootPackages(project))
    const changes = await app.insight.compare(await app.insight.projectAt(folder.dir, project), project, signal)
    const none = { results: [], diffs: [], kept: false, environment: app.environment.name }
    const base = { environment: app.environment.name, reference: `${reference} at ${folder.commit.slice(0, 8)}` }
    out.answer({ ...base, changes }, () => changesText(markdownOf({ ...none, base, changes })))
    return flags.is('fail-on-breaking') && changes.some(({ severity }) => severity === 'breaking') ? 1 : 0
  },
}

/** Forks of checks that were killed, which nobody else will drop. */
async function dropAbandoned(app: App, out: Context['out']): Promise<void> {
  const { stateDir } = app.config
  const abandoned = await abandonedForks(stateDir, app.clock.now())
  if (abandoned.length === 0) return
  const forks = await app.environments.list()
  for (const name of abandoned) {
    const fork = forks.find(({ environment }) => environment === name)
    if (fork) {
      authorise(app.principal, 'drop', { kind: 'table', name: fork.catalog })
      await app.environments.drop(fork.catalog)
      out.note(out.style.dim(`dropped ${name}, which a check that was ended had left`))
    }
    await forgetFork(stateDir, name)
  }
}

/** Only what is said of models: nothing was built. */
function changesText(markdown: string): string {
  const at = markdown.indexOf('### Changed models')
  return at < 0 ? 'No model is changed.' : markdown.slice(at).trim()
}

/** A project that was only ever built in dev has nothing to compare with in prod, and nothing to build upon. */
async function baseOf({ lakehouse, config, environment }: App, named: string | undefined) {
  if (named !== undefined) return resolveEnvironment(config, { flag: named })
  if (!config.environments['prod']) return environment
  const prod = resolveEnvironment(config, { flag: 'prod' })
  return (await lakehouse.catalog.namespaces(prod.catalog)).length > 0 ? prod : environment
}

const rootPackages = (project: DbtProject): string =>
  project.packages.get(project.name)?.packagesFolder ?? 'dbt_packages'

/** The same project, its tables in another catalog: names in SQL and target stay those of the base. */
const inCatalog = (project: DbtProject, catalog: string): DbtProject => {
  const target = { ...project.target, catalog }
  return { ...project, target, options: { ...project.options, target } }
}

/** What fails is part of what is shown, so what was built is kept in the branch's own environment in any case. */
async function build(app: App, project: DbtProject, ids: readonly string[], context: Context): Promise<NodeResult[]> {
  const { lake, principal } = app
  const { signal, out } = context
  const planned = plan(project, 'build', ids)
  if (planned.steps.length === 0) return []
  const changes = await lake.openChanges({ catalog: project.target.catalog, principal, environmentNamed: true })
  try {
    const results = await runPlan(
      planned,
      { project, lake, changes, principal, signal },
      {
        onResult: ({ name, status, message }, { index, total }) =>
          out.note(
            out.style.dim(
              `${index} of ${total}  ${name}: ${status}${status === 'success' ? '' : `, ${message.split('\n')[0]}`}`,
            ),
          ),
      },
    )
    await ((await changes.pending()).length > 0 ? changes.publish() : changes.discard())
    return results
  } catch (error) {
    await changes.discard()
    throw error instanceof Failures ? error.all[0]! : error
  }
}

async function compare(
  app: App,
  project: DbtProject,
  ids: readonly string[],
  catalogs: { before: string; after: string },
  { flags, signal }: Context,
): Promise<TableDiff[]> {
  const samplesMax = flags.whole('samples', { min: 0, max: 100 }) ?? 3
  const options: QueryOptions = { ...app.asking('cli'), catalog: catalogs.after, signal }
  const diffs: TableDiff[] = []
  for (const id of ids) {
    const node = project.nodes.get(id)
    if (!node || !isTable(node) || node.config['materialized'] === 'ephemeral') continue
    const named = (catalog: string) =>
      [catalog, node.schema, node.alias].map((part) => `"${part.replaceAll('"', '""')}"`).join('.')
    const names = { before: named(catalogs.before), after: named(catalogs.after) }
    const asking = { lake: app.lake, options, samples: { ...options, principal: reader } }
    diffs.push(await diffTables(`${node.schema}.${node.alias}`, names, keysOfNode(project, node), asking, samplesMax))
  }
  return diffs
}
