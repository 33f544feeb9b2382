// Statements about the lake rather than about rows: procedures, rights, plans, files outside of it.

import { Failure, type Place } from '../base/failure.ts'
import { didYouMean } from '../base/suggest.ts'
import { showName, type Loaded, type LoadedTable, type Sequences, type TableName } from '../catalog/index.ts'
import type { Column } from '../contract/index.ts'
import type { Chunk, Engine } from '../engine/index.ts'
import {
  grantedPrivileges,
  type Access,
  type GrantedPrivilege,
  type GrantRequest,
  type Privilege,
  type Principal,
  showPattern,
} from '../govern/index.ts'
import { propertyRows } from '../iceberg/index.ts'
import type { FileIO } from '../io/index.ts'
import type { ChangeSet } from './write/change-set.ts'
import { copyFrom, copyTo } from './copy.ts'
import { explain, explainedColumns } from './explain.ts'
import type { Maintenance } from './upkeep/maintenance.ts'
import type { Prepared } from './prepare.ts'
import { checkCall, columnsOfProcedure, runProcedure } from './upkeep/procedures.ts'
import { createText } from './relations/show-create.ts'
import { runSequenceCommand } from './sequences.ts'
import { compose, type Composed } from './sql/compose.ts'
import type { Command, Place as GrantPlace } from './sql/command.ts'
import { Reader, type WrittenName } from './sql/reader.ts'
import { quoteName, quoteText } from './sql/tokens.ts'

/** Parts that not every lake has. */
export type CommandParts = {
  maintenance?: Maintenance | undefined
  /** Where GRANT and REVOKE write. */
  grants?: Access | undefined
  /** Names a metadata file that another catalog made. */
  register?: ((name: TableName, metadataFile: string, by: string) => Promise<Loaded>) | undefined
  /** Folders of this disk that COPY may read and write. Default: none. */
  copyDirectories?: readonly string[] | undefined
}

export type CommandContext = CommandParts & {
  engine: Engine
  io: FileIO
  principal: Principal
  catalog: string
  /** Whether the statement is part of a transaction or a run. */
  isWithin: boolean
  signal: AbortSignal | undefined
  timeoutMs: number | undefined
  nowMs: number
  at(index: number): Place
  resolve(name: WrittenName): TableName
  sequences: Sequences | undefined
  /** @throws FORBIDDEN */
  mayChange(privilege: Privilege, name: TableName): Promise<void>
  isThere(name: TableName): Promise<boolean>
  readBy(name: TableName): Promise<string | undefined>
  /** What takes back what is done, if the transaction does not come to its end. */
  undo(work: () => Promise<void>): void
  /** Undefined for one that does not exist. @throws FORBIDDEN unless the asker sees all of it */
  loadWhole(name: TableName): Promise<Loaded | undefined>
  mayMaintain(name: TableName): Promise<void>
  /** Files that are not the lake's are for those who run it. */
  mayUseFiles(): void
  /** The rows of a SELECT of constants; failures have the place of the piece. */
  evaluate(text: Composed): Promise<unknown[][]>
  /** A SELECT that passed every check. */
  prepare(sql: string): Promise<Prepared>
  /** @throws FORBIDDEN unless the asker sees all of it */
  maySeeAll(loaded: readonly Loaded[]): Promise<void>
  /** Work in the change set of the statement, published after it unless it is part of more. */
  changing<Done>(catalog: string, work: (changes: ChangeSet) => Promise<Done>): Promise<Done>
}

/** `rows` of the answer, `tables` that it was about, and how many rows of them. */
export type Commanded = {
  command: string
  columns: Column[]
  rows: unknown[][]
  tables: TableName[]
  count: number | null
  /** What the asker should know of it. */
  notices?: readonly string[]
  /** In place of `rows`: the answer as an engine host wrote it. */
  chunks?: readonly Chunk[]
}

const text = (name: string): Column => ({ name, type: 'VARCHAR', nullable: true })
const counted = (command: string, count: number, tables: TableName[] = []): Commanded => ({
  command,
  columns: [{ name: 'rows', type: 'BIGINT', nullable: false }],
  rows: [[count]],
  tables,
  count,
})

/** Whoever takes away what was given another way should not believe that it is gone. */
const told = (done: Commanded, nothingGone: boolean): Commanded =>
  nothingGone
    ? { ...done, notices: ['nothing was taken away: it was not given there; SHOW GRANTS TO … says what was'] }
    : done

const kinds: ReadonlySet<string> = new Set<Command['kind']>([
  'call',
  'grant',
  'revoke',
  'grant-role',
  'revoke-role',
  'create-role',
  'drop-role',
  'show-grants',
  'show-roles',
  'show-create',
  'show-properties',
  'explain',
  'copy',
  'create-sequence',
  'alter-sequence',
  'drop-sequence',
])
export const isCommand = (statement: { kind: string }): statement is Command => kinds.has(statement.kind)

