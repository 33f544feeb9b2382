// `latest_version_pointer`: a view without the version in its name, over the table of the latest version of a model.

import { isRecord } from '../../base/record.ts'
import { Failure } from '../../base/failure.ts'
import { str, type Callable } from '../../jinja/index.ts'
import { behaviourFlag, nodeDict, relationNameOf, type DbtNode } from '../../project/dbt/index.ts'
import { subjectOf, type Compiler } from '../compile.ts'
import type { Work } from '../work.ts'
import { applyGrants } from './grants.ts'
import type { Scope } from './scope.ts'
import { lakeName } from './target.ts'

/** Makes the view, if the model is the latest version and wants one. @throws MODEL_INVALID where the table has that name */
export async function pointToLatest(
  node: DbtNode,
  { work, compiler, scope }: { work: Work; compiler: Compiler; scope: Scope },
): Promise<void> {
  const written = node.config['latest_version_pointer']
  const { enabled, alias } = isRecord(written) ? written : { enabled: written, alias: null }
  const isWanted =
    typeof enabled === 'boolean'
      ? enabled
      : behaviourFlag(work.project, 'latest_version_pointer_enabled_by_default') === true
  if (node.kind !== 'model' || node.version === undefined || node.version !== node.latestVersion || !isWanted) return
  const custom = alias === null || alias === undefined ? null : String(alias).trim()
  const name = await compiler.run(subjectOf(node), ({ macros }) =>
    str(
      (macros.find('generate_latest_version_pointer_alias') as Callable)(
        [custom === '' ? null : custom, nodeDict(node)],
        {},
      ),
    ).trim(),
  )
  if (name.toLowerCase() === node.alias.toLowerCase())
    throw new Failure(
      'MODEL_INVALID',
      `Cannot create latest version pointer: the latest version of '${node.name}' is already aliased to '${name}'`,
      {
        place: node.patch ?? node.place,
        hint: 'Set latest_version_pointer: {enabled: false}, or give it another alias.',
      },
    )
  const pointer = { ...node, alias: name }
  const target = lakeName(work.project, pointer)
  await work.changes.createView(target, `select * from ${relationNameOf(node)}`, {
    ...scope.options.about?.(target),
    temporary: scope.options.temporary,
  })
  await applyGrants(pointer, target, work, scope.options)
}
