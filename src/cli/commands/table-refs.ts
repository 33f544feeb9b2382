// `table diff|rollback|tag|branch`: a table's snapshots, compared, named and gone back to. None of them writes data.

import { Failure } from '../../base/failure.ts'
import { showName, type LoadedTable } from '../../catalog/index.ts'
import {
  changeRef,
  createBranch,
  createTag,
  fastForward,
  planScan,
  removeRef,
  rollbackTo,
  schemaOf,
  setCurrent,
  showType,
  snapshotAsOf,
  type Snapshot,
  type TableMetadata,
} from '../../iceberg/index.ts'
import { collect, goingBack, parseAsOf, quoteName, quoteTable } from '../../lake/index.ts'
import type { App } from '../app.ts'
import type { Command, Context, Option } from '../command.ts'
import { formatRows, table as formatTable } from '../output.ts'
import { age, maintenanceOf, mayChange } from './table-maintenance.ts'
import { loadTable } from './table.ts'

const dryRun: Option = { type: 'boolean', about: 'Say what would be done and change nothing.' }

export const tableDiff: Command = {
  name: 'table diff',
  summary: 'What changed in a table between two snapshots: columns, files, rows.',
  arguments: 'TABLE FROM [TO]',
  options: {
    rows: { type: 'string', value: 'N', about: 'Also show up to N rows that are in one and not in the other.' },
  },
  examples: ['boathouse table diff raw.sales 2024-03-30', 'boathouse table diff raw.sales before_load main --rows 20'],
  async run(context) {
    const [tableName, from, to = 'main', ...rest] = context.args
    if (tableName === undefined || from === undefined || rest.length > 0)
      throw new Failure('USAGE', 'TABLE, FROM and perhaps TO are expected: snapshots, times, branches or tags')
    const count = context.flags.whole('rows', { min: 1, max: 10_000 })
    const app = await context.open()
    const one = await tableOf(app, tableName)
    const [before, after] = [snapshotOf(one.metadata, from), snapshotOf(one.metadata, to)]
    const diff = await compare(app, one.metadata, before, after, context.signal)
    const rows = count === undefined ? undefined : await changedRows(app, one, before, after, count)
    context.out.answer({ table: showName(one.name), ...diff, ...(rows && { rows: rows.rows }) }, () =>
      [
        `${showName(one.name)}: ${diff.from} → ${diff.to}`,
        ...diff.columns.map(
          ({ change, column, type }) => `  ${change === 'added' ? '+' : '-'} column ${column} ${type}`,
        ),
        formatTable(
          ['', 'data files', 'rows'],
          [
            ['added', diff.filesAdded, diff.rowsInFilesAdded],
            ['removed', diff.filesRemoved, diff.rowsInFilesRemoved],
          ],
          { right: [1, 2] },
        ),
        ...(rows
          ? ['', rows.rows.length === 0 ? 'The rows are the same.' : formatRows('table', rows.columns, rows.rows)]
          : []),
      ].join('\n'),
    )
  },
}

/** By files: rows that a rewrite moved count as removed and added. `rowsIn…` are as of each side, deletes not counted. */
async function compare(app: App, metadata: TableMetadata, before: Snapshot, after: Snapshot, signal: AbortSignal) {
  const filesOf = async ({ snapshotId }: Snapshot) =>
    new Map((await planScan(app.io, metadata, { snapshotId, signal })).files.map((file) => [file.path, file]))
  const [old, now] = [await filesOf(before), await filesOf(after)]
  const added = [...now.values()].filter(({ path }) => !old.has(path))
  const removed = [...old.values()].filter(({ path }) => !now.has(path))
  const sum = (files: readonly { recordCount: number }[]) => files.reduce((total, file) => total + file.recordCount, 0)
  const columnsOf = (snapshot: Snapshot) =>
    new Map(
      schemaOf(metadata, snapshot).fields.map(({ name, type }) => [
        `${name} ${showType(type)}`,
        { column: name, type: showType(type) },
      ]),
    )
  const [oldColumns, newColumns] = [columnsOf(before), columnsOf(after)]
  const only = (one: typeof oldColumns, other: typeof oldColumns, what: 'added' | 'removed') =>
    [...one].filter(([key]) => !other.has(key)).map(([, column]) => ({ change: what, ...column }))
  return {
    from: String(before.snapshotId),
    to: String(after.snapshotId),
    columns: [...only(oldColumns, newColumns, 'removed'), ...only(newColumns, oldColumns, 'added')],
    filesAdded: added.length,
    filesRemoved: removed.length,
    rowsInFilesAdded: sum(added),
    rowsInFilesRemoved: sum(removed),
  }
}

