// The statements that a project wants before and after a node: rendered when their turn comes, with the node's names.

import { Failure, type Place } from '../../base/failure.ts'
import { compileTemplate, Dict } from '../../jinja/index.ts'
import type { Context, DbtNode, DbtProject } from '../../project/dbt/index.ts'
import { type Ask, Compiler, subjectOf } from '../compile.ts'

type Hooks = DbtNode['hooks']['pre']

/** What `pre_hooks` and `post_hooks` are in a materialization. */
export const hookDicts = (hooks: Hooks): Dict[] =>
  hooks.map(({ sql, transaction }, index) => Dict.of({ sql, transaction, index }))

/** Where a text of a config stands: mistakes in it are told there. */
export const originOf = ({ file, line = 1, column = 1 }: Place) => ({ file, line, column })

/** Before a node those outside of its transaction come first, after it last, as in dbt. */
export async function runHooks(
  when: 'pre' | 'post',
  node: DbtNode,
  { compiler, ask }: { compiler: Compiler; ask: Ask },
): Promise<void> {
  const hooks = node.hooks[when]
  const [inside, outside] = [
    hooks.filter(({ transaction }) => transaction),
    hooks.filter(({ transaction }) => !transaction),
  ]
  for (const { sql, place } of when === 'pre' ? [...outside, ...inside] : [...inside, ...outside]) {
    const subject = { ...subjectOf(node), place }
    const text = await compiler.run(subject, ({ globals }) => compileTemplate(sql, originOf(place)).render(globals))
    if (text.trim() !== '') await told(place, () => ask({ kind: 'statement', sql: text }), `${when}-hook: `)
  }
}

/** Names that differ in each run, and what would show something to a person. */
const unsaid = { invocation_id: '', run_started_at: '', log: () => '', print: () => '' }

/** What the hooks of a node would send if they ran now. Nothing is changed: statements are left out, questions answered. */
export async function hooksSent(node: DbtNode, project: DbtProject, ask: Ask): Promise<string[]> {
  const hooks = [...node.hooks.pre, ...node.hooks.post]
  const sent: string[] = []
  const compiler = new Compiler(project, async (request) => {
    if (request.kind !== 'statement') return ask(request)
    sent.push(request.sql)
    return { kind: 'statement' }
  })
  for (const { sql, place } of hooks) {
    const render = ({ globals }: Context) => compileTemplate(sql, originOf(place)).render(globals)
    sent.push(await compiler.run({ ...subjectOf(node), place }, render, unsaid))
  }
  return sent
}

/** An error of the statement says where that stands, and whose it is. */
export async function told<Value>(place: Place, send: () => Promise<Value>, whose = ''): Promise<Value> {
  try {
    return await send()
  } catch (error) {
    if (!(error instanceof Failure) || error.place?.file !== undefined) throw error
    const { code, message, hint, context, cause } = error
    throw new Failure(code, `${whose}${message}`, { ...context, hint, cause, place })
  }
}
