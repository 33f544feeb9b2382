// `table expire|compact|orphans`: what keeps tables small and quick. Without a table they go over all of the environment.

import { asFailure, Failure } from '../../base/failure.ts'
import { parseBytes, parseDurationMs, showBytes } from '../../base/units.ts'
import { showName, type TableName } from '../../catalog/index.ts'
import { assertWritable } from '../../config/index.ts'
import { authorise } from '../../govern/index.ts'
import { manifestCache } from '../../iceberg/index.ts'
import {
  openMaintenance,
  pendingMetadata,
  publishedMetadata,
  type Maintenance,
  type MaintenanceOptions,
} from '../../lake/index.ts'
import type { App } from '../app.ts'
import { noArguments, type Command, type Context, type Option } from '../command.ts'
import { counted, table as formatTable } from '../output.ts'
import { loadTable } from './table.ts'

const dryRun: Option = { type: 'boolean', about: 'Say what would be done and change nothing.' }

export const tableExpire: Command = {
  name: 'table expire',
  summary: 'Forget old snapshots and delete the files that only they have. Branches and tags keep theirs.',
  arguments: '[TABLE...]',
  options: {
    'older-than': { type: 'string', value: 'AGE', about: 'Only snapshots of this age, for example 7d. Default: 5d.' },
    keep: { type: 'string', value: 'N', about: 'At least so many snapshots of each branch stay. Default: 1.' },
    snapshot: { type: 'string', multiple: true, value: 'ID', about: 'Exactly these snapshots, whatever their age.' },
    'keep-metadata': {
      type: 'string',
      value: 'N',
      about: 'Keep so many previous metadata files, now and from now on. Default: leave them.',
    },
    'clean-unused': { type: 'boolean', about: 'Also drop schemas and partition specs that nothing uses any more.' },
    'dry-run': dryRun,
  },
  examples: ['boathouse table expire --dry-run', 'boathouse table expire raw.sales --older-than 7d --keep 10'],
  async run(context) {
    const { flags } = context
    const olderThan = age(context, 'older-than')
    const retainLast = flags.whole('keep', { min: 1, max: 1_000_000 })
    const snapshotIds = flags.list('snapshot').map(snapshotId)
    if (snapshotIds.length > 0 && (olderThan !== undefined || retainLast !== undefined || context.args.length !== 1))
      throw new Failure('USAGE', '--snapshot goes with one TABLE, and without --older-than and --keep')
    const done = await overTables(context, async (maintenance, name, options, app) => {
      const { snapshots, refs, files, filesKept } = await maintenance.expire(name, {
        ...options,
        ...(olderThan === undefined ? {} : { olderThanMs: app.clock.now() - olderThan }),
        retainLast,
        ...(snapshotIds.length > 0 && { snapshotIds, onlyGivenIds: true }),
        cleanUnused: flags.is('clean-unused'),
        keepMetadata: flags.whole('keep-metadata', { min: 1, max: 1_000_000 }),
      })
      return {
        snapshots: snapshots.map((one) => String(one.snapshotId)),
        refs,
        files,
        ...(filesKept === undefined ? {} : { filesKept }),
      }
    })
    return answer(context, done, ['table', 'snapshots', 'refs', 'data files', 'other files', ''], (one) => {
      const { data, deletes, ...rest } = one.files
      const others = Object.values(rest).reduce((sum, count) => sum + count, 0)
      const kept = one.filesKept === undefined ? '' : `no file was deleted: ${one.filesKept}`
      return [one.snapshots.length, one.refs.join(', '), data + deletes, others, kept]
    })
  },
}

const parts = ['data', 'deletes', 'manifests'] as const