/** What a command answers, without doing it. */
export function columnsOfCommand(command: Command): readonly Column[] {
  switch (command.kind) {
    case 'call':
      return columnsOfProcedure(command.procedure)
    case 'explain':
      return explainedColumns(command)
    case 'show-grants':
      return grantColumns
    case 'show-roles':
      return roleColumns
    case 'show-create':
      return createColumns
    case 'show-properties':
      return propertyColumns
    default:
      return []
  }
}

const grantColumns = 'privilege environment namespace table columns grantee_type grantee source granted_by granted_at'
  .split(' ')
  .map(text)
const roleColumns = ['role', 'members', 'source'].map(text)
const createColumns = [text('statement')]
const propertyColumns = ['key', 'value'].map(text)

export async function runCommand(command: Command, context: CommandContext): Promise<Commanded> {
  const { grants, principal } = context
  const change = { by: principal, source: 'sql' as const }
  const rights = (): Access => {
    if (context.isWithin) throw outside('rights are')
    if (grants) return grants
    throw new Failure('SQL_UNSUPPORTED', 'rights are not kept here')
  }
  switch (command.kind) {
    case 'call':
      return called(command, context)
    case 'grant':
    case 'revoke': {
      let count = 0
      for (const request of requestsOf(command, context))
        if ((await rights()[command.kind](request, change)).changed) count++
      return told(counted(command.kind.toUpperCase(), count), command.kind === 'revoke' && count === 0)
    }
    case 'grant-role':
    case 'revoke-role': {
      let count = 0
      for (const role of command.roles) {
        const { changed } = await (command.kind === 'grant-role'
          ? rights().grantRole(role, command.who, change)
          : rights().revokeRole(role, command.who, change))
        if (changed) count++
      }
      const isGrant = command.kind === 'grant-role'
      return told(counted(isGrant ? 'GRANT ROLE' : 'REVOKE ROLE', count), !isGrant && count === 0)
    }
    case 'create-role':
    case 'drop-role': {
      const isCreate = command.kind === 'create-role'
      const mayBe = isCreate ? command.ifNotExists && 'ALREADY_EXISTS' : command.ifExists && 'NOT_FOUND'
      const work = isCreate ? rights().createRole(command.role, change) : rights().dropRole(command.role, change)
      await work.catch((error: unknown) => {
        if (!(error instanceof Failure) || error.code !== mayBe) throw error
      })
      return counted(isCreate ? 'CREATE ROLE' : 'DROP ROLE', 0)
    }
    case 'show-grants': {
      const on = command.on && patternOf({ table: command.on }, context)
      const listed = await (grants?.list(principal, {
        ...(command.of === undefined ? {} : { of: command.of }),
        ...(on === undefined ? {} : { on }),
      }) ?? [])
      return {
        command: 'SHOW',
        columns: grantColumns,
        rows: listed.map((one) => [
          one.privilege,
          one.on.environment ?? '*',
          one.on.namespace ?? '*',
          one.on.table ?? '*',
          one.columns?.join(', ') ?? null,
          one.to.kind,
          one.to.name,
          one.source,
          one.grantedBy,
          one.grantedAt,
        ]),
        tables: [],
        count: null,
      }
    }
    case 'show-roles': {
      const roles = (await grants?.roles(principal)) ?? []
      const rows = roles.map(({ role, members, source }) => [
        role,
        members.map(({ kind, name }) => `${kind}:${name}`).join(', '),
        source,
      ])
      return { command: 'SHOW', columns: roleColumns, rows, tables: [], count: null }
    }
    case 'show-create': {
      const target = context.resolve(command.name)
      const found = await context.loadWhole(target)
      // Spark's SHOW CREATE TABLE is for views, too.
      if (!found || (command.what === 'view' && found.kind !== 'view'))
        throw new Failure('TABLE_NOT_FOUND', `there is no ${command.what} ${showName(target)}`)
      return {
        command: 'SHOW',
        columns: createColumns,
        rows: [[createText(found)]],
        tables: [target],
        count: null,
      }
    }
    case 'show-properties': {
      const target = context.resolve(command.name)
      const found = await context.loadWhole(target)
      if (!found) throw new Failure('TABLE_NOT_FOUND', `there is no table or view ${showName(target)}`)
      const rows = propertyRows(found.metadata).filter(([key]) => command.key === undefined || key === command.key)
      return { command: 'SHOW', columns: propertyColumns, rows, tables: [target], count: null }
    }
    case 'explain': {
      const prepared = await context.prepare(command.select.sql)
      await context.maySeeAll(prepared.loaded)
      const explained = await explain(prepared, command, context)
      return { command: 'EXPLAIN', ...explained, tables: prepared.loaded.map(({ name }) => name), count: null }
    }
    case 'copy': {
      context.mayUseFiles()
      const { count, target } = await (command.direction === 'to'
        ? copyTo(command, context)
        : copyFrom(command, context))
      return counted('COPY', count, target ? [target] : [])
    }
    case 'create-sequence':
    case 'alter-sequence':
    case 'drop-sequence': {
      const { tag, notices } = await runSequenceCommand(command, { ...context, may: context.mayChange })
      return { ...counted(tag, 0), notices }
    }
  }
}

