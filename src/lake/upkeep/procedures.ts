// What CALL can call: Iceberg's procedures, with the names, arguments and result columns that they have in Spark. Those
// that only move names of snapshots are changes of a change set like any other; those that rewrite or delete files work on
// the published table, again and again while others are faster, and so not inside of a transaction.

import { Failure, type Place } from '../../base/failure.ts'
import { didYouMean, suggest } from '../../base/suggest.ts'
import { showName, type LoadedTable, type TableName } from '../../catalog/index.ts'
import type { Column } from '../../contract/index.ts'
import {
  ancestorsOf,
  cherryPick,
  createTag,
  currentSchema,
  defaultSortOrder,
  fastForward,
  removeRef,
  replaceSortOrder,
  rollbackTo,
  startBranch,
  setCurrent,
  snapshotAsOf,
  snapshotById,
  type TableChange,
  type TableMetadata,
} from '../../iceberg/index.ts'
import { checkColumnsOfThen, goingBack } from './going-back.ts'
import { fileLocation, type FileIO } from '../../io/index.ts'
import { curveOf, orderingsOf, type Ordering } from '../sql/placing.ts'
import type { AlterStep, ChangeSet } from '../write/change-set.ts'
import type { Maintenance, MaintenanceOptions } from './maintenance.ts'
import { withoutBackticks, type Call } from '../sql/call.ts'
import { compose, Composed } from '../sql/compose.ts'
import { curveColumns } from '../write/z-order.ts'

type Kind = 'text' | 'id' | 'ids' | 'time' | 'boolean' | 'whole' | 'options' | 'texts'
/** `idle`: taken because Spark has it; how the work is done there is nothing to us. */
type Parameter = { name: string; kind: Kind; required?: true; idle?: true }
/** By the parameter's name; one that was not given or is null is missing. */
type Arguments = ReadonlyMap<string, unknown>

export type ProcedureContext = {
  target: TableName
  /** Undefined where the procedure makes the table. */
  table: LoadedTable | undefined
  io: FileIO
  changes: ChangeSet
  maintenance: Maintenance
  options: MaintenanceOptions
  nowMs: number
  register(name: TableName, metadataFile: string): Promise<LoadedTable>
  /** The data files of the target in which rows may be of which the condition holds; of a branch of it. */
  filesWith(condition: string, branch?: string): Promise<ReadonlySet<string>>
}
type Procedure = {
  parameters: readonly Parameter[]
  columns: readonly Column[]
  /** It makes the table when there is none. */
  makes?: true
  /** It changes more than names: files, or what is no part of a change set. */
  outside?: true
  run(given: Arguments, context: ProcedureContext): Promise<unknown[][]>
}

const column = (name: string, type: string): Column => ({ name, type, nullable: true })
const bigints = (...names: string[]) => names.map((name) => column(name, 'BIGINT'))
const ints = (...names: string[]) => names.map((name) => column(name, 'INTEGER'))
const table: Parameter = { name: 'table', kind: 'text', required: true }
/** Spark has it for orphans alone: what would be done is told, and nothing is. */
const dry: Parameter = { name: 'dry_run', kind: 'boolean' }
const isDry = (given: Arguments) => given.get('dry_run') === true

/** A snapshot id as results have numbers: text beyond what JSON's numbers hold. */
const shown = (id: bigint | undefined): string | number | null =>
  id === undefined ? null : id <= Number.MAX_SAFE_INTEGER ? Number(id) : String(id)

const headOf = (metadata: TableMetadata, branch = 'main') => metadata.refs[branch]?.snapshotId

