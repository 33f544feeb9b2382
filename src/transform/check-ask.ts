// Answers what templates ask while a project is checked: from the columns that were bound so far, then from the lake as
// it is published. Nothing is ever changed: a template that would change something stays unchecked.

import { Failure } from '../base/failure.ts'
import type { DatabaseAnswer, DatabaseRequest, DbtNode, DbtProject } from '../project/dbt/index.ts'
import type { CheckWork, EngineColumn } from './check.ts'
import { asker } from './materializations/scope.ts'
import { queryOptions } from './work.ts'

export type ShadowAsker = {
  ask(request: DatabaseRequest): Promise<DatabaseAnswer>
  /** Why a question could not be answered: then nothing is known of what the template would have become. */
  unknown: string | undefined
  /** Why an answer may be another one when the project runs. */
  noted: string | undefined
  /** Something was left undone that the template may rely on: what fails then is no mistake for certain. */
  doubtful: boolean
}

type Shadows = CheckWork & {
  /** The table that is being made; `columns` undefined: it is not there yet. */
  self: { key: string; columns: readonly EngineColumn[] | undefined } | undefined
  given(key: string): readonly EngineColumn[] | undefined
  nodeOf(key: string): DbtNode | undefined
}

type Named = { database: string | null; schema: string | null; identifier: string }

export function shadowAsker(shadows: Shadows): ShadowAsker {
  const { project, lake, self, given, nodeOf } = shadows
  // Without changes of a run nothing can be written; what a run has pending is only read here.
  const fromLake = asker({ ...shadows, changes: undefined }, queryOptions(shadows))
  const options = queryOptions(shadows)
  const keyOf = ({ database, schema, identifier }: Named) => tableKey(project, database, schema, identifier)
  const found: ShadowAsker = { ask, unknown: undefined, noted: undefined, doubtful: false }
  return found

  async function ask(request: DatabaseRequest): Promise<DatabaseAnswer> {
    switch (request.kind) {
      case 'relation': {
        const key = keyOf(request)
        if (key === self?.key) return { kind: 'relation', found: self.columns && 'table' }
        const node = nodeOf(key)
        if (!given(key) || !node) return fromLake(request)
        return { kind: 'relation', found: node.config['materialized'] === 'view' ? 'view' : 'table' }
      }
      case 'columns': {
        const key = keyOf(request)
        if (key === self?.key) return { kind: 'columns', columns: self.columns ?? [] }
        const columns = given(key)
        if (columns) return { kind: 'columns', columns }
        const answer = await fromLake(request)
        if (!nodeOf(key)) return answer
        if (answer.kind === 'columns' && answer.columns.length === 0)
          return giveUp(`its template asks for the columns of ${request.identifier}, which is not built yet`)
        found.noted ??= `its template asks for the columns of ${request.identifier} as it is published`
        return answer
      }
      case 'query':
        return rowsNow(request)
      case 'describe':
        return { kind: 'columns', columns: await columnsNow(request.sql) }
      case 'relations':
        found.noted ??= `its template asks what there is in the schema ${request.schema}`
        return fromLake(request)
      case 'statement':
        found.noted ??= 'its template changes the database while it compiles, which the check does not do'
        found.doubtful = true
        return { kind: 'statement' }
      default:
        return giveUp('its template asks what the check cannot answer')
    }
  }

  async function columnsNow(sql: string) {
    try {
      const { columns } = await lake.outline(sql, {
        ...options,
        given: ({ catalog, namespace, name }) => given(`${catalog}.${namespace}.${name}`.toLowerCase()),
      })
      return columns
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (error.code === 'TABLE_NOT_FOUND') return giveUp(`its template reads a table that is not there yet`)
      if (/only a SELECT/.test(error.message)) return giveUp('its template runs a statement while it compiles')
      throw error
    }
  }

  /** The query must bind with what the project will be; its rows are those of what is published. */
  async function rowsNow(request: Extract<DatabaseRequest, { kind: 'query' }>): Promise<DatabaseAnswer> {
    await columnsNow(request.sql)
    try {
      const answer = await fromLake(request)
      found.noted ??= 'its template asks for rows: it was checked with those of the tables as they are published'
      return answer
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return giveUp('its template asks for rows of tables that are not built yet')
    }
  }

  function giveUp(because: string): never {
    found.unknown = because
    throw new Failure('TEMPLATE_FAILED', because)
  }
}

/** A relation by the full name of its table in the lake, in lower case. */
export function tableKey({ target }: DbtProject, database: string | null, schema: string | null, name: string): string {
  const isOwn = database === null || database.toLowerCase() === target.database.toLowerCase()
  return `${isOwn ? target.catalog : database}.${schema ?? target.schema}.${name}`.toLowerCase()
}
