// What comes out otherwise in one version of a project than in another although neither its own file nor a macro says so:
// by the value of a variable, a macro of a package, the rows of a seed that is too large for `state:modified`, a file.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../base/failure.ts'
import type { Lake } from '../lake/index.ts'
import { isTable, type DbtNode, type DbtProject } from '../project/dbt/index.ts'
import { Compiler } from './compile.ts'
import { filesNamed } from './materializations/files.ts'
import { hooksSent } from './materializations/hooks.ts'
import { asker } from './materializations/scope.ts'
import { queryOptions, type Work } from './work.ts'

type Reading = { lake: Pick<Lake, 'query' | 'bind' | 'relations'>; principal: Work['principal']; signal?: AbortSignal }

/** Unique ids of nodes that are in both. What cannot be compiled in one of them is left out. */
export async function remadeNodes(before: DbtProject, after: DbtProject, reading: Reading): Promise<string[]> {
  const found: string[] = []
  for (const node of after.nodes.values()) {
    const old = before.nodes.get(node.uniqueId)
    if (!old || !isTable(node)) continue
    const [was, is] = [await madeOf(old, before, reading), await madeOf(node, after, reading)]
    if (was !== undefined && is !== undefined && was !== is) found.push(node.uniqueId)
  }
  return found
}

/** A hash of what a node is made of: its SQL, what its hooks send, the files that these name; undefined where nobody can tell. */
async function madeOf(node: DbtNode, project: DbtProject, reading: Reading): Promise<string | undefined> {
  const work = { project, ...reading }
  const ask = asker({ ...work, changes: undefined }, queryOptions(work))
  const compiler = new Compiler(project, ask)
  try {
    const hooks = JSON.stringify(await hooksSent(node, project, ask))
    if (node.kind === 'seed') return hashOf(hooks, await readFile(join(project.dir, node.file)))
    const { sql } = await compiler.compile(node)
    const files = await filesNamed(sql, project.dir)
    const contents = await Promise.all(files.map(async ({ path }) => hashOf(await readFile(path))))
    return hashOf(hooks, sql, ...files.map(({ name }) => name), ...contents)
  } catch (error) {
    if (error instanceof Failure || (error as { code?: string }).code === 'ENOENT') return undefined
    throw error
  }
}

const hashOf = (...parts: (string | Uint8Array)[]): string =>
  parts.reduce((hash, part) => hash.update(part).update('\u0000'), createHash('sha256')).digest('hex')