/** Rows in one and not in the other, over the columns that both have. */
async function changedRows(
  app: App,
  { name, metadata }: LoadedTable,
  before: Snapshot,
  after: Snapshot,
  count: number,
) {
  const has = new Set(schemaOf(metadata, before).fields.map((field) => field.name))
  const common = schemaOf(metadata, after).fields.flatMap((field) =>
    has.has(field.name) ? [quoteName(field.name)] : [],
  )
  if (common.length === 0) throw new Failure('REQUEST_INVALID', 'the two snapshots have no column in common')
  const at = ({ snapshotId }: Snapshot) =>
    `SELECT ${common.join(', ')} FROM ${quoteTable(name)} AT (VERSION => ${snapshotId})`
  const sql = `SELECT '-' AS change, * FROM (${at(before)} EXCEPT ALL ${at(after)}) UNION ALL SELECT '+', * FROM (${at(after)} EXCEPT ALL ${at(before)}) LIMIT ${count}`
  return collect(await app.lake.query(sql, app.asking('cli')))
}

export const tableRollback: Command = {
  name: 'table rollback',
  summary: 'Take a table back to an earlier snapshot. The newer ones stay in its history until they expire.',
  arguments: 'TABLE SNAPSHOT|TIME|TAG',
  options: {
    branch: { type: 'string', value: 'BRANCH', about: 'The branch to take back. Default: main.' },
    any: { type: 'boolean', about: 'Also to a snapshot that the branch never had.' },
    'dry-run': dryRun,
  },
  examples: [
    'boathouse table rollback raw.sales 2024-03-30T12:00',
    'boathouse table rollback raw.sales 3051729675574597004',
  ],
  async run(context) {
    const [tableName, to, ...rest] = context.args
    if (tableName === undefined || to === undefined || rest.length > 0)
      throw new Failure('USAGE', 'a TABLE and one snapshot or time are expected')
    const branch = context.flags.text('branch') ?? 'main'
    const app = await context.open()
    const one = await tableOf(app, tableName)
    const work = (metadata: TableMetadata) => {
      const at = parseAsOf(to)
      const change = context.flags.is('any')
        ? setCurrent(metadata, snapshotOf(metadata, to).snapshotId, branch)
        : rollbackTo(metadata, 'ref' in at ? { snapshotId: snapshotOf(metadata, to).snapshotId } : at, branch)
      return goingBack(metadata, change)
    }
    await changeTable(context, app, one, work, (metadata) => {
      const now = metadata.refs[branch]?.snapshotId
      return `${showName(one.name)}: ${branch} is at snapshot ${now} of ${timeOf(metadata, now)}`
    })
  },
}

const keep: Option = {
  type: 'string',
  value: 'AGE',
  about: 'Expires with its own name after this time, for example 90d. Default: never.',
}
const at: Option = { type: 'string', value: 'SNAPSHOT|TIME', about: 'What it names. Default: the newest of main.' }
const drop: Option = { type: 'boolean', about: 'Take the name away. Its snapshots stay until they expire.' }

export const tableTag: Command = {
  name: 'table tag',
  summary: 'Give a snapshot a name, so that it is kept and can be asked for; without a name, list them.',
  arguments: 'TABLE [NAME]',
  options: { at, keep, drop, 'dry-run': dryRun },
  examples: [
    'boathouse table tag marts.daily_revenue closed_2024_q1 --keep 365d',
    'boathouse table tag marts.daily_revenue',
  ],
  run: (context) =>
    changeRefs(context, 'tag', (metadata, name, snapshotId) =>
      createTag(metadata, name, { snapshotId, maxRefAgeMs: age(context, 'keep') }),
    ),
}

export const tableBranch: Command = {
  name: 'table branch',
  summary: 'Make, move or drop a branch of a table; without a name, list them.',
  arguments: 'TABLE [NAME]',
  options: {
    at,
    keep,
    'keep-snapshots': { type: 'string', value: 'N', about: 'At least so many snapshots of the branch stay.' },
    'keep-age': { type: 'string', value: 'AGE', about: 'Snapshots of the branch younger than this stay.' },
    'fast-forward': { type: 'string', value: 'REF', about: 'Move the branch on to where this branch or tag is.' },
    drop,
    'dry-run': dryRun,
  },
  examples: ['boathouse table branch raw.sales audit', 'boathouse table branch raw.sales main --fast-forward audit'],
  run: (context) =>
    changeRefs(context, 'branch', (metadata, name, snapshotId) => {
      const to = context.flags.text('fast-forward')
      if (to !== undefined) return fastForward(metadata, name, to)
      const retention = {
        snapshotId,
        minSnapshotsToKeep: context.flags.whole('keep-snapshots', { min: 1, max: 1_000_000 }),
        maxSnapshotAgeMs: age(context, 'keep-age'),
        maxRefAgeMs: age(context, 'keep'),
      }
      const given = Object.fromEntries(Object.entries(retention).filter(([, value]) => value !== undefined))
      return metadata.refs[name] ? changeRef(metadata, name, given) : createBranch(metadata, name, given)
    }),
}

