import type { Command } from '../command.ts'
import { publicationsList, publicationsRollback, publicationsShow } from './publications.ts'
import { query, sql } from './query.ts'
import { tableDescribe, tableHistory, tableList } from './table.ts'

export const commands: readonly Command[] = [query, sql, tableList, tableDescribe, tableHistory, publicationsList, publicationsShow, publicationsRollback]