/** The change of names, and where the branch was before and is then. */
async function moved(
  { target, table: before, changes }: ProcedureContext,
  branch: string,
  step: AlterStep,
): Promise<[bigint | undefined, bigint | undefined]> {
  await changes.alter(target, [step])
  const after = (await changes.load(target)) as LoadedTable
  return [headOf(before!.metadata, branch), headOf(after.metadata, branch)]
}
/** A staged snapshot, or one of another branch, on top of main. */
async function published(snapshotId: bigint, { io, target, changes }: ProcedureContext) {
  await changes.apply(target, async (metadata) => {
    checkColumnsOfThen(metadata, snapshotId)
    return cherryPick(io, metadata, snapshotId)
  })
  const after = (await changes.load(target)) as LoadedTable
  return [[shown(snapshotId), shown(headOf(after.metadata))]]
}
const movedRow = async (context: ProcedureContext, step: (now: TableMetadata) => TableChange) => [
  (await moved(context, 'main', (now) => goingBack(now, step(now)))).map(shown),
]

const made: Pick<Procedure, 'columns'> = {
  columns: [column('name', 'VARCHAR'), column('snapshot_id', 'BIGINT')],
}
const refParameters = (what: string): Parameter[] => [
  table,
  { name: what, kind: 'text', required: true },
  { name: 'snapshot_id', kind: 'id' },
  { name: 'max_ref_age_ms', kind: 'id' },
]
const dropped = (what: 'branch' | 'tag'): Procedure => ({
  parameters: [table, { name: what, kind: 'text', required: true }],
  columns: [column('name', 'VARCHAR'), column('snapshot_id', 'BIGINT')],
  async run(given, context) {
    const name = text(given, what)
    const ref = context.table!.metadata.refs[name]
    if (ref && ref.type !== what) throw new Failure('REQUEST_INVALID', `"${name}" is a ${ref.type}, not a ${what}`)
    const [before] = await moved(context, name, (now) => removeRef(now, name))
    return [[name, shown(before)]]
  },
})

const text = (given: Arguments, name: string): string => String(given.get(name))
const id = (given: Arguments, name: string): bigint | undefined =>
  given.has(name) ? BigInt(text(given, name)) : undefined
const number = (given: Arguments, name: string): number | undefined =>
  given.has(name) ? Number(given.get(name)) : undefined