type TableChange = ReturnType<typeof setCurrent>

async function changeRefs(
  context: Context,
  type: 'tag' | 'branch',
  make: (metadata: TableMetadata, name: string, snapshotId: bigint | undefined) => TableChange,
): Promise<void> {
  const [tableName, name, ...rest] = context.args
  if (tableName === undefined || rest.length > 0)
    throw new Failure('USAGE', 'a TABLE and perhaps one NAME are expected')
  const app = await context.open()
  const one = await tableOf(app, tableName)
  if (name === undefined) return listRefs(context, one.metadata, type)
  const found = one.metadata.refs[name]
  if (found && found.type !== type) throw new Failure('REQUEST_INVALID', `"${name}" is a ${found.type}, not a ${type}`)
  const text = context.flags.text('at')
  const work = (metadata: TableMetadata) =>
    context.flags.is('drop')
      ? removeRef(metadata, name)
      : make(metadata, name, text === undefined ? undefined : snapshotOf(metadata, text).snapshotId)
  await changeTable(context, app, one, work, (metadata) => {
    const ref = metadata.refs[name]
    return ref
      ? `${showName(one.name)}: the ${type} ${name} is at snapshot ${ref.snapshotId} of ${timeOf(metadata, ref.snapshotId)}`
      : `${showName(one.name)}: there is no ${type} ${name} any more`
  })
}

function listRefs(context: Context, metadata: TableMetadata, type: 'tag' | 'branch'): void {
  const refs = Object.entries(metadata.refs)
    .filter(([, ref]) => ref.type === type)
    .map(([name, ref]) => ({
      name,
      ...ref,
      snapshotId: String(ref.snapshotId),
      committedAt: timeOf(metadata, ref.snapshotId),
    }))
  context.out.answer(refs, () =>
    refs.length === 0
      ? `There is no ${type} yet.`
      : formatTable(
          [type, 'snapshot', 'committed'],
          refs.map((ref) => [ref.name, ref.snapshotId, ref.committedAt]),
        ),
  )
}

/** Commits the change, or with --dry-run only finds out whether it is one that may be made. */
async function changeTable(
  context: Context,
  app: App,
  one: LoadedTable,
  work: (metadata: TableMetadata) => TableChange,
  say: (metadata: TableMetadata) => string,
): Promise<void> {
  if (context.flags.is('dry-run')) {
    const { updates } = work(one.metadata)
    context.out.answer({ table: showName(one.name), changes: updates.length, dryRun: true }, () =>
      updates.length === 0 ? 'Nothing would change.' : 'This can be done; nothing was changed.',
    )
    return
  }
  mayChange(app, one.name)
  const { metadata } = await maintenanceOf(app).change(one.name, app.principal.name, work)
  const refs = Object.fromEntries(Object.entries(metadata.refs).map(([name, ref]) => [name, String(ref.snapshotId)]))
  context.out.answer({ table: showName(one.name), refs }, () => say(metadata))
}

async function tableOf(app: App, text: string): Promise<LoadedTable> {
  const one = await loadTable(app, text)
  if (one.kind === 'view') throw new Failure('REQUEST_INVALID', `${showName(one.name)} is a view and has no snapshots`)
  return one
}

/** A snapshot id, a time, a branch or a tag. */
function snapshotOf(metadata: TableMetadata, text: string): Snapshot {
  const snapshot = snapshotAsOf(metadata, metadata.refs[text] || !/^[\d-]/.test(text) ? { ref: text } : parseAsOf(text))
  if (!snapshot) throw new Failure('NOT_FOUND', `the table had no rows yet at "${text}"`)
  return snapshot
}

function timeOf(metadata: TableMetadata, id: bigint | undefined): string {
  const found = metadata.snapshots.find(({ snapshotId }) => snapshotId === id)
  return found ? new Date(found.timestampMs).toISOString() : ''
}
