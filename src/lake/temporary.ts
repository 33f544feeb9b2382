// The temporary tables of a session. They lie in a change set of their own, which is opened with the first of them and never
// published, so nobody else ever sees one; a transaction takes them back with everything else that it did.

import { randomUUID } from 'node:crypto'
import type { Lake, QueryOptions } from './lake.ts'
import { parseStatement } from './sql/statement.ts'
import { tokens } from './sql/tokens.ts'
import type { Within } from './transaction.ts'
import type { ChangeSet } from './write/change-set.ts'
import type { Csv } from './write/load-csv.ts'
import { temporaryNamespace, type RunNames } from './write/run-names.ts'

type Opened = { set: ChangeSet; namespace: string }
/** What the set was; undefined where there was none. */
type Mark = (() => Promise<void>) | undefined

export function openTemporary(lake: Pick<Lake, 'openScratch'>, seen: () => Within | undefined) {
  let opened: Opened | undefined
  let began: { mark: Mark } | undefined
  let savepoints: { name: string; mark: Mark }[] = []
  let goingAtCommit: string[] = []

  const markOf = async (): Promise<Mark> => opened?.set.savepoint()
  async function backTo(mark: Mark): Promise<void> {
    if (mark) await mark()
    else await close()
  }
  async function close(): Promise<void> {
    const { set, namespace } = opened ?? {}
    opened = undefined
    if (!set || namespace === undefined) return
    await set.dropTemporary(namespace)
    await set.discard()
  }
  /** Where tables of the session may be made. */
  const place = async (options: Pick<QueryOptions, 'catalog' | 'principal'>): Promise<Opened> =>
    (opened ??= { set: await lake.openScratch(options, seen), namespace: temporaryNamespace(randomUUID()) })
  function ended(): void {
    began = undefined
    savepoints = []
  }

  return {
    place,
    names: (): RunNames => (opened ? { temporary: opened.namespace, scratch: opened.set } : {}),

    /** Before a statement that makes a temporary table there is a place for it. */
    async foresee(
      sql: string,
      options: Pick<QueryOptions, 'catalog' | 'principal'>,
    ): Promise<{ goesAtCommit: boolean } | undefined> {
      const words = [...tokens(sql).take(4)].map(({ text }) => text.toLowerCase())
      if (words[0] !== 'create' || !words.some((word) => word.startsWith('temp'))) return undefined
      const statement = parseStatement(sql)
      if (!statement || !('temporary' in statement) || !statement.temporary) return undefined
      await place(options)
      const goesAtCommit = statement.kind === 'create-table' && statement.onCommitDrop
      if (goesAtCommit) goingAtCommit.push(statement.name.at(-1)!)
      return { goesAtCommit }
    },

    /** The rows of a CSV as a temporary table, which is called so until it is dropped. */
    async load(
      csv: Csv,
      options: Pick<QueryOptions, 'catalog' | 'principal' | 'signal' | 'timeoutMs'>,
    ): Promise<{ name: string; drop(): Promise<void> }> {
      const { set, namespace } = await place(options)
      const { signal, timeoutMs } = options
      const name = `copied_${randomUUID().slice(0, 8)}`
      const target = { catalog: options.catalog, namespace, name }
      const more = { ...(signal && { signal }), ...(timeoutMs !== undefined && { timeoutMs }) }
      await set.loadCsv(target, csv, { ...more, temporary: namespace })
      return { name, drop: () => set.drop(target) }
    },

    async begin() {
      began = { mark: await markOf() }
    },
    async savepoint(name: string) {
      savepoints.push({ name: name.toLowerCase(), mark: await markOf() })
    },
    async rollbackTo(name: string) {
      const at = savepoints.findLastIndex((one) => one.name === name.toLowerCase())
      savepoints.length = at + 1
      if (at >= 0) await backTo(savepoints[at]!.mark)
    },
    async rollback() {
      const before = began
      ended()
      goingAtCommit = []
      if (before) await backTo(before.mark)
    },
    async commit() {
      ended()
      const gone = goingAtCommit
      goingAtCommit = []
      const { set, namespace } = opened ?? {}
      for (const one of (await set?.pending()) ?? [])
        if (one.name.namespace === namespace && gone.some((name) => name.toLowerCase() === one.name.name.toLowerCase()))
          await set!.drop(one.name)
    },
    close,
  }
}