const procedures: Record<string, Procedure> = {
  rollback_to_snapshot: {
    parameters: [table, { name: 'snapshot_id', kind: 'id', required: true }],
    columns: bigints('previous_snapshot_id', 'current_snapshot_id'),
    run: (given, context) =>
      movedRow(context, (now) => rollbackTo(now, { snapshotId: id(given, 'snapshot_id')! }, 'main')),
  },
  rollback_to_timestamp: {
    parameters: [table, { name: 'timestamp', kind: 'time', required: true }],
    columns: bigints('previous_snapshot_id', 'current_snapshot_id'),
    run: (given, context) =>
      movedRow(context, (now) => rollbackTo(now, { timestampMs: number(given, 'timestamp')! }, 'main')),
  },
  set_current_snapshot: {
    parameters: [table, { name: 'snapshot_id', kind: 'id' }, { name: 'ref', kind: 'text' }],
    columns: bigints('previous_snapshot_id', 'current_snapshot_id'),
    run(given, context) {
      const [snapshotId, ref] = [id(given, 'snapshot_id'), given.get('ref')]
      if ((snapshotId === undefined) === (ref === undefined))
        throw new Failure('REQUEST_INVALID', 'either snapshot_id or ref is expected')
      return movedRow(context, (now) =>
        setCurrent(now, snapshotId ?? snapshotAsOf(now, { ref: String(ref) })!.snapshotId, 'main'),
      )
    },
  },
  cherrypick_snapshot: {
    parameters: [table, { name: 'snapshot_id', kind: 'id', required: true }],
    columns: bigints('source_snapshot_id', 'current_snapshot_id'),
    run: (given, context) => published(id(given, 'snapshot_id')!, context),
  },
  publish_changes: {
    parameters: [table, { name: 'wap_id', kind: 'text', required: true }],
    columns: bigints('source_snapshot_id', 'current_snapshot_id'),
    run(given, context) {
      const name = text(given, 'wap_id')
      const [staged, ...more] = context.table!.metadata.snapshots.filter(({ summary }) => summary['wap.id'] === name)
      if (!staged) throw new Failure('NOT_FOUND', `no snapshot was staged under the wap.id '${name}'`)
      if (more.length > 0)
        throw new Failure('REQUEST_INVALID', `${more.length + 1} snapshots were staged under the wap.id '${name}'`, {
          hint: 'cherrypick_snapshot takes one of them by its id: the metadata table snapshots lists them.',
        })
      return published(staged.snapshotId, context)
    },
  },
  ancestors_of: {
    parameters: [table, { name: 'snapshot_id', kind: 'id' }],
    columns: bigints('snapshot_id', 'timestamp'),
    async run(given, context) {
      const { metadata } = context.table!
      const from = id(given, 'snapshot_id') ?? metadata.currentSnapshotId
      if (from !== undefined) snapshotById(metadata, from)
      return ancestorsOf(metadata, from).map(({ snapshotId, timestampMs }) => [shown(snapshotId), timestampMs])
    },
  },
  fast_forward: {
    parameters: [table, { name: 'branch', kind: 'text', required: true }, { name: 'to', kind: 'text', required: true }],
    columns: [column('branch_updated', 'VARCHAR'), ...bigints('previous_ref', 'updated_ref')],
    async run(given, context) {
      const branch = text(given, 'branch')
      const refs = await moved(context, branch, (now) => fastForward(now, branch, text(given, 'to')))
      return [[branch, ...refs.map(shown)]]
    },
  },
  create_branch: {
    parameters: [
      ...refParameters('branch'),
      { name: 'min_snapshots_to_keep', kind: 'whole' },
      { name: 'max_snapshot_age_ms', kind: 'id' },
    ],
    ...made,
    async run(given, context) {
      const name = text(given, 'branch')
      const options = {
        snapshotId: id(given, 'snapshot_id'),
        maxRefAgeMs: number(given, 'max_ref_age_ms'),
        minSnapshotsToKeep: number(given, 'min_snapshots_to_keep'),
        maxSnapshotAgeMs: number(given, 'max_snapshot_age_ms'),
      }
      const known = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
      const [, after] = await moved(context, name, (now, at) => startBranch(now, name, known, at))
      return [[name, shown(after)]]
    },
  },
  create_tag: {
    parameters: refParameters('tag'),
    ...made,
    async run(given, context) {
      const name = text(given, 'tag')
      const options = { snapshotId: id(given, 'snapshot_id'), maxRefAgeMs: number(given, 'max_ref_age_ms') }
      const [, after] = await moved(context, name, (now) => createTag(now, name, options))
      return [[name, shown(after)]]
    },
  },
  drop_branch: dropped('branch'),
  drop_tag: dropped('tag'),
  expire_snapshots: {
    parameters: [
      table,
      { name: 'older_than', kind: 'time' },
      { name: 'retain_last', kind: 'whole' },
      { name: 'max_concurrent_deletes', kind: 'whole', idle: true },
      { name: 'stream_results', kind: 'boolean', idle: true },
      { name: 'snapshot_ids', kind: 'ids' },
      { name: 'clean_expired_metadata', kind: 'boolean' },
      dry,
    ],
    // Delete files of both kinds are counted together: which was which is not known any more.
    columns: bigints(
      'deleted_data_files_count',
      'deleted_position_delete_files_count',
      'deleted_equality_delete_files_count',
      'deleted_manifest_files_count',
      'deleted_manifest_lists_count',
      'deleted_statistics_files_count',
    ),
    outside: true,
    async run(given, { target, maintenance, options }) {
      const ids = given.get('snapshot_ids') as string[] | undefined
      const { files } = await maintenance.expire(target, {
        ...options,
        olderThanMs: number(given, 'older_than'),
        retainLast: number(given, 'retain_last'),
        snapshotIds: ids?.map(BigInt),
        onlyGivenIds: ids !== undefined && !given.has('older_than') && !given.has('retain_last'),
        cleanUnused: given.get('clean_expired_metadata') === true,
        dryRun: isDry(given),
      })
      return [[files.data, files.deletes, 0, files.manifest, files['manifest-list'], files.statistics]]
    },
  },
  remove_orphan_files: {
    parameters: [
      table,
      { name: 'older_than', kind: 'time' },
      { name: 'location', kind: 'text' },
      dry,
      { name: 'max_concurrent_deletes', kind: 'whole', idle: true },
      { name: 'file_list_view', kind: 'text' },
      { name: 'equal_schemes', kind: 'options' },
      { name: 'equal_authorities', kind: 'options' },
      { name: 'prefix_mismatch_mode', kind: 'text' },
      { name: 'prefix_listing', kind: 'boolean', idle: true },
      { name: 'stream_results', kind: 'boolean', idle: true },
    ],
    columns: [column('orphan_file_location', 'VARCHAR')],
    outside: true,
    async run(given, { target, maintenance, options, nowMs }) {
      if (given.has('file_list_view'))
        throw new Failure('SQL_UNSUPPORTED', 'files are listed from the storage, not read from a view', {
          hint: "Leave file_list_view out; location => '…' narrows the search.",
        })
      const mode = (given.get('prefix_mismatch_mode') as string | undefined)?.toLowerCase()
      if (mode !== undefined && mode !== 'error' && mode !== 'ignore' && mode !== 'delete')
        throw new Failure('REQUEST_INVALID', `prefix_mismatch_mode is ERROR, IGNORE or DELETE, found ${mode}`)
      const olderThan = number(given, 'older_than')
      const { paths } = await maintenance.removeOrphans(target, {
        ...options,
        dryRun: isDry(given),
        ...(olderThan === undefined ? {} : { olderThanMs: Math.max(0, nowMs - olderThan) }),
        equalSchemes: given.get('equal_schemes') as Record<string, string> | undefined,
        equalAuthorities: given.get('equal_authorities') as Record<string, string> | undefined,
        onMismatch: mode,
        location: located(given.get('location') as string | undefined),
      })
      return paths.map((path) => [path])
    },
  },
  rewrite_data_files: {
    parameters: [
      table,
      { name: 'strategy', kind: 'text' },
      { name: 'sort_order', kind: 'text' },
      { name: 'options', kind: 'options' },
      { name: 'where', kind: 'text' },
      { name: 'branch', kind: 'text' },
      dry,
    ],
    columns: [
      ...ints('rewritten_data_files_count', 'added_data_files_count'),
      column('rewritten_bytes_count', 'BIGINT'),
      ...ints('failed_data_files_count', 'removed_delete_files_count'),
    ],
    outside: true,
    async run(given, { target, table: found, maintenance, options, filesWith }) {
      const branch = given.get('branch') === 'main' ? undefined : (given.get('branch') as string | undefined)
      if (branch !== undefined && found!.metadata.refs[branch]?.type !== 'branch')
        throw new Failure('NOT_FOUND', `there is no branch "${branch}"`)
      const { planned, rewritten } = await maintenance.compact(target, {
        ...options,
        dryRun: isDry(given),
        ...rewriteOptions(given, found!.metadata),
        branch,
        ...orderFor(given, found!.metadata),
        only: given.has('where') ? await filesWith(withoutBackticks(text(given, 'where')), branch) : undefined,
      })
      if (isDry(given)) {
        const total = (of: 'files' | 'bytes') => planned.reduce((sum, group) => sum + group[of], 0)
        return [[total('files'), null, total('bytes'), null, null]]
      }
      const sum = (of: (group: (typeof rewritten)[number]) => number) =>
        rewritten.reduce((total, group) => total + of(group), 0)
      return [[sum((one) => one.filesBefore), sum((one) => one.filesAfter), sum((one) => one.bytesBefore), 0, 0]]
    },
  },
  rewrite_manifests: {
    parameters: [
      table,
      { name: 'use_caching', kind: 'boolean', idle: true },
      { name: 'spec_id', kind: 'whole' },
      { name: 'sort_by', kind: 'texts' },
      dry,
    ],
    columns: ints('rewritten_manifests_count', 'added_manifests_count'),
    outside: true,
    async run(given, { target, table: found, maintenance, options }) {
      const specId = number(given, 'spec_id')
      if (specId !== undefined && !found!.metadata.partitionSpecs.some((spec) => spec.specId === specId))
        throw new Failure('REQUEST_INVALID', `the table has no partition spec ${specId}`)
      const sortBy = given.get('sort_by') as string[] | undefined
      const how = { ...options, all: true, specId, sortBy, dryRun: isDry(given) }
      const { replaced, created } = await maintenance.rewriteManifests(target, how)
      return [[replaced, created]]
    },
  },
  rewrite_position_delete_files: {
    parameters: [table, { name: 'options', kind: 'options' }, { name: 'where', kind: 'text' }, dry],
    columns: [
      ...ints('rewritten_delete_files_count', 'added_delete_files_count'),
      ...bigints('rewritten_bytes_count', 'added_bytes_count'),
    ],
    outside: true,
    async run(given, { target, table: found, maintenance, options, filesWith }) {
      const { all } = rewriteOptions(given, found!.metadata)
      const done = await maintenance.rewriteDeleteFiles(target, {
        ...options,
        all: all === true,
        dryRun: isDry(given),
        only: given.has('where') ? await filesWith(withoutBackticks(text(given, 'where'))) : undefined,
      })
      return [[done.filesBefore, done.filesAfter, done.bytesBefore, done.bytesAfter]]
    },
  },
  register_table: {
    parameters: [table, { name: 'metadata_file', kind: 'text', required: true }],
    columns: bigints('current_snapshot_id', 'total_records_count', 'total_data_files_count'),
    makes: true,
    outside: true,
    async run(given, { target, register }) {
      const { metadata } = await register(target, text(given, 'metadata_file'))
      const summary = snapshotAsOf(metadata)?.summary
      const total = (name: string) => (summary?.[name] === undefined ? null : Number(summary[name]))
      return [[shown(metadata.currentSnapshotId), total('total-records'), total('total-data-files')]]
    },
  },
  add_files: {
    parameters: [
      table,
      { name: 'source_table', kind: 'text' },
      { name: 'partition_filter', kind: 'options' },
      { name: 'check_duplicate_files', kind: 'boolean' },
      { name: 'parallelism', kind: 'whole', idle: true },
      { name: 'files', kind: 'texts' },
    ],
    columns: bigints('added_files_count', 'changed_partition_count'),
    makes: true,
    async run(given, { target, changes }) {
      // Spark names files as a table: `parquet`.`/path/of/file.parquet`.
      const source = /^`?parquet`?\.`(.+)`$/i.exec(String(given.get('source_table') ?? ''))?.[1]
      const paths = [...((given.get('files') as string[] | undefined) ?? []), ...(source === undefined ? [] : [source])]
      if (paths.length === 0)
        throw new Failure('REQUEST_INVALID', "add_files needs files => ['…'] or source_table => '`parquet`.`…`'")
      const { filesWritten } = await changes.addFiles(
        target,
        paths.map((path) => located(path)!),
        {
          partition: given.get('partition_filter') as Record<string, string> | undefined,
          mayRepeat: given.get('check_duplicate_files') === false,
        },
      )
      const { metadata } = (await changes.load(target)) as LoadedTable
      const changed = snapshotAsOf(metadata)?.summary['changed-partition-count']
      return [[filesWritten, changed === undefined ? null : Number(changed)]]
    },
  },
}

