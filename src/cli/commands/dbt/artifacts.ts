// Writing what dbt leaves in target/.

import { join } from 'node:path'
import { dbtVersion, type DbtNode, type DbtProject } from '../../../project/dbt/index.ts'
import {
  inlinedIn,
  pathInTarget,
  ranSql,
  runResults,
  writeJson,
  writeWhole,
  type BatchProgress,
  type Invocation,
  type NodeResult,
} from '../../../transform/index.ts'
import { filedAs, writeManifest } from './manifest-file.ts'
import { commandOf, type Session } from './open.ts'

export const invocationOf = ({ invocationId, startedAt, context }: Session): Invocation => ({
  id: invocationId,
  startedAt,
  dbtVersion,
  env: context.env,
})

/** Variables whose names say that they are secret are not written down, nor the line that gives them. */
function withoutSecrets(vars: Readonly<Record<string, unknown>>, typed: string) {
  const shown = { vars: { ...vars }, typed }
  for (const [name, value] of Object.entries(vars)) {
    if (!/^DBT_(?:ENGINE_)?ENV_SECRET/.test(name)) continue
    shown.vars[name] = '*****'
    if (typeof value === 'string' && value !== '') shown.typed = shown.typed.replaceAll(value, '*****')
  }
  return shown
}

/** The SQL of one batch of a microbatch model, in a folder of the model's name. */
export function writeBatch({ targetDir }: Session, project: DbtProject, node: DbtNode, { name, sql }: BatchProgress) {
  if (sql === undefined) return
  const file = (kind: 'compiled' | 'run') =>
    join(targetDir, pathInTarget(kind, node).replace(/\.\w+$/, ''), `${node.name}_${name}.sql`)
  writeWhole(file('compiled'), sql)
  writeWhole(file('run'), ranSql(project, node, sql))
}

/** SQL in compiled/ and run/, manifest.json, run_results.json. */
export async function writeArtifacts(
  session: Session,
  project: DbtProject,
  results: readonly NodeResult[],
  elapsedMs: number,
  /** Whether readers see what was built: else `retry` has to build all of it again. `macro`: of run-operation. */
  { isPublished, macro }: { isPublished: boolean; macro?: string | undefined } = { isPublished: true },
): Promise<void> {
  const { targetDir, flags, verb, typed } = session
  const isTold = ({ uniqueId, status }: NodeResult) =>
    status === 'error' || project.nodes.get(uniqueId)?.config['materialized'] !== 'ephemeral'
  const compiled = results.flatMap(({ uniqueId, compiledSql }) =>
    compiledSql === undefined ? [] : [{ uniqueId, sql: compiledSql }],
  )
  for (const [id, sql] of inlinedIn(project))
    writeWhole(join(targetDir, pathInTarget('compiled', project.nodes.get(id)!)), sql)
  for (const { uniqueId, sql } of compiled) {
    const filed = filedAs(project, uniqueId)
    if (!filed) continue
    writeWhole(join(targetDir, pathInTarget('compiled', filed)), sql)
    const node = project.nodes.get(uniqueId)
    if (node && verb !== 'compile' && verb !== 'docs generate')
      writeWhole(join(targetDir, pathInTarget('run', node)), ranSql(project, node, sql))
  }
  const inlined = Array.from(inlinedIn(project), ([uniqueId, sql]) => ({ uniqueId, sql }))
  await writeManifest(session, project, [...inlined, ...compiled])
  if (!flags.is('write-json', true)) return
  const { vars, typed: line } = withoutSecrets(flags.mapping('vars'), typed)
  const given = Object.keys(vars).length > 0 ? { vars } : {}
  const args = {
    ...flags.all(),
    ...given,
    macro,
    which: commandOf(verb),
    invocation_command: line,
    published: isPublished,
  }
  writeJson(
    join(targetDir, 'run_results.json'),
    runResults(project, results.filter(isTold), invocationOf(session), { elapsedMs, args }),
  )
}
