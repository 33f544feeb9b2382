// What a template asks of whoever renders it: names, configs, and the database.

import type { Answer } from './relation.ts'
import type { Config } from './types.ts'

/** What a template asks the database while it compiles. */
export type DatabaseRequest =
  | { kind: 'query'; sql: string }
  | { kind: 'columns'; database: string | null; schema: string | null; identifier: string }
  | { kind: 'relation'; database: string | null; schema: string | null; identifier: string }

export type DatabaseAnswer =
  | { kind: 'query'; answer: Answer }
  | { kind: 'columns'; columns: readonly { name: string; type: string }[] }
  | { kind: 'relation'; found: 'table' | 'view' | undefined }

export type Session = {
  execute: boolean
  ref(name: string, packageName: string | undefined, version: string | undefined): unknown
  source(source: string, table: string): unknown
  /** `config(…)` in the file. */
  configure(values: Config): void
  /** `config.get(name)`; undefined when there is none. */
  config(name: string): unknown
  /** Answers, or throws a Suspend until the answer is there. */
  ask(request: DatabaseRequest): DatabaseAnswer
}