/** Spark's paths may be those of this disk. */
const located = (path: string | undefined) => (path?.startsWith('/') ? fileLocation(path) : path)

/** Nothing: as the table says. */
function orderFor(given: Arguments, metadata: TableMetadata): { sortedBy?: Ordering[]; curve?: string[] } {
  const [strategy, written] = [
    given.get('strategy') as string | undefined,
    given.get('sort_order') as string | undefined,
  ]
  const kind = strategy?.toLowerCase() ?? (written === undefined ? 'binpack' : 'sort')
  if (kind !== 'binpack' && kind !== 'sort')
    throw new Failure('REQUEST_INVALID', `the strategy is binpack or sort, found ${strategy}`)
  if (written === undefined) {
    if (kind === 'sort' && defaultSortOrder(metadata).fields.length === 0)
      throw new Failure('REQUEST_INVALID', 'the table has no order of its own: sort_order must say one')
    return {}
  }
  if (kind === 'binpack') throw new Failure('REQUEST_INVALID', 'the strategy binpack takes no sort_order')
  const curve = curveOf(withoutBackticks(written))
  // Both fail for what the table has not, also where there is nothing to sort.
  if (curve) {
    curveColumns(currentSchema(metadata), curve)
    return { curve }
  }
  const fields = orderingsOf(withoutBackticks(written))
  replaceSortOrder(metadata, fields)
  return { sortedBy: fields }
}

