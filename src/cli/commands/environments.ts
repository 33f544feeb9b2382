import { Failure } from '../../base/failure.ts'
import { showDuration } from '../../base/units.ts'
import type { Difference, Fork } from '../../catalog/index.ts'
import { resolveEnvironment, type Config } from '../../config/index.ts'
import { authorise } from '../../govern/index.ts'
import type { App } from '../app.ts'
import { quoteName } from '../../lake/index.ts'
import { isTable } from '../../project/dbt/index.ts'
import { diffTables, keysOfNode, type TableDiff } from '../../transform/index.ts'
import { dataMarkdown } from '../ci/report.ts'
import { noArguments, oneArgument, type Command, type Context } from '../command.ts'
import { table } from '../output.ts'

export const environmentsList: Command = {
  name: 'env ls',
  summary: 'The environments of the project, their forks, and which one commands work in.',
  examples: ['boathouse env ls'],
  async run(context) {
    noArguments(context)
    const app = await context.open()
    const { config, environment } = app
    const forks = new Map((await app.environments.list()).map((fork) => [fork.environment, fork]))
    const all = Object.entries(config.environments).map(([name, entry]) => {
      const fork = forks.get(name)
      return {
        name,
        ...entry,
        forkedFrom: fork ? nameOf(config, fork.origin) : null,
        createdAt: fork?.createdAt ?? null,
        current: name === environment.name,
      }
    })
    context.out.answer(all, () =>
      table(
        ['environment', 'catalog', 'forked from', 'age', '', ''],
        all.map((one) => [
          one.name,
          one.catalog,
          one.forkedFrom ?? '',
          one.createdAt ? showDuration(app.clock.now() - Date.parse(one.createdAt)) : '',
          one.protected ? 'protected' : '',
          one.current ? `current (${environment.chosenBy})` : '',
        ]),
      ),
    )
  },
}

export const environmentsCreate: Command = {
  name: 'env create',
  summary: 'Fork an environment: the same tables under a new name, at once and without a copy.',
  arguments: 'NAME',
  options: { from: { type: 'string', value: 'ENV', about: 'The environment to fork. Default: the current one.' } },
  examples: ['boathouse env create try_new_marts', 'boathouse env create audit --from prod'],
  async run(context) {
    const name = forkName(oneArgument(context, 'NAME'))
    const app = await context.open()
    const { config } = app
    if (config.environments[name])
      throw new Failure('ALREADY_EXISTS', `there is an environment ${name} already`, {
        hint: 'Choose another name; `boathouse env ls` lists them.',
      })
    const from = context.flags.text('from')
    const origin = from === undefined ? app.environment : resolveEnvironment(config, { flag: from })
    const catalog = catalogFor(name, origin)
    authorise(app.principal, 'create', { kind: 'table', name: catalog })
    const fork = await app.environments.create({
      environment: name,
      catalog,
      origin: origin.catalog,
      by: app.principal.name,
    })
    context.out.answer(
      fork,
      () =>
        `${name} has the ${fork.tables} tables and views of ${origin.name}, in the catalog ${catalog}.\nWork in it with --env ${name}; \`boathouse env diff ${name}\` shows what became different.`,
    )
  },
}

export const environmentsDiff: Command = {
  name: 'env diff',
  summary: 'What a fork changed since it was made.',
  arguments: 'NAME',
  options: {
    data: { type: 'boolean', about: 'Compare the rows too, with those of the origin as it is now.' },
    samples: {
      type: 'string',
      value: 'ROWS',
      about: 'With --data: rows shown per table and kind of change; default 3.',
    },
  },
  examples: ['boathouse env diff try_new_marts', 'boathouse env diff try_new_marts --data'],
  async run(context) {
    const name = oneArgument(context, 'NAME')
    const app = await context.open()
    const fork = await forkNamed(app, name)
    const differences = await app.environments.diff(fork.catalog)
    const data = context.flags.is('data') ? await dataOf(app, fork, differences, context) : undefined
    context.out.answer(data ? { differences, data } : differences, () => {
      if (differences.length === 0) return `${name} is as it was forked.`
      const listed = table(
        ['table', 'kind', 'change', 'its snapshot', "origin's snapshot", ''],
        differences.map((one) => [
          one.table,
          one.kind,
          one.change,
          one.forkSnapshot ?? '-',
          one.originSnapshot ?? '-',
          one.conflict ? 'the origin changed it too' : '',
        ]),
      )
      return data ? `${listed}\n\n${dataMarkdown(data)}` : listed
    })
  },
}