const outside = (what: string) =>
  new Failure('SQL_UNSUPPORTED', `${what} not part of transactions`, { hint: 'Run the statement alone.' })

async function called(command: Extract<Command, { kind: 'call' }>, context: CommandContext): Promise<Commanded> {
  const checked = await checkCall(command, context.at, context.evaluate)
  const { procedure, table } = checked
  const written = new Reader(table).name('a table')
  const target = context.resolve(
    written.length < 3 && command.catalog !== undefined && written.length === 2
      ? [command.catalog, ...written]
      : written,
  )
  if (procedure.outside && context.isWithin) throw outside(`${command.procedure} is`)
  if (procedure.makes) context.mayUseFiles()
  await context.mayMaintain(target)
  const { maintenance, register, principal } = context
  if (!maintenance) throw new Failure('SQL_UNSUPPORTED', 'tables are not maintained here')
  const done = await context.changing(target.catalog, (changes) =>
    runProcedure(checked, {
      target,
      io: context.io,
      changes,
      maintenance,
      nowMs: context.nowMs,
      options: { by: principal.name, signal: context.signal },
      register: async (name, file) => {
        const made = await register?.(name, file, principal.name)
        if (made?.kind !== 'table') throw new Failure('SQL_UNSUPPORTED', 'tables cannot be registered here')
        return made as LoadedTable
      },
      filesWith: async (condition, branch) => {
        // Of a condition that holds for no row the plan keeps no scan, and so tells of no file.
        const [[constant] = []] = await constantOf(condition, context)
        if (constant === false || constant === null) return new Set()
        const from = [target.catalog, target.namespace, target.name].map(quoteName).join('.')
        const at = branch === undefined ? '' : ` AT (VERSION => ${quoteText(branch)})`
        const { loaded, execute } = await context.prepare(`SELECT * FROM ${from}${at} WHERE ${condition}`)
        await context.maySeeAll(loaded)
        const { scans, lease } = await execute()
        lease.release()
        return new Set(scans.flatMap(({ files }) => files.map(({ path }) => path)))
      },
    }),
  )
  return { command: 'CALL', ...done, tables: [target], count: done.rows.length }
}

/** No row where the condition names columns. */
const constantOf = (condition: string, { evaluate }: CommandContext): Promise<unknown[][]> =>
  evaluate(compose`SELECT CAST((${condition}\n) AS BOOLEAN)`).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'SQL_INVALID') return []
    throw error
  })

function requestsOf(
  { kind, privileges, on, who }: Extract<Command, { kind: 'grant' | 'revoke' }>,
  context: CommandContext,
): GrantRequest[] {
  const patterns = on.map((one) => patternOf(one, context))
  const wide = patterns.find(({ namespace = '', table = '' }) => `${namespace}${table}`.includes('*'))
  if (kind === 'grant' && wide)
    throw new Failure('SQL_UNSUPPORTED', `a grant on ${showPattern(wide)} would be one on all that * stands for`, {
      hint: 'Name one table, or the schema; patterns are for `boathouse grant` and access.yml.',
    })
  return privileges.flatMap(({ name, columns, start }) => {
    const known = grantedPrivileges.find((one) => one === name.toLowerCase())
    if (!known)
      throw new Failure('SQL_INVALID', `there is no privilege ${name}${didYouMean(name, [...grantedPrivileges])}`, {
        place: context.at(start),
        hint: `Privileges are ${grantedPrivileges.join(', ')}.${/^(usage|connect)$/i.test(name) ? ' Leave it out: who may do something in a schema sees that it is there.' : ''}`,
      })
    const request = { privileges: [known as GrantedPrivilege], to: who, ...(columns && { columns }) }
    return patterns.map((pattern) => ({ ...request, on: pattern }))
  })
}

function patternOf({ environment, namespace, table }: GrantPlace, { catalog, resolve }: CommandContext) {
  if (table) {
    const target = resolve(table)
    return { environment: target.catalog, namespace: target.namespace, table: target.name }
  }
  return { environment: environment ?? catalog, ...(namespace === undefined ? {} : { namespace }) }
}
