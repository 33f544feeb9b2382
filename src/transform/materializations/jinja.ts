// Materialisation by a template: the project's own, or dbt's where one of its macros is overridden or SQL is all there is
// to it (incremental models, snapshots).

import { Failure } from '../../base/failure.ts'
import { Dict, str, type Callable } from '../../jinja/index.ts'
import {
  nodeDict,
  ResultTable,
  withForeignTables,
  type DbtMacro,
  type DbtNode,
  type DbtProject,
} from '../../project/dbt/index.ts'
import { type Compiled, type Compiler, subjectOf, type Names, type Subject } from '../compile.ts'
import { hookDicts } from './hooks.ts'

/** Runs the template. Answers the relations that it says it has made. `batch`: of a microbatch model. */
export async function runMaterialization(
  node: DbtNode,
  macro: DbtMacro,
  {
    compiler,
    compiled,
    batch,
    names: more,
  }: { compiler: Compiler; compiled: Compiled | undefined; batch?: Dict; names?: Names },
): Promise<string[]> {
  const { subject, names } = materializing(compiler.project, node, compiled?.sql ?? '', batch, more)
  return compiler.run(
    subject,
    ({ macros }) => relationsOf((macros.bind(macro) as Callable)([], {}), macro, node),
    names,
  )
}

/** Runs the template of a test. Answers what its statement `main` has counted. */
export async function runJudgement(
  node: DbtNode,
  macro: DbtMacro,
  { compiler, compiled }: { compiler: Compiler; compiled: Compiled },
): Promise<{ columns: number; rows: unknown[][] }> {
  const { subject, names } = materializing(compiler.project, node, compiled.sql)
  return compiler.run(
    subject,
    ({ macros, globals }) => {
      ;(macros.bind(macro) as Callable)([], {})
      const result = (globals.get('load_result') as Callable)(['main'], {})
      const table = result instanceof Dict ? result.get('table') : undefined
      if (table instanceof ResultTable)
        return { columns: table.names.length, rows: table.rows.map((row) => [...row.values]) }
      throw new Failure('MODEL_INVALID', `${macro.name} counts nothing: it sends no statement called "main"`, {
        place: node.place,
      })
    },
    names,
  )
}

function materializing(
  project: DbtProject,
  node: DbtNode,
  sql: string,
  batch?: Dict,
  more?: Names,
): { subject: Subject; names: Names } {
  const model = () => {
    const dict = new Dict(nodeDict(withForeignTables(project, node)).entries())
    for (const [key, value] of [
      ['compiled', true],
      ['compiled_code', sql],
      ['compiled_sql', sql],
      ['language', 'sql'],
      ...(batch ? [['batch', batch]] : []),
    ] as [string, unknown][])
      dict.set(key, value)
    return dict
  }
  const names: Names = {
    sql,
    compiled_code: sql,
    pre_hooks: hookDicts(node.hooks.pre),
    post_hooks: hookDicts(node.hooks.post),
    ...more,
  }
  return { subject: { ...subjectOf(node), model, dependsOn: undefined }, names }
}

function relationsOf(answer: unknown, macro: DbtMacro, node: DbtNode): string[] {
  const relations = answer instanceof Dict ? answer.get('relations') : undefined
  if (Array.isArray(relations)) return relations.map(str)
  throw new Failure(
    'MODEL_INVALID',
    `The materialization ("${macro.name}") did not explicitly return a list of relations to add to the cache.`,
    { place: node.place, hint: "End it with {{ return({'relations': [target_relation]}) }}." },
  )
}