const sizes = {
  'target-file-size-bytes': 'targetBytes',
  'min-file-size-bytes': 'minBytes',
  'max-file-size-bytes': 'maxBytes',
  'min-input-files': 'minInputFiles',
  'max-file-group-size-bytes': 'maxGroupBytes',
  'delete-file-threshold': 'deleteFileThreshold',
  'delete-ratio-threshold': 'deleteRatioThreshold',
} as const
/** Options that are idle, as parameters may be. */
const idleOptions =
  /^(partial-progress\.|max-concurrent-|use-starting-sequence-number|rewrite-job-order|remove-dangling-deletes|shuffle-partitions-per-file|compression-factor)/

function rewriteOptions(given: Arguments, { defaultSpecId }: TableMetadata) {
  const result: Record<string, number | boolean> = {}
  for (const [name, value] of Object.entries((given.get('options') as Record<string, unknown> | undefined) ?? {})) {
    if (name === 'rewrite-all') result['all'] = String(value) === 'true'
    else if (name === 'output-spec-id') {
      if (Number(value) !== defaultSpecId)
        throw new Failure(
          'SQL_UNSUPPORTED',
          `files are written by the table's partition spec, which is ${defaultSpecId}`,
        )
    } else if (name in sizes) {
      const size = Number(value)
      if (!Number.isFinite(size) || size < 0)
        throw new Failure('REQUEST_INVALID', `${name} is no number: ${String(value)}`)
      result[sizes[name as keyof typeof sizes]] = size
    } else if (!idleOptions.test(name))
      throw new Failure('REQUEST_INVALID', `there is no option ${name}${didYouMean(name, Object.keys(sizes))}`)
  }
  return result
}