export const tableCompact: Command = {
  name: 'table compact',
  summary: 'Put small files together, apply deletes, sort manifests. The rows stay the same.',
  arguments: '[TABLE...]',
  options: {
    'target-size': {
      type: 'string',
      value: 'SIZE',
      about: 'Size of a data file. Default: 512MiB, or as the table says.',
    },
    'min-files': { type: 'string', value: 'N', about: 'Fewer small files of a partition are left alone. Default: 5.' },
    'all-files': { type: 'boolean', about: 'Every data file, to sort or partition all of them as the table says now.' },
    only: { type: 'string', value: 'PART', about: 'data, deletes or manifests. Default: all three.' },
    'dry-run': dryRun,
  },
  examples: ['boathouse table compact raw.sales --dry-run', 'boathouse table compact --target-size 256MiB'],
  async run(context) {
    const { flags } = context
    const only = flags.text('only')
    if (only !== undefined && !parts.some((part) => part === only))
      throw new Failure('USAGE', `--only takes ${parts.join(', ')}, found "${only}"`)
    const sizeText = flags.text('target-size')
    const targetBytes = sizeText === undefined ? undefined : parseBytes(sizeText)
    if (sizeText !== undefined && !targetBytes)
      throw new Failure('USAGE', `--target-size takes a size like 256MiB, found "${sizeText}"`)
    const minInputFiles = flags.whole('min-files', { min: 1, max: 1_000_000 })
    const does = (part: string) => only === undefined || only === part
    const done = await overTables(context, async (maintenance, name, options) => {
      const rewrite = { ...options, targetBytes, minInputFiles, all: flags.is('all-files') }
      const data = does('data') ? await maintenance.compact(name, rewrite) : { planned: [], rewritten: [] }
      const deletes = does('deletes')
        ? await maintenance.rewriteDeleteFiles(name, options)
        : { filesBefore: 0, filesAfter: 0, dangling: 0 }
      const manifests = does('manifests')
        ? await maintenance.rewriteManifests(name, options)
        : { replaced: 0, created: 0 }
      const sum = (of: (group: (typeof data.rewritten)[number]) => number) =>
        data.rewritten.reduce((total, group) => total + of(group), 0)
      return {
        groups: data.planned.length,
        files: data.planned.reduce((total, { files }) => total + files, 0),
        bytes: data.planned.reduce((total, { bytes }) => total + bytes, 0),
        filesAfter: options.dryRun ? null : sum(({ filesAfter }) => filesAfter),
        bytesAfter: options.dryRun ? null : sum(({ bytesAfter }) => bytesAfter),
        deletes,
        manifests,
      }
    })
    return answer(context, done, ['table', 'data files', 'size', 'delete files', 'manifests'], (one) => [
      change(one.files, one.filesAfter),
      one.filesAfter === null ? showBytes(one.bytes) : change(showBytes(one.bytes), showBytes(one.bytesAfter ?? 0)),
      change(one.deletes.filesBefore, one.deletes.filesAfter),
      change(one.manifests.replaced, one.manifests.created),
    ])
  },
}

export const tableOrphans: Command = {
  name: 'table orphans',
  summary: 'Delete files of tables that nothing refers to: what crashes and given up writes left behind.',
  arguments: '[TABLE...]',
  options: {
    'older-than': {
      type: 'string',
      value: 'AGE',
      about: 'Only files of this age. Default: 3d; less than 1d needs --force.',
    },
    force: { type: 'boolean', about: 'Allow an age below 1d. Files of writes that are under way would be lost.' },
    dropped: {
      type: 'boolean',
      about: 'Files of tables and environments that were dropped more than a week ago, in the whole lake.',
    },
    'dry-run': dryRun,
  },
  examples: ['boathouse table orphans --dry-run', 'boathouse table orphans raw.sales --older-than 7d'],
  async run(context) {
    const olderThanMs = age(context, 'older-than')
    if (context.flags.is('dropped')) return dropped(context, olderThanMs)
    const done = await overTables(context, (maintenance, name, options) =>
      maintenance.removeOrphans(name, { ...options, olderThanMs, force: context.flags.is('force') }),
    )
    return answer(context, done, ['table', 'files', 'size'], ({ files, bytes }) => [files, showBytes(bytes)])
  },
}

async function dropped(context: Context, olderThanMs: number | undefined): Promise<void> {
  noArguments(context)
  const app = await context.open({ quiet: true })
  if (app.lakehouse.isExternal)
    throw new Failure('UNSUPPORTED', 'what was dropped is known where Boathouse itself keeps the names of tables')
  authorise(app.principal, 'drop', { kind: 'table', name: app.lakehouse.root })
  const { files, bytes } = await maintenanceOf(app).removeDropped({
    root: app.lakehouse.root,
    by: app.principal.name,
    olderThanMs,
    force: context.flags.is('force'),
    dryRun: context.flags.is('dry-run'),
    signal: context.signal,
  })
  const verb = context.flags.is('dry-run') ? 'would be deleted' : 'deleted'
  context.out.answer({ files, bytes }, () => `${counted(files, 'file')} ${verb}, ${showBytes(bytes)}.`)
}

const change = (before: number | string, after: number | string | null) =>
  after === null || before === after ? String(before) : `${before} → ${after}`

