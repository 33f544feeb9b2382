// manifest.json and semantic_manifest.json, which `parse` writes, too: so nothing is imported here that runs a project. The others leave graph_summary.json besides.

import { join, relative } from 'node:path'
import { manifestOf, type CompiledNode, type DbtProject } from '../../../project/dbt/index.ts'
import { graphSummary, pathInTarget, semanticManifest, writeJson } from '../../../transform/index.ts'
import type { Session } from './open.ts'

/** Where manifests of ours say which catalog they are of: the database in them is the profile's word. */
export const catalogVariable = 'BOATHOUSE_CATALOG'

/** manifest.json, with the SQL of what was compiled. */
export async function writeManifest(
  session: Session,
  project: DbtProject,
  compiled: readonly { uniqueId: string; sql: string }[] = [],
): Promise<void> {
  if (!session.flags.is('write-json', true)) return
  const { dir, targetDir } = session
  const entries = compiled.flatMap(({ uniqueId, sql }) => {
    const filed = filedAs(project, uniqueId)
    if (!filed) return []
    return [
      [uniqueId, { sql, path: relative(dir, join(targetDir, pathInTarget('compiled', filed))), ctes: [] }] as [
        string,
        CompiledNode,
      ],
    ]
  })
  const manifest = manifestOf(project, { compiled: new Map(entries), generatedAt: Date.now() })
  const metadata = manifest['metadata'] as { env?: object }
  metadata.env = { ...metadata.env, [catalogVariable]: project.target.catalog }
  writeJson(join(targetDir, 'manifest.json'), manifest)
  writeJson(join(targetDir, 'semantic_manifest.json'), semanticManifest(manifest))
  if (session.verb === 'parse') return
  const { invocationId } = session
  const summary = graphSummary(manifest, project, { invocationId, isBuild: session.verb === 'build' })
  writeJson(join(targetDir, 'graph_summary.json'), summary)
}

/** Operations stand below the file that names them, as for dbt. */
export function filedAs(
  { nodes, operations }: DbtProject,
  uniqueId: string,
): Parameters<typeof pathInTarget>[1] | undefined {
  const operation = operations.get(uniqueId)
  return operation
    ? { ...operation, kind: 'operation', path: `hooks/${operation.name}.sql`, fileInPackage: 'dbt_project.yml' }
    : nodes.get(uniqueId)
}
