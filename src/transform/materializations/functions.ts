// Functions of a project: DuckDB would keep them as macros of a database, and the lake has none that are a user's. So a text
// that calls one is written out before it runs: the call becomes a subquery over its arguments, with the function's body in
// it. Views and tables then hold what the function was when they were built, and every reader can read them.

import { Failure } from '../../base/failure.ts'
import {
  closing,
  isName,
  nameOf,
  quoteName,
  splice,
  splitAtCommas,
  tokens,
  type Edit,
  type Token,
} from '../../lake/index.ts'
import type { Config, DbtNode, DbtProject } from '../../project/dbt/index.ts'
import { Compiler } from '../compile.ts'
import { done, queryOptions, type Outcome, type Work } from '../work.ts'
import { asker } from './scope.ts'
import { macrosWrittenOut } from './sql-macros.ts'

type Calling = Omit<Work, 'changes'> & { changes?: Work['changes'] | undefined }

const depthMax = 50
const known = new WeakMap<DbtProject, ReadonlyMap<string, DbtNode>>()

/** By their dotted names in lower case. */
function functionsOf(project: DbtProject): ReadonlyMap<string, DbtNode> {
  const found =
    known.get(project) ??
    new Map(
      [...project.nodes.values()]
        .filter(({ kind }) => kind === 'function')
        .map((node) => [[node.database, node.schema, node.alias].join('.').toLowerCase(), node]),
    )
  known.set(project, found)
  return found
}

/** The text with the project's functions, and the macros of its hooks, written out where it calls them. */
export async function functionsWrittenOut(text: string, work: Calling, depth = 0): Promise<string> {
  const sql = macrosWrittenOut(text, work.changes)
  const functions = functionsOf(work.project)
  if (functions.size === 0) return sql
  const all = [...tokens(sql)]
  const edits: Edit[] = []
  for (let at = 0; at < all.length; at++) {
    const called = functionAt(all, at, functions)
    if (!called) continue
    if (depth >= depthMax)
      throw new Failure('GRAPH_CYCLE', `the function ${called.node.name} calls itself`, { place: called.node.place })
    const close = closing(all, called.open)
    const given: string[] = []
    for (const each of argumentsIn(sql, all, called.open, close))
      given.push(await functionsWrittenOut(each, work, depth + 1))
    edits.push({ start: all[at]!.start, end: all[close]!.end, text: await expanded(called.node, given, work, depth) })
    at = close
  }
  return edits.length === 0 ? sql : splice(sql, edits).text
}

/** `"shop"."main"."double_it"(` from this token on. */
function functionAt(all: readonly Token[], at: number, functions: ReadonlyMap<string, DbtNode>) {
  const called = all[at]
  if (!isName(called) || all[at - 1]?.text === '.') return undefined
  const parts = [nameOf(called)]
  let next = at + 1
  for (; all[next]?.text === '.' && isName(all[next + 1]); next += 2) parts.push(nameOf(all[next + 1]!))
  const node = all[next]?.text === '(' ? functions.get(parts.join('.').toLowerCase()) : undefined
  return node && { node, open: next }
}

function argumentsIn(sql: string, all: readonly Token[], open: number, close: number): string[] {
  if (close === open + 1) return []
  return splitAtCommas(sql.slice(all[open]!.end, all[close]!.start)).map((part) => part.trim())
}

async function expanded(node: DbtNode, given: readonly string[], work: Calling, depth: number): Promise<string> {
  checkKind(node)
  const { arguments: parameters, returns } = node.spec!
  const last = parameters.length - given.length
  if (last < 0 || parameters.slice(given.length).some(({ default_value: value }) => (value ?? null) === null))
    throw new Failure(
      'SQL_INVALID',
      `the function ${node.name} takes ${parameters.length} arguments, not ${given.length}`,
    )
  const values = parameters.map((parameter, at) => {
    const value = given[at] ?? literal(parameter['default_value'])
    // A comment that an argument ends with ends with its line.
    return `CAST(${value}\n AS ${String(parameter['data_type'])})`
  })
  const { sql } = await new Compiler(work.project, asker(work)).compile(node)
  const text = (await functionsWrittenOut(sql, work, depth + 1)).trim().replace(/[\s;]+$/, '')
  // A body is a query, or in the manner of other databases an expression alone.
  const isQuery = /^(?:select|with|from|values)$/i.test([...tokens(text)][0]?.text ?? '')
  const value = `CAST((${isQuery ? '' : 'SELECT '}${text}\n) AS ${String(returns!['data_type'])})`
  if (values.length === 0) return `(SELECT ${value})`
  // The names stand outside: a column of the caller may have that of a parameter.
  const names = parameters.map(({ name }) => quoteName(String(name)))
  return `(SELECT ${value} FROM (SELECT ${values.join(', ')}) AS ${quoteName(node.alias)}(${names.join(', ')}))`
}

const literal = (value: unknown): string =>
  typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value as number)

function checkKind({ name, language, spec, config, place }: DbtNode): void {
  const refuse = (why: string) =>
    new Failure('SQL_UNSUPPORTED', `the function ${name} ${why}; functions are scalar ones in SQL here`, { place })
  if (language !== 'sql') throw refuse(`is written in ${language}`)
  if (config['type'] !== 'scalar') throw refuse(`is of the type ${String(config['type'])}`)
  if ((spec?.overloads.length ?? 0) > 0) throw refuse('has overloads')
  const untyped = [...(spec?.arguments ?? []), spec?.returns ?? ({} as Config)].find((each) => !each['data_type'])
  if (!spec?.returns || untyped)
    throw new Failure(
      'MODEL_INVALID',
      `the function ${name} needs the data_type of its arguments and of what it returns`,
      {
        place,
        hint: 'functions: [{name: …, arguments: [{name: …, data_type: …}], returns: {data_type: …}}]',
      },
    )
}

/** A function is there once its body is known to be right. */
export async function checkFunction(node: DbtNode, compiledSql: string, work: Work): Promise<Outcome> {
  const nothing = (node.spec?.arguments ?? []).map(() => 'NULL')
  await work.lake.bind(
    `SELECT ${await expanded(node, nothing, work, 0)} AS ${quoteName(node.alias)}`,
    queryOptions(work),
  )
  return { ...done, compiledSql }
}
