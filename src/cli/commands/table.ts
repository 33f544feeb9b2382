import { dottedParts } from '../../base/dotted.ts'
import { Failure } from '../../base/failure.ts'
import { showBytes } from '../../base/units.ts'
import { openWhatever, showName, whyUnreadable, type Loaded, type TableName } from '../../catalog/index.ts'
import { history } from '../../iceberg/index.ts'
import { schemaOfLoaded, sqlType } from '../../lake/index.ts'
import type { App } from '../app.ts'
import { noArguments, oneArgument, type Command } from '../command.ts'
import { counted, table as formatTable } from '../output.ts'

export const tableList: Command = {
  name: 'table ls',
  summary: 'The tables and views of the environment.',
  examples: ['boathouse table ls', 'boathouse table ls --env prod --json'],
  async run(context) {
    noArguments(context)
    const app = await context.open()
    const all = await Promise.all(
      (await app.tables.list(app.environment.catalog)).map((pointer) => openWhatever(app.tables, pointer)),
    )
    const rows = all.map((one) => {
      const { rows: count, bytes, updatedAt } = sizeOf(one)
      const [table, unreadable] = [`${one.name.namespace}.${one.name.name}`, whyUnreadable(one)]
      return { table, kind: one.kind, rows: count, bytes, updatedAt, ...(unreadable !== undefined && { unreadable }) }
    })
    context.out.answer(rows, () =>
      rows.length === 0
        ? 'There are no tables yet. `boathouse run` makes those of the project.'
        : formatTable(
            ['table', 'kind', 'rows', 'size', 'updated', ''],
            rows.map((row) => [
              row.table,
              row.kind,
              row.rows,
              row.bytes === null ? '' : showBytes(row.bytes),
              row.updatedAt,
              row.unreadable === undefined ? '' : `cannot be read: ${row.unreadable}`,
            ]),
            { right: [2, 3] },
          ),
    )
  },
}

export const tableDescribe: Command = {
  name: 'table describe',
  summary: 'The columns, size and place of one table.',
  arguments: 'TABLE',
  examples: ['boathouse table describe marts.daily_revenue'],
  async run(context) {
    const name = oneArgument(context, 'TABLE')
    const app = await context.open()
    const one = await loadTable(app, name)
    const columns = schemaOfLoaded(one).fields.map((field) => ({
      name: field.name,
      type: sqlType(field.type),
      nullable: !field.required,
      comment: field.doc ?? null,
    }))
    const size = sizeOf(one)
    context.out.answer(
      {
        table: showName(one.name),
        kind: one.kind,
        columns,
        ...size,
        location: one.metadata.location,
        properties: one.metadata.properties,
      },
      () =>
        [
          `${showName(one.name)} (${one.kind})`,
          ...(size.rows === null
            ? []
            : [
                `${counted(size.rows, 'row')}, ${counted(size.files ?? 0, 'file')}, ${showBytes(size.bytes ?? 0)}, updated ${size.updatedAt}`,
              ]),
          '',
          formatTable(
            ['column', 'type', 'null', 'comment'],
            columns.map((column) => [column.name, column.type, column.nullable ? 'yes' : 'no', column.comment]),
          ),
        ].join('\n'),
    )
  },
}

export const tableHistory: Command = {
  name: 'table history',
  summary: 'The snapshots of one table, newest first.',
  arguments: 'TABLE',
  examples: ['boathouse table history raw.sales'],
  async run(context) {
    const name = oneArgument(context, 'TABLE')
    const app = await context.open()
    const one = await loadTable(app, name)
    if (one.kind === 'view') throw new Failure('UNSUPPORTED', `${showName(one.name)} is a view and has no snapshots`)
    const entries = history(one.metadata).map(({ snapshot, isCurrentAncestor, madeCurrentAtMs }) => ({
      snapshotId: snapshot.snapshotId.toString(),
      committedAt: new Date(madeCurrentAtMs ?? snapshot.timestampMs).toISOString(),
      operation: snapshot.summary.operation ?? '',
      rows: Number(snapshot.summary['total-records'] ?? 0),
      current: snapshot.snapshotId === one.metadata.currentSnapshotId,
      ancestor: isCurrentAncestor,
    }))
    context.out.answer(entries, () =>
      formatTable(
        ['snapshot', 'committed', 'operation', 'rows', ''],
        entries.map((entry) => [
          entry.snapshotId,
          entry.committedAt,
          entry.operation,
          entry.rows,
          entry.current ? 'current' : entry.ancestor ? '' : 'not an ancestor',
        ]),
        { right: [3] },
      ),
    )
  },
}

/** `marts.daily_revenue` or a full name. */
export function nameOf(app: App, text: string): TableName {
  const parts = dottedParts(text) ?? []
  if (parts.length < 2 || parts.length > 3)
    throw new Failure('USAGE', `${text} is not a table; write namespace.name, with quotes around a name with dots`)
  return {
    catalog: parts.length === 3 ? parts[0]! : app.environment.catalog,
    namespace: parts.at(-2)!,
    name: parts.at(-1)!,
  }
}

/** @throws TABLE_NOT_FOUND */
export async function loadTable(app: App, text: string): Promise<Loaded> {
  const name = nameOf(app, text)
  const loaded = await app.tables.load(name)
  if (!loaded) throw new Failure('TABLE_NOT_FOUND', `there is no table ${showName(name)}`)
  return loaded
}

export function sizeOf(one: Loaded): {
  rows: number | null
  files: number | null
  bytes: number | null
  updatedAt: string | null
} {
  if (one.kind === 'view' || whyUnreadable(one) !== undefined)
    return { rows: null, files: null, bytes: null, updatedAt: null }
  const snapshot = one.metadata.snapshots.find(({ snapshotId }) => snapshotId === one.metadata.currentSnapshotId)
  const total = (key: string) => Number(snapshot?.summary[`total-${key}`] ?? 0)
  return {
    rows: total('records'),
    files: total('data-files'),
    bytes: total('files-size'),
    updatedAt: snapshot ? new Date(snapshot.timestampMs).toISOString() : null,
  }
}