/** What Spark has besides, and what does it here. */
const spelledOtherwise: Readonly<Record<string, string>> = {
  create_changelog_view: "SELECT … FROM table_changes('ns.t', from, to) reads what a changelog view holds.",
  snapshot: 'boathouse env create makes a copy of all tables that shares their files.',
  migrate: 'add_files takes the files of a folder as they lie.',
  compute_table_stats: 'Sketches of distinct values are not made here; those of others are kept.',
  compute_partition_stats: 'The metadata table partitions computes them when it is read.',
  rewrite_table_path: 'A table that was moved is copied: CREATE TABLE … AS SELECT.',
}

/** A call whose procedure and arguments exist, and are of their types. */
export type CheckedCall = { procedure: Procedure; table: string; given: Arguments }

/** `rows` evaluates a SELECT of constants. @throws NOT_FOUND, SQL_INVALID with a place */
export async function checkCall(
  { procedure: name, given, start }: Call,
  at: (index: number) => Place,
  rows: (text: Composed) => Promise<unknown[][]>,
): Promise<CheckedCall> {
  const procedure = Object.hasOwn(procedures, name) ? procedures[name]! : undefined
  if (!procedure) {
    const instead = spelledOtherwise[name]
    const known = instead === undefined ? Object.keys(procedures).sort() : []
    throw new Failure('SQL_INVALID', `there is no procedure ${name}${didYouMean(name, known, 0)}`, {
      place: at(start),
      suggestions: suggest(name, known),
      hint: instead ?? `There are ${known.join(', ')}.`,
    })
  }
  const invalid = (message: string, index = start) => new Failure('SQL_INVALID', message, { place: at(index) })
  const { parameters } = procedure
  const known = parameters.map((one) => one.name)
  const chosen = new Map<Parameter, Call['given'][number]>()
  for (const [index, argument] of given.entries()) {
    const isPositional = argument.name === undefined
    if (isPositional && given.slice(0, index).some((one) => one.name !== undefined))
      throw invalid('an argument without a name comes before those with one', argument.value.start)
    const parameter = isPositional ? parameters[index] : parameters.find((one) => one.name === argument.name)
    if (!parameter)
      throw invalid(
        isPositional
          ? `${name} has ${parameters.length} arguments`
          : `${name} has no argument ${argument.name}${didYouMean(argument.name!, known)}`,
        argument.value.start,
      )
    if (chosen.has(parameter)) throw invalid(`the argument ${parameter.name} is given twice`, argument.value.start)
    chosen.set(parameter, argument)
  }
  const lacking = parameters.find((one) => one.required && !chosen.has(one))
  if (lacking) throw invalid(`${name} needs the argument ${lacking.name}`)
  const pairs = [...chosen]
  const asked = Composed.join(
    pairs.map(([{ kind }, { value }]) => valueSql[kind](compose`(${value})`)),
    ', ',
  )
  const [values = []] = await rows(compose`SELECT ${asked}`)
  const read = new Map(
    pairs.flatMap(([{ name: key, kind }], index): [string, unknown][] => {
      const value = values[index]
      if (value === null || value === undefined) return []
      const isJson = kind === 'ids' || kind === 'options' || kind === 'texts'
      return [[key, isJson ? JSON.parse(String(value)) : value]]
    }),
  )
  if (parameters.some((one) => one.required && !read.has(one.name)))
    throw invalid(`an argument that ${name} needs is null`)
  return { procedure, table: withoutBackticks(text(read, 'table')), given: read }
}

