// A contract: the columns that a model promises, against those that its SELECT has. The order does not matter, nor do
// the precision of a number and the length of a text, as in dbt. In brackets stand dbt's own words for what is wrong.

import { Failure } from '../base/failure.ts'
import type { DbtNode } from '../project/dbt/index.ts'

/** What breaks the contract of a node, each at its line of the YAML file; none when it has no contract. */
export async function contractFailures(
  node: DbtNode,
  columns: readonly { name: string; type: string }[],
  /** The engine's name of a type. */
  typeNamed: (type: string) => Promise<string>,
): Promise<Failure[]> {
  if (!node.contract) return []
  const failures: Failure[] = []
  const broken = (message: string, place = node.patch ?? node.place) =>
    failures.push(
      new Failure('MODEL_INVALID', `${node.name} breaks its contract: ${message}`, {
        place,
        hint: "Please ensure the name, data_type, and number of columns in your contract match the columns in your model's definition.",
      }),
    )
  const found = new Map(columns.map((column) => [column.name.toLowerCase(), column]))
  const promised = new Set<string>()
  if (node.columns.length === 0) {
    broken("This model has an enforced contract, and its 'columns' specification is missing")
    return failures
  }
  const untyped = node.columns.filter(({ dataType }) => dataType === undefined)
  if (untyped.length > 0)
    broken(
      `Contracted models require data_type to be defined for each column. Please ensure that the column name and data_type are defined within the YAML configuration for the [${untyped.map(({ name }) => `'${name}'`).join(', ')}] column(s).`,
      untyped[0]!.place,
    )
  for (const { name, dataType, place } of node.columns) {
    promised.add(name.toLowerCase())
    const column = found.get(name.toLowerCase())
    if (!column) broken(`"${name}" is promised, but the model does not have it (missing in definition)`, place)
    else if (dataType !== undefined) {
      const wanted = await typeNamed(dataType).catch((error: unknown) => {
        if (!(error instanceof Failure)) throw error
        broken(`"${dataType}" is no type`, place)
        return undefined
      })
      if (wanted !== undefined && family(wanted) !== family(column.type))
        broken(`"${name}" is promised as ${dataType}, but it is ${column.type} (data type mismatch)`, place)
    }
  }
  for (const { name, type } of columns)
    if (!promised.has(name.toLowerCase())) broken(`"${name}" (${type}) is not part of it (missing in contract)`)
  return failures
}

/** `DECIMAL` of `DECIMAL(12,2)`; types with parts count whole. */
const family = (type: string): string => type.replace(/^(DECIMAL|VARCHAR|"NULL")\(.*\)$/, '$1')
