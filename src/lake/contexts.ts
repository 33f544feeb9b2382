// What statements need of the open lake to be carried out, with the rights and the moment of whoever asks.

import { Failure, type Place } from '../base/failure.ts'
import { showBytes } from '../base/units.ts'
import { noSequence, showName, type TableName } from '../catalog/index.ts'
import type { Chunk } from '../engine/index.ts'
import { authorise, authoriseTable, decide, mayKnow, seesAll, type Privilege } from '../govern/index.ts'
import { collect } from './answers/answer.ts'
import { timeLimit } from './answers/limits.ts'
import type { ChangeSet } from './write/change-set.ts'
import type { CommandContext } from './commands.ts'
import type { Asking, Opened, QueryResult } from './lake.ts'
import { asFirstRead } from './first-read.ts'
import { resolveName } from './names.ts'
import { located, type PerformContext, type Told } from './write/perform-context.ts'
import { takeOf } from './sequences.ts'
import { leastOf, mostOf, numberedFields, ownSequence, type NumberedField } from './write/numbered.ts'
import { checkOfRow } from './write/row-checks.ts'
import { isTemporary } from './write/run-names.ts'
import { authoriseChange, rightsOf } from './policy/rights.ts'

/** What a statement about the lake needs. */
export function commandContext(options: Asking, at: (index: number) => Place, opened: Opened): CommandContext {
  const { deps, policyNow, environmentOf } = opened
  const { engine, io, tables, limits, clock } = deps
  const { principal, catalog, signal, within } = options
  const asking: Asking = { ...partOf(options), cache: false }
  const load = (name: TableName) => (options.changes ?? within?.changes ?? within?.tables ?? tables).load(name)
  const maySeeAll = async (names: readonly TableName[]) => {
    const rights = await rightsOf(principal, deps.access)
    const hidden = names.find((name) => !seesAll(rights.select(name)))
    if (!hidden) return
    // It may lie in a view.
    const what = rights.knows(hidden) ? showName(hidden) : 'what it reads'
    throw new Failure('FORBIDDEN', `${principal.name} does not see all of ${what}`)
  }
  return {
    maintenance: deps.maintenance,
    grants: deps.grants,
    register: deps.register,
    copyDirectories: deps.copyDirectories,
    engine,
    io,
    principal,
    catalog,
    signal,
    at,
    isWithin: within !== undefined || options.changes !== undefined,
    timeoutMs: timeLimit(options, limits),
    nowMs: clock.now(),
    resolve: (name) => resolveName(name, options),
    sequences: deps.sequences,
    mayChange: (privilege, name) => mayChange(privilege, name, options, opened),
    isThere: async (name) => (await load(name)) !== undefined,
    readBy: async ({ catalog, namespace, name }) => {
      const all = await opened.listAll(catalog, within?.tables ?? tables, options.changes ?? within?.changes)
      const reads = ({ sequence = [] }: NumberedField) => sequence[0] === namespace && sequence[1] === name
      const found = all.find((one) => one.kind === 'table' && numberedFields(one.metadata).some(reads))
      if (!found) return undefined
      return mayKnow(await policyNow(), principal, found.name) ? showName(found.name) : 'a table that you may not know'
    },
    undo: (work) => void within?.undone.push(work),
    loadWhole: async (name) => {
      await maySeeAll([name])
      return load(name)
    },
    maySeeAll: (loaded) => maySeeAll(loaded.map(({ name }) => name)),
    mayMaintain: async (name) => {
      authoriseChange(await policyNow(), principal, ['maintain'], name, {
        ...environmentOf(name.catalog, isNamed(name.catalog, options)),
        whole: true,
      })
    },
    mayUseFiles: () => authorise(principal, 'create', { kind: 'source', name: 'of files outside of the lake' }),
    evaluate: async (text) =>
      located(text, at, (async () => (await collect(await opened.query(text.sql, asking))).rows)()),
    prepare: async (text) => {
      const prepared = await opened.prepare(text, asking)
      if (!prepared) throw new Failure('SQL_INVALID', 'a SELECT is needed here', { place: at(0) })
      return prepared
    },
    changing: (target, work) =>
      changing(target, options, opened, at, async (changes) => {
        const done = await work(changes)
        return { done, changed: (await changes.pending()).length > 0 }
      }),
  }
}

/** The table that a statement is about, and its branch where that is named. */
export type Meant = { target: TableName; branch?: string }

/** @throws FORBIDDEN */
export const mayChange = async (
  privilege: Privilege,
  name: TableName,
  options: Asking,
  { policyNow, environmentOf }: Pick<Opened, 'policyNow' | 'environmentOf'>,
): Promise<void> =>
  authoriseChange(
    await policyNow(),
    options.principal,
    [privilege],
    name,
    environmentOf(name.catalog, isNamed(name.catalog, options)),
  )

