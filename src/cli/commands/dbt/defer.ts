// --defer: what is not built by this command is read where the state has it.

import { recordOf } from '../../../base/record.ts'
import { Failure } from '../../../base/failure.ts'
import type { DbtNode, DbtProject } from '../../../project/dbt/index.ts'
import { readState } from '../../../transform/index.ts'
import type { App } from '../../app.ts'
import { catalogVariable } from './manifest-file.ts'
import { stateFolder, type Session } from './open.ts'

/**
 * Nodes that are read and not among `ids` get the names that they have in the state: unless this environment has them
 * and --favor-state is not said.
 */
export async function deferTo(session: Session, app: App, project: DbtProject, ids: readonly string[]): Promise<void> {
  const { flags, log, targetDir } = session
  if (!flags.is('defer')) return
  const dir = flags.text('defer-state') ?? flags.text('state')
  if (dir === undefined)
    throw new Failure('USAGE', 'there is nothing to defer to', {
      hint: 'Name the artifacts of an earlier run: --state DIR or --defer-state DIR.',
    })
  const manifest = readState(stateFolder(session, dir), targetDir).manifest()
  const entries = recordOf(manifest['nodes'])
  const catalog = recordOf(recordOf(manifest['metadata'])['env'])[catalogVariable]
  const built = new Set(ids)
  // Setting a node that is there keeps its place, so going through them meanwhile is safe.
  for (const node of project.nodes.values()) {
    const entry = recordOf(entries[node.uniqueId])
    if (built.has(node.uniqueId) || !isTable(node) || typeof entry['schema'] !== 'string') continue
    if (!flags.is('favor-state') && (await isHere(app, project, node))) continue
    const database = typeof catalog === 'string' ? catalog : String(entry['database'])
    project.nodes.set(node.uniqueId, {
      ...node,
      database,
      schema: entry['schema'],
      alias: String(entry['alias'] ?? node.alias),
    })
    log.say('debug', `deferred ${node.uniqueId} to ${database}.${entry['schema']}`)
  }
}

const isTable = ({ kind, config }: DbtNode): boolean =>
  (kind === 'model' || kind === 'seed' || kind === 'snapshot') && config['materialized'] !== 'ephemeral'

async function isHere(app: App, { target }: DbtProject, { database, schema, alias }: DbtNode): Promise<boolean> {
  const catalog = database === target.database ? target.catalog : database
  const found = await app.lake.relations({ catalog, namespace: schema, name: alias }, { principal: app.principal })
  return found.length > 0
}