/** Rows of both, told apart by the keys that the project says; samples are what the caller may see. */
async function dataOf(
  app: App,
  { catalog, origin }: Fork,
  differences: readonly Difference[],
  { flags, signal }: Context,
): Promise<TableDiff[]> {
  const samplesMax = flags.whole('samples', { min: 0, max: 100 }) ?? 3
  const options = { ...app.asking('cli'), catalog, signal }
  // Tables need no project; without one whole rows are compared.
  const project = await app.insight.project(app.environment).catch(() => undefined)
  const diffs: TableDiff[] = []
  for (const { table: shown } of differences) {
    const [namespace, ...rest] = shown.split('.')
    const named = (from: string) => [from, namespace!, rest.join('.')].map(quoteName).join('.')
    const node = [...(project?.nodes.values() ?? [])].find(
      (node) => isTable(node) && `${node.schema}.${node.alias}`.toLowerCase() === shown.toLowerCase(),
    )
    const keys = project && node ? keysOfNode(project, node) : []
    const names = { before: named(origin), after: named(catalog) }
    diffs.push(await diffTables(shown, names, keys, { lake: app.lake, options, samples: options }, samplesMax))
  }
  return diffs
}

export const environmentsPromote: Command = {
  name: 'env promote',
  summary: 'Give the origin what the fork changed, in one step. Refused when the origin changed the same tables.',
  arguments: 'NAME',
  examples: ['boathouse env promote try_new_marts', 'boathouse env promote audit --env prod'],
  async run(context) {
    const name = oneArgument(context, 'NAME')
    const app = await context.open()
    const { catalog, origin } = await forkNamed(app, name)
    const target = nameOf(app.config, origin)
    authorise(app.principal, 'write', {
      kind: 'table',
      name: origin,
      environment: {
        name: target,
        protected: app.config.environments[target]?.protected ?? false,
        named: app.environment.name === target && app.environment.writable,
      },
    })
    const id = await app.environments.promote(catalog, app.principal.name)
    context.out.answer({ publication: id ?? null }, () =>
      id ? `${target} has what ${name} changed: publication ${id}.` : `${name} changed nothing.`,
    )
  },
}

export const environmentsDrop: Command = {
  name: 'env drop',
  summary: 'Forget a fork and what it alone has. Tables that were promoted stay.',
  arguments: 'NAME',
  examples: ['boathouse env drop try_new_marts'],
  async run(context) {
    const name = oneArgument(context, 'NAME')
    const app = await context.open()
    const { catalog } = await forkNamed(app, name)
    authorise(app.principal, 'drop', { kind: 'table', name: catalog })
    const { tables } = await app.environments.drop(catalog)
    context.out.answer({ dropped: name, tables }, () => `Dropped ${name} with its ${tables} tables and views.`)
  },
}

/** It becomes part of a catalog's name. @throws USAGE */
export function forkName(name: string): string {
  if (/^[a-z_][a-z0-9_-]{0,62}$/i.test(name)) return name
  throw new Failure('USAGE', `"${name}" cannot be the name of an environment`, {
    hint: 'Use letters, digits, _ and -, for example try_new_marts.',
  })
}

/** `dev_analytics` of `dev` becomes `try_analytics` for `try`. */
export const catalogFor = (name: string, origin: { name: string; catalog: string }): string =>
  origin.catalog.startsWith(`${origin.name}_`)
    ? `${name}${origin.catalog.slice(origin.name.length)}`
    : `${name}_${origin.catalog}`

const nameOf = (config: Config, catalog: string): string =>
  Object.entries(config.environments).find(([, entry]) => entry.catalog === catalog)?.[0] ?? catalog

async function forkNamed({ config, environments }: App, name: string): Promise<Fork> {
  const fork = (await environments.list()).find(({ environment }) => environment === name)
  if (fork) return fork
  const why = config.environments[name]
    ? `${name} was not forked from another environment`
    : `there is no environment ${name}`
  throw new Failure('NOT_FOUND', why, { hint: '`boathouse env ls` lists environments and what they were forked from.' })
}