/** What a statement needs to be carried out in these changes. */
export function performContext(
  changes: ChangeSet,
  options: Asking,
  at: (index: number) => Place,
  { deps, manifests, query, bind, relations, prepare, answer, policyNow, environmentOf }: Opened,
  { target, branch }: Meant,
): PerformContext {
  const { namespace, signal, timeoutMs, timeZone, principal, aliases, temporary, scratch, readAs, toldTo } = options
  const asking: Asking = { ...partOf(options), changes, cache: false }
  const guarded =
    <Done>(action: 'create' | 'alter' | 'drop', work: (catalog: string, name: string) => Promise<Done>) =>
    async (catalog: string, name: string) => {
      const { environment } = environmentOf(catalog, isNamed(catalog, options))
      authoriseTable(await policyNow(), principal, action, { catalog, namespace: name }, environment)
      return work(catalog, name)
    }
  const names = {
    ...(namespace === undefined ? {} : { namespace }),
    ...(signal ? { signal } : {}),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(timeZone === undefined ? {} : { timeZone }),
    aliases,
    temporary,
    scratch,
    readAs,
  }
  return {
    changes,
    at,
    postgres: options.door === 'pgwire',
    run: options.door === 'run',
    options: { ...names, ...options.about?.(target), branch },
    resolve: (name) => resolveName(name, options),
    bind: (sql) => bind(sql, asking),
    checkOfRow: (condition, fields) => checkOfRow([condition], target, fields, { engine: deps.engine, signal }),
    relations: ({ catalog, namespace }) => relations({ catalog, namespace }, asking),
    rows: async (sql) => (await collect(await query(sql, asking))).rows,
    tell: async (sql, told) => {
      const asked: Asking = { ...options, changes, cache: false, told }
      const prepared = await prepare(sql, asked)
      if (!prepared) throw new Failure('SQL_INVALID', 'RETURNING takes a list as SELECT does', { place: at(0) })
      if (told.rows === undefined) return void (await prepared.columns())
      if (toldTo && scratch) {
        await scratch.replaceTable(toldTo, sql, { ...names, told })
        return { columns: [], chunks: [] }
      }
      return toldWhole(await answer(prepared, asked))
    },
    async seesPart(of) {
      if (isTemporary(of)) return false
      const seen = decide(await policyNow(), principal, 'select', of)
      return seen.verdict === 'allowed' && !seesAll(seen)
    },
    async sequence(written) {
      const name = resolveName(written, options)
      const found = mayKnow(await policyNow(), principal, name) ? await deps.sequences?.find(name) : undefined
      if (!found || name.catalog !== target.catalog) throw noSequence(name)
      // Whoever adds rows then takes its numbers without a right of their own.
      await mayChange('insert', name, options, { policyNow, environmentOf })
      if (found.sequence.increment !== 1n)
        throw new Failure('SQL_UNSUPPORTED', `a column that is numbered by steps of ${found.sequence.increment}`, {
          hint: 'Write nextval(…) among the values that are inserted.',
        })
      return [name.namespace, name.name]
    },
    async takeNumbers({ name, metadata }, { field, from, sequence }, count) {
      if (sequence && deps.sequences) {
        const named = { catalog: name.catalog, namespace: sequence[0]!, name: sequence[1]! }
        const { first } = await takeOf(deps.sequences, named, count)
        options.onNumber?.(named, first + count - 1n)
        return first
      }
      const own = { ...name, name: ownSequence(name.name, field.name) }
      const least = await leastOf({ field, from }, metadata, deps.io, { signal, manifests })
      const wanted = { least, most: mostOf(field), count, called: own.name }
      // Nobody else writes a temporary table.
      const isOwn = isTemporary(name) || !deps.takeNumbers
      const first = isOwn
        ? least
        : await deps.takeNumbers!({ tableUuid: metadata.tableUuid, fieldId: field.id }, wanted)
      if (count > 0n) options.onNumber?.(own, first + count - 1n)
      return first
    },
    createNamespace: guarded('create', deps.createNamespace),
    dropNamespace: (catalog, namespace, cascade) =>
      guarded('drop', async () => {
        if (cascade) await deps.sequences?.dropAll({ catalog, namespace })
        return deps.dropNamespace(catalog, namespace)
      })(catalog, namespace),
    commentNamespace: (catalog, namespace, comment) =>
      guarded('alter', async () => {
        const change = comment === undefined ? { set: {}, remove: ['comment'] } : { set: { comment }, remove: [] }
        await deps.updateNamespace(catalog, namespace, change)
      })(catalog, namespace),
  }
}

