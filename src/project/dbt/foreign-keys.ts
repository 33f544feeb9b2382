// `to: ref('customers')` of a foreign key: the model reads that table as well, and its constraint names the table.

import { refOrSource } from './calls.ts'
import { relationNameOf, sourceRelationName } from './node-dict.ts'
import type { Reading } from './reading.ts'
import { findRef, findSource, nodesByName, searchOrder } from './references.ts'
import type { Constraint, DbtNode, DbtProject } from './types.ts'

const isForeign = ({ type, to }: Constraint): boolean => type === 'foreign_key' && to !== undefined

/** What the foreign keys of a model name is what it reads. */
export function readForeignKeys(reading: Reading, node: DbtNode): void {
  const place = node.patch ?? node.place
  for (const { to } of [...node.constraints, ...node.columns.flatMap(({ constraints }) => constraints)].filter(
    isForeign,
  )) {
    const named = refOrSource(to!, place)
    if (!named) {
      reading.wrong(
        `Invalid 'ref' or 'source' syntax on foreign key constraint 'to' on model ${node.name}: ${to!}.`,
        place,
      )
      continue
    }
    const isKnown = ({ name }: { name: string }) => node.refs.some((each) => each.name === name)
    node.refs.push(...named.refs.filter((ref) => ref.name !== node.name && !isKnown(ref)))
    node.sources.push(...named.sources)
  }
}

// A project that is read changes no names; one with a thousand keys would look all of them up a thousand times.
const byNames = new WeakMap<DbtProject, ReturnType<typeof nodesByName>>()

/** The model with the names of tables in its foreign keys; itself where it has none. */
export function withForeignTables(project: DbtProject, node: DbtNode): DbtNode {
  const isAbout = (constraints: readonly Constraint[]) => constraints.some(isForeign)
  if (!isAbout(node.constraints) && !node.columns.some(({ constraints }) => isAbout(constraints))) return node
  const byName = byNames.get(project) ?? nodesByName(project)
  byNames.set(project, byName)
  const named = (constraint: Constraint): Constraint => {
    const to = isForeign(constraint) ? refOrSource(constraint.to!, node.place) : undefined
    const [ref, source] = [to?.refs[0], to?.sources[0]]
    const model = ref && findRef(byName, ref, searchOrder(project, node.package))
    const table = source && findSource(project, source, node.package)
    const name = model ? relationNameOf(model) : table && sourceRelationName(table)
    return name ? { ...constraint, to: name } : constraint
  }
  return {
    ...node,
    constraints: node.constraints.map(named),
    columns: node.columns.map((column) => ({ ...column, constraints: column.constraints.map(named) })),
  }
}
