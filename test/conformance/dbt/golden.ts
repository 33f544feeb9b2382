// What dbt-core made of a project: a file that `golden.py` wrote, or the shorter form of it that only has hashes of SQL.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'

export type Golden = {
  /** What each node is built upon, by unique id. */
  parents: Map<string, string[]>
  /** Status of every node that ran, in dbt's words. */
  statuses: Map<string, string>
  /** Hashes of compiled SQL (see `hashOf`), by unique id. */
  compiled: Map<string, string>
  /** The SQL itself, where the file has it. */
  sql: Map<string, string>
  tables: string[]
}

type File = {
  nodes: Record<string, { parents?: string[] }>
  parent_map?: Record<string, string[]>
  results: { id: string; status: string }[]
  compiled?: Record<string, string>
  compiled_sha256?: Record<string, string>
  tables: Record<string, unknown>
}

export function readGolden(path: string): Golden {
  const file = JSON.parse(readFileSync(path, 'utf8')) as File
  const sql = new Map(Object.entries(file.compiled ?? {}))
  const parentsOf = (id: string) => file.nodes[id]!.parents ?? file.parent_map?.[id] ?? []
  return {
    parents: new Map(Object.keys(file.nodes).map((id) => [id, [...new Set(parentsOf(id))].sort()])),
    statuses: new Map(file.results.map(({ id, status }) => [id, status])),
    compiled: new Map([
      ...Object.entries(file.compiled_sha256 ?? {}),
      ...Array.from(sql, ([id, text]) => [id, hashOf(text)] as const),
    ]),
    sql,
    tables: Object.keys(file.tables),
  }
}

/** White space collapsed, then the first 16 digits of SHA-256: what compare.py compares. */
export const hashOf = (sql: string): string =>
  createHash('sha256').update(sql.replace(/\s+/g, ' ').trim()).digest('hex').slice(0, 16)

/** Has dbt-core build the project, with the Python that it is installed for. Minutes. */
export function makeGolden(project: string, to: string, { python, lab }: { python: string; lab: string }): void {
  if (!existsSync(`${lab}/golden.py`)) throw new Error(`there is no golden.py in ${lab}`)
  execFileSync(python, [`${lab}/golden.py`, project, to, '--runs', '1', '--threads', '2'], { stdio: 'inherit' })
}
