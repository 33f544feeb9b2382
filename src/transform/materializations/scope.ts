// What one node has of the run while it is worked on: its own temporary tables, what is said about its table, and who answers
// its templates. Whatever it leaves behind is swept when it ends.

import { createHash } from 'node:crypto'
import { Failure } from '../../base/failure.ts'
import { temporaryNamespace, type ChangeSet, type QueryOptions, type TableOptions } from '../../lake/index.ts'
import type { DatabaseAnswer, DatabaseRequest, DbtProject } from '../../project/dbt/index.ts'
import type { Ask } from '../compile.ts'
import { queryOptions, questionRowsMax, type Work } from '../work.ts'
import { runScript, type Sending } from './statements.ts'
import { catalogOf, type LakeName } from './target.ts'

export type Asking = Omit<Work, 'changes'> & { changes?: ChangeSet | undefined }

/** Answers what templates ask, and does what they send, through the pending changes. Without such, nothing may be changed. */
export function asker(work: Asking, options: QueryOptions = queryOptions(work), loadSeed?: () => Promise<void>): Ask {
  const { project, lake } = work
  const sending: Sending = {
    lake,
    options: { ...options, rowsMax: questionRowsMax },
    onWarning: (message) => project.options.onLog('warn', message, undefined),
  }
  return async (request) => {
    switch (request.kind) {
      case 'query':
        return { kind: 'query', answer: await runScript(request.sql, sending) }
      case 'statement':
        if (!work.changes)
          throw new Failure('SQL_UNSUPPORTED', 'this template changes the database, which compiling does not', {
            hint: 'Put it into `{% if flags.WHICH in ("run", "build") %}`, or run the model.',
          })
        await runScript(request.sql, sending)
        return { kind: 'statement' }
      case 'describe':
        return { kind: 'columns', columns: await lake.bind(request.sql.replace(/[\s;]+$/, ''), options) }
      case 'seed':
        await loadSeed?.()
        return { kind: 'statement' }
      default:
        return known(request, work, options)
    }
  }
}

/** What is there under a name, or in a schema. */
async function known(
  request: Extract<DatabaseRequest, { kind: 'relation' | 'relations' | 'columns' }>,
  { project, lake }: Asking,
  options: QueryOptions,
): Promise<DatabaseAnswer> {
  const catalog = catalogOf(project, request.database ?? project.target.database)
  if (request.kind === 'relations') {
    const found = await lake.relations({ catalog, namespace: request.schema }, options)
    return { kind: 'relations', relations: found.map(({ name, kind }) => ({ name: name.name, type: kind })) }
  }
  const { schema, identifier } = request
  const relationIn = async (namespace: string) =>
    (await lake.relations({ catalog, namespace, name: identifier }, options))[0]
  // A name alone is first of all a temporary table of the node.
  const found =
    schema === null ? ((await relationIn('')) ?? (await relationIn(project.target.schema))) : await relationIn(schema)
  if (request.kind === 'relation') return { kind: 'relation', found: found?.kind }
  if (!found) return { kind: 'columns', columns: [] }
  const parts = [request.database, schema, identifier].flatMap((part) =>
    part === null ? [] : [`"${part.replaceAll('"', '""')}"`],
  )
  return { kind: 'columns', columns: await lake.bind(`select * from ${parts.join('.')}`, options) }
}

export type Scope = {
  options: QueryOptions
  ask: Ask
  /** Takes back what the node's statements changed, as a database does with a transaction that failed. */
  takeBack(): Promise<void>
  close(): Promise<void>
}

/** `about`: what is said of a table when a statement of the node makes or changes it. */
export async function openScope(
  uniqueId: string,
  work: Work,
  {
    about,
    loadSeed,
    target,
  }: { about?: QueryOptions['about']; loadSeed?: () => Promise<void>; target?: LakeName } = {},
): Promise<Scope> {
  const temporary = temporaryNamespace(createHash('sha256').update(uniqueId).digest('hex').slice(0, 12))
  const before = await work.changes.pending()
  const touched = new Map<string, LakeName>()
  if (target)
    for (const suffix of ['', '__dbt_tmp', '__dbt_backup']) {
      const name = { ...target, name: target.name + suffix }
      touched.set(JSON.stringify(name), name)
    }
  const options: QueryOptions = {
    ...queryOptions(work),
    temporary,
    about: (name) => {
      touched.set(JSON.stringify(name), name)
      return about?.(name)
    },
  }
  let sweep: Promise<void> | undefined
  const answer = asker(work, options, loadSeed)
  return {
    options,
    async ask(request) {
      // What a killed attempt left would be in the way.
      if ('sql' in request && /\btemp(?:orary)?\b/i.test(request.sql))
        await (sweep ??= work.changes.dropTemporary(temporary))
      return answer(request)
    },
    takeBack: () => work.changes.putBack([...touched.values()], before),
    close: async () => (sweep ? work.changes.dropTemporary(temporary) : undefined),
  }
}

/** What the table of a node is said to be wherever one of its statements makes it, under whatever name it is made first. */
export const aboutTable =
  (
    project: DbtProject,
    node: { database: string; schema: string; alias: string },
    options: TableOptions,
  ): QueryOptions['about'] =>
  ({ catalog, namespace, name }) => {
    const isIts =
      catalog === catalogOf(project, node.database) &&
      namespace.toLowerCase() === node.schema.toLowerCase() &&
      [node.alias, `${node.alias}__dbt_tmp`].some((each) => each.toLowerCase() === name.toLowerCase())
    return isIts ? options : undefined
  }
