// What a template asks of whoever renders it: names, configs, and the database.

import type { Answer } from './agate.ts'
import type { Config, DbtMacro } from './types.ts'

/** What a template asks the database, or has it do. */
export type DatabaseRequest =
  | { kind: 'query'; sql: string }
  /** Columns of a query. */
  | { kind: 'describe'; sql: string }
  /** Something is changed, and no answer is waited for: it is done before the next question, or at the end. */
  | { kind: 'statement'; sql: string }
  /** The file of the seed whose template it is becomes its table. */
  | { kind: 'seed' }
  /** What there is in a schema. */
  | { kind: 'relations'; database: string | null; schema: string }
  | { kind: 'columns'; database: string | null; schema: string | null; identifier: string }
  | { kind: 'relation'; database: string | null; schema: string | null; identifier: string }

export type DatabaseAnswer =
  | { kind: 'query'; answer: Answer }
  | { kind: 'statement' }
  | { kind: 'relations'; relations: readonly { name: string; type: 'table' | 'view' }[] }
  | { kind: 'columns'; columns: readonly { name: string; type: string }[] }
  | { kind: 'relation'; found: 'table' | 'view' | undefined }

export type Session = {
  execute: boolean
  ref(name: string, packageName: string | undefined, version: string | undefined, isVersionText: boolean): unknown
  source(source: string, table: string): unknown
  /** `function('name')`, which is called then. */
  func(name: string, packageName: string | undefined): unknown
  /** `metric('name')`, of which a template may ask everything. */
  metric(name: string, packageName: string | undefined): unknown
  /** `config(…)` in the file. */
  configure(values: Config): void
  /** `config.get(name)`; undefined when there is none. */
  config(name: string): unknown
  /** Told of each macro that the text itself calls, and not another macro. */
  called?(macro: DbtMacro): void
  /** Answers, or throws a Suspend until the answer is there. */
  ask(request: DatabaseRequest): DatabaseAnswer
  /** For the filter `random`: the same numbers each time that a template is rendered again for an answer. */
  random?(): number
}
