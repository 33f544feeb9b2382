// Texts of a project as the lake takes them: its functions written out, tables in the place of files.

import { filesAsTables } from './files.ts'
import { functionsWrittenOut } from './functions.ts'
import type { Work } from '../work.ts'

type Running = Omit<Work, 'changes'> & { changes?: Work['changes'] | undefined }

export const runnable = async (sql: string, work: Running): Promise<string> =>
  filesAsTables(await functionsWrittenOut(sql, work), work)

/** The same work, whose statements may call functions and name files. */
export function running<One extends Running>(work: One): One {
  const { lake } = work
  return {
    ...work,
    lake: {
      ...lake,
      query: async (sql, options) => lake.query(await runnable(sql, work), options),
      bind: async (sql, options) => lake.bind(await runnable(sql, work), options),
      relations: (...given) => lake.relations(...given),
    },
  }
}
