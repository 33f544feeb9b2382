import { Failure } from '../../base/failure.ts'
import { showName } from '../../catalog/index.ts'
import { showBytes, showDuration } from '../../base/units.ts'
import {
  decide,
  limitsOf,
  privileges,
  showPattern,
  type LimitName,
  type Principal,
  type Privilege,
} from '../../govern/index.ts'
import { checkAccess, whyUnreadable } from '../../lake/index.ts'
import { readAccess } from '../../project/index.ts'
import type { App } from '../app.ts'
import { noArguments, type Command } from '../command.ts'
import { table } from '../output.ts'
import { loadTable } from './table.ts'

export const accessApply: Command = {
  name: 'access apply',
  summary: 'Put what access.yml says into force; a start of the server and every run do it too.',
  options: { 'dry-run': { type: 'boolean', about: 'Only show what would be different.' } },
  examples: ['boathouse access apply --dry-run', 'boathouse access apply'],
  async run(context) {
    noArguments(context)
    const app = await context.open()
    const dryRun = context.flags.is('dry-run')
    const diff = await app.applyAccess({ dryRun })
    if (!diff)
      throw new Failure('NOT_FOUND', 'the project has no access.yml', {
        hint: 'Write one; an empty file takes back what an earlier one gave.',
      })
    const problems = dryRun ? [] : await unusable(app)
    const lines = [...diff.removed.map((line) => `- ${line}`), ...diff.added.map((line) => `+ ${line}`)]
    context.out.answer(
      { ...diff, applied: !dryRun, problems },
      [
        ...(lines.length === 0 ? ['Nothing is different.'] : lines),
        ...problems.map((one) => `! ${one.table}: ${one.reason}`),
      ].join('\n'),
    )
    return problems.length > 0 ? 1 : 0
  },
}

/** Tables whose row filters do not fit them, which are closed, and masks of columns that a table never had. */
async function unusable(app: App): Promise<{ table: string; reason: string }[]> {
  const policy = await app.govern.access.policy()
  const anybody = { id: 'access-check', name: 'anybody', role: 'reader' } as const
  const found: { table: string; reason: string }[] = []
  const wide = new Set(policy.masks.filter(({ on }) => on.table?.includes('*') ?? true).map(({ column }) => column))
  for (const pointer of await app.tables.list(app.environment.catalog)) {
    const { name } = pointer
    const { filters, masks } = decide(policy, anybody, 'select', name)
    if (filters.length === 0 && masks.size === 0) continue
    const reason = await whyUnreadable(name, anybody, binding(app))
    if (reason !== null) found.push({ table: showName(name), reason: `${reason}; only administrators can read it` })
    const { metadata } = await app.tables.open(pointer)
    const columns = new Set(metadata.schemas.flatMap(({ fields }) => fields.map((field) => field.name.toLowerCase())))
    for (const column of masks.keys())
      if (!columns.has(column) && !wide.has(column))
        found.push({ table: showName(name), reason: `it has no column ${column}, which a mask names` })
  }
  return found
}

const binding = (app: App) => (sql: string, principal: Principal) =>
  app.lake.bind(sql, { ...app.asking('cli'), principal })

export const accessShow: Command = {
  name: 'access show',
  summary: 'The rights that are in force: grants, row filters, masks.',
  examples: ['boathouse access show', 'boathouse access show --json'],
  async run(context) {
    noArguments(context)
    const app = await context.open()
    const { rowFilters, masks, limits } = await app.govern.access.policy()
    const [grants, roles] = [await app.govern.access.list(app.principal), await app.govern.access.roles(app.principal)]
    const isInFile = (await readAccess(app.config.dir)).items.length > 0
    context.out.answer({ roles, grants, rowFilters, masks, limits }, () =>
      [
        table(
          ['right', 'on', 'to', 'from'],
          grants.map(({ privilege, columns, on, to, source }) => [
            columns ? `${privilege} (${columns.join(', ')})` : privilege,
            showPattern(on),
            `${to.kind}:${to.name}`,
            source,
          ]),
        ),
        ...rowFilters.map(
          ({ on, condition, to, except }) =>
            `rows of ${showPattern(on)} where ${condition}${to ? ` for ${to.join(', ')}` : ''}${except.length > 0 ? ` except ${except.join(', ')}` : ''}`,
        ),
        ...masks.map(
          ({ on, column, expression, except }) =>
            `${column} of ${showPattern(on)} as ${expression}${except.length > 0 ? ` except ${except.join(', ')}` : ''}`,
        ),
        ...limits.map(({ name, most, to }) => `${name} of ${to.kind}:${to.name}: at most ${showMost(name, most)}`),
        ...(isInFile ? [] : ['There is no access.yml in the project.']),
      ].join('\n'),
    )
  },
}

export const accessCheck: Command = {
  name: 'access check',
  summary: 'What somebody may do with a table and sees of it, and why.',
  arguments: 'USER TABLE',
  options: { action: { type: 'string', value: 'PRIVILEGE', about: 'select (the default), insert, update, …' } },
  examples: ['boathouse access check ana marts.orders', 'boathouse access check ana raw.orders --action insert'],
  async run(context) {
    const [user, name, ...more] = context.args
    if (user === undefined || name === undefined || more.length > 0)
      throw new Failure('USAGE', 'a user and a table are expected')
    const action = context.flags.text('action') ?? 'select'
    if (!(privileges as readonly string[]).includes(action))
      throw new Failure('USAGE', `--action is one of ${privileges.join(', ')}, found "${action}"`)
    const app = await context.open()
    const { id, name: known, role } = await app.govern.users.get(user)
    const principal = { id, name: known, role }
    const loaded = await loadTable(app, name)
    const policy = await app.govern.access.policy()
    const { queryTimeoutMs, queryRows: queryRowsMax, perPrincipal } = app.config.limits
    const { verdict, columns, filters, masks, because, limits, sql, problem } = await checkAccess(
      { principal, loaded, action: action as Privilege },
      { policy, limits: { queryTimeoutMs, queryRowsMax, perPrincipal }, bind: binding(app) },
    )
    const own = limitsOf(policy, principal)
    context.out.answer(
      {
        user: known,
        table: showName(loaded.name),
        action,
        verdict,
        columns: columns === 'all' ? 'all' : [...columns],
        filters,
        masks: Object.fromEntries(masks),
        because,
        limits,
        sql,
        problem,
      },
      () =>
        [
          `${known} ${verdict === 'allowed' ? 'may' : 'may not'} ${action} ${showName(loaded.name)}:`,
          ...because.map((reason) => `  ${reason}`),
          ...Object.entries(limits)
            .filter(([name]) => name in own)
            .map(([name, { most, setBy }]) => `  at most ${showMost(name as LimitName, most)} (${setBy})`),
          ...(sql === null ? [] : ['', sql]),
          ...(problem === null ? [] : ['', `It cannot be read now: ${problem}`]),
        ].join('\n'),
    )
  },
}

function showMost(name: LimitName, most: number): string {
  switch (name) {
    case 'query_timeout':
      return `${showDuration(most)} a statement`
    case 'rows':
      return `${most} rows an answer`
    case 'result_bytes':
      return `${showBytes(most)} an answer`
    case 'scan_bytes':
      return `${showBytes(most)} of files a statement`
    case 'memory':
      return `${showBytes(most)} of memory a SELECT`
    case 'queries':
      return `${most} statements at the same time`
  }
}