/** How a value of each kind is asked for. */
const valueSql: Record<Kind, (value: Composed) => Composed> = {
  text: (value) => compose`CAST(${value} AS VARCHAR)`,
  id: (value) => compose`CAST(CAST(${value} AS BIGINT) AS VARCHAR)`,
  ids: (value) => compose`CAST(to_json(CAST(CAST(${value} AS BIGINT[]) AS VARCHAR[])) AS VARCHAR)`,
  time: (value) => compose`CAST(epoch_ms(CAST(${value} AS TIMESTAMPTZ)) AS VARCHAR)`,
  boolean: (value) => compose`CAST(${value} AS BOOLEAN)`,
  whole: (value) => compose`CAST(${value} AS INTEGER)`,
  options: (value) => compose`CAST(to_json(${value}) AS VARCHAR)`,
  texts: (value) => compose`CAST(to_json(CAST(${value} AS VARCHAR[])) AS VARCHAR)`,
}

/** What a procedure answers; nothing where there is none of that name. */
export const columnsOfProcedure = (name: string): readonly Column[] =>
  Object.hasOwn(procedures, name) ? procedures[name]!.columns : []

/** @throws TABLE_NOT_FOUND */
export async function runProcedure(
  { procedure, given }: CheckedCall,
  context: Omit<ProcedureContext, 'table'>,
): Promise<{ columns: Column[]; rows: unknown[][]; notices: string[] }> {
  const { target, changes } = context
  const found = await changes.load(target)
  if (found?.kind === 'view') throw new Failure('SQL_INVALID', `${showName(target)} is a view and has no files`)
  if (!found && !procedure.makes) throw new Failure('TABLE_NOT_FOUND', `there is no table ${showName(target)}`)
  const rows = await procedure.run(given, { ...context, target: found?.name ?? target, table: found })
  return { columns: [...procedure.columns], rows, notices: idleOf(procedure, given) }
}

function idleOf({ parameters }: Procedure, given: Arguments): string[] {
  const options = Object.keys((given.get('options') as Record<string, unknown> | undefined) ?? {})
  const idle = [
    ...parameters.filter(({ name, idle }) => idle && given.has(name)).map(({ name }) => `the argument ${name}`),
    ...options.filter((name) => idleOptions.test(name)).map((name) => `the option ${name}`),
  ]
  return idle.map((what) => `${what} has no effect here`)
}