/** All of an answer: what cannot be told is found before anything is kept. */
async function toldWhole(result: QueryResult): Promise<Told> {
  const chunks: Chunk[] = []
  let [rows, bytes] = [0, 0]
  const tooLarge = (what: string) =>
    new Failure('QUERY_TOO_LARGE', `RETURNING gives more than ${what}, so nothing was changed`, {
      hint: 'Leave RETURNING out, or change fewer rows with one statement.',
    })
  for await (const chunk of result.chunks) {
    rows += chunk.rowCount
    bytes += chunk.bytes?.byteLength ?? chunk.json.length
    if (bytes > toldBytesMax) throw tooLarge(showBytes(toldBytesMax))
    chunks.push(chunk)
  }
  if (result.truncated()) throw tooLarge(`${rows} rows (${result.rowsSetBy ?? 'limits.query_rows'})`)
  return { columns: result.columns, chunks }
}
const toldBytesMax = 64 * 2 ** 20

/**
 * Work in the change set of a run or transaction; else in one of its own, which is published after it, and reads all tables as
 * they stood at one moment. Such work is done again where there was no such moment, or where files that it was about were
 * rewritten meanwhile: whoever wrote it sees no other rows, and nothing was told. `repeats`: and also where others wrote rows that
 * it would have had to see.
 */
export async function changing<Done>(
  catalog: string,
  options: Asking,
  opened: Pick<Opened, 'openChanges' | 'deps'>,
  at: (index: number) => Place,
  work: (changes: ChangeSet) => Promise<{ done: Done; changed: boolean }>,
  { repeats = false } = {},
): Promise<Done> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await changedOnce(catalog, options, opened, at, work)
    if ('done' in outcome) return outcome.done
    const isAgain = isOfRead(outcome.conflict) || isOfRewrite(outcome.conflict) || (repeats && isLate(outcome.conflict))
    if (attempt === attemptsMax || !isAgain) throw outcome.conflict
  }
}
const attemptsMax = 5

const moved = () =>
  new Failure('COMMIT_CONFLICT', 'a table that the statement reads was changed meanwhile', { read: true })
const isOfRead = ({ code, context }: Failure): boolean => code === 'COMMIT_CONFLICT' && context['read'] === true

const isLate = ({ code }: Failure): boolean => code === 'COMMIT_CONFLICT'

/** Whether nothing but a compaction was in the way. */
const isOfRewrite = ({ code, cause }: Failure): boolean =>
  code === 'COMMIT_CONFLICT' && cause instanceof Failure && cause.context['operation'] === 'replace'

/** `conflict`: nothing was published, and it may be done again. */
async function changedOnce<Done>(
  catalog: string,
  options: Asking,
  { openChanges, deps }: Pick<Opened, 'openChanges' | 'deps'>,
  at: (index: number) => Place,
  work: (changes: ChangeSet) => Promise<{ done: Done; changed: boolean }>,
): Promise<{ done: Done } | { conflict: Failure }> {
  const { within } = options
  const isOwn = !options.changes && !within
  const opening = () => {
    const atOnce = { tables: asFirstRead(deps.tables, moved), read: () => {} }
    return openChanges({ ...options, catalog, environmentNamed: isNamed(catalog, options), within: atOnce })
  }
  const changes = options.changes ?? (await (within?.open() ?? opening()))
  if (catalog.toLowerCase() !== changes.catalog.toLowerCase())
    throw new Failure('SQL_UNSUPPORTED', `${catalog} is another environment than the one that is being changed`, {
      hint: 'A transaction writes one environment: take another transaction for the other.',
      place: at(0),
    })
  if (!isOwn) return { done: (await work(changes)).done }
  let isPublishing = false
  try {
    const { done, changed } = await work(changes)
    isPublishing = true
    await (changed ? changes.publish() : changes.discard())
    return { done }
  } catch (error) {
    await changes.discard()
    if (error instanceof Failure && (isPublishing || isOfRead(error))) return { conflict: error }
    throw error
  }
}

/** For a SELECT that a statement needs: all of its rows, as values. */
export function partOf(options: Asking): Asking {
  const { formats: _, json: __, rowsMax: ___, ...rest } = options
  return { ...rest, isPart: true }
}

/** Whoever names one environment has not named another whose tables the statement writes. */
export const isNamed = (catalog: string, { catalog: here, environmentNamed = false }: Asking): boolean =>
  environmentNamed && catalog.toLowerCase() === here.toLowerCase()