/** Milliseconds; USAGE when the flag is no duration. */
export function age({ flags }: Context, name: string): number | undefined {
  const text = flags.text(name)
  if (text === undefined) return undefined
  const ms = text === '0' ? 0 : parseDurationMs(text)
  if (ms === undefined) throw new Failure('USAGE', `--${name} takes an age like 7d or 12h, found "${text}"`)
  return ms
}

export function snapshotId(text: string): bigint {
  if (!/^\d{1,19}$/.test(text))
    throw new Failure('USAGE', `"${text}" is not the id of a snapshot`, {
      hint: '`boathouse table history TABLE` lists them.',
    })
  return BigInt(text)
}

export const maintenanceOf = (app: App): Maintenance =>
  openMaintenance({
    catalog: app.lakehouse.catalog,
    files: app.lakehouse.files,
    io: app.io,
    engine: app.engine,
    clock: app.clock,
    spoolDir: app.ingest.spoolDir,
    pendingMetadata: () => pendingMetadata(app.records),
    publishedMetadata: (since) => publishedMetadata(app.records, since),
    manifests: manifestCache({ bytesMax: 64 * 2 ** 20 }),
  })

/** FORBIDDEN unless the person may change the table in this environment. */
export function mayChange(app: App, name: TableName): void {
  assertWritable(app.environment)
  authorise(app.principal, 'write', { kind: 'table', name: showName(name) })
}

type Done<Result> = { table: string } & Result
type Outcome<Result> = { done: Done<Result>[]; failures: { table: string; failure: Failure }[] }

/** The tables that were named, or all; one after the other, with progress on a terminal. */
async function overTables<Result>(
  context: Context,
  work: (maintenance: Maintenance, name: TableName, options: MaintenanceOptions, app: App) => Promise<Result>,
): Promise<Outcome<Result>> {
  const app = await context.open({ quiet: true })
  const names: TableName[] =
    context.args.length > 0
      ? await Promise.all(context.args.map(async (text) => (await loadTable(app, text)).name))
      : (await app.tables.list(app.environment.catalog)).flatMap(({ name, kind }) => (kind === 'table' ? [name] : []))
  const dry = context.flags.is('dry-run')
  if (!dry) for (const name of names) mayChange(app, name)
  const maintenance = maintenanceOf(app)
  const done: Done<Result>[] = []
  const failures: { table: string; failure: Failure }[] = []
  const isShown = process.stderr.isTTY === true && !context.out.json
  for (const name of names) {
    const table = `${name.namespace}.${name.name}`
    const onProgress = (step: string, count: number, total: number | undefined) => {
      if (isShown)
        process.stderr.write(`\r\x1b[K${table}: ${count}${total === undefined ? '' : ` of ${total}`} ${step}`)
    }
    try {
      const options = { by: app.principal.name, dryRun: dry, onProgress, signal: context.signal }
      done.push({ table, ...(await work(maintenance, name, options, app)) })
    } catch (error) {
      // One table that fails keeps the work from no other.
      if (names.length === 1 || context.signal.aborted) throw error
      failures.push({ table, failure: asFailure(error) })
    } finally {
      if (isShown) process.stderr.write('\r\x1b[K')
    }
  }
  return { done, failures }
}

/**
 * The exit code: what failed of some tables is told behind what was done to the others. Of all tables one may have what is not
 * written here (variants): that is no failure of the work.
 */
function answer<Result>(
  context: Context,
  { done, failures }: Outcome<Result>,
  header: readonly string[],
  cells: (one: Done<Result>) => unknown[],
): number {
  const right = header.flatMap((name, at) => (at > 0 && name !== '' && name !== 'refs' ? [at] : []))
  const failed = failures.map(({ table, failure: { code, message } }) => ({ table, failure: { code, message } }))
  const isLeft = ({ failure }: (typeof failed)[number]) => context.args.length === 0 && failure.code === 'UNSUPPORTED'
  context.out.answer([...done, ...failed], () => {
    if (done.length + failed.length === 0) return 'There are no tables yet.'
    const dry = context.flags.is('dry-run') ? 'Nothing was changed; this is what would be:\n' : ''
    const rows = done.map((one) => [one.table, ...cells(one)])
    const told = failed.map((one) => {
      const { table, failure } = one
      return `\n${table} ${isLeft(one) ? 'is left as it is' : 'failed'}: ${failure.code}: ${failure.message}`
    })
    return `${dry}${formatTable(header, rows, { right, widthMax: 100 })}${told.join('')}`
  })
  return failed.every(isLeft) ? 0 : 1
}
