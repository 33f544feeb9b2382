// Functions of the database: a file of `functions/` each, whose arguments and type YAML tells. A file that a function names
// as its overload is no function of its own: it is the body of that one for arguments of other types.

import { isRecord } from '../../base/record.ts'
import type { Patch } from './properties.ts'
import type { Reading } from './reading.ts'
import type { Config, DbtNode, DbtPackage, FunctionForm, FunctionSpec } from './types.ts'

const listOf = (value: unknown): Config[] => (Array.isArray(value) ? value.filter(isRecord) : [])

/** What an entry of YAML, or one of its overloads, says of arguments and answer. */
export const formOf = (entry: Config): FunctionForm => ({
  arguments: listOf(entry['arguments']),
  returns: isRecord(entry['returns']) ? entry['returns'] : undefined,
  description: typeof entry['description'] === 'string' ? entry['description'] : undefined,
})

/** The function of which a file is an overload, by the file's name: of one package. */
export function overloadsOf(reading: Reading, from: DbtPackage, files: ReadonlySet<string>): Map<string, Patch> {
  const owners = new Map<string, Patch>()
  for (const { from: name, patch } of reading.patchesOf('functions')) {
    if (name !== from.name) continue
    for (const { definedIn } of patch.overloads) {
      const owner = owners.get(definedIn)
      if (definedIn === patch.name)
        reading.wrong(
          `Function '${patch.name}' cannot list itself in overloads (defined_in: '${definedIn}').`,
          patch.place,
        )
      else if (owner)
        reading.wrong(
          `Function overload '${definedIn}' (defined_in) is already used by '${owner.name}'. Each overload file can only belong to one root function.`,
          patch.place,
        )
      else if (!files.has(definedIn))
        reading.wrong(
          `Function overload '${definedIn}' (defined_in) not found. Expected a SQL file at functions/${definedIn}.sql`,
          patch.place,
        )
      else owners.set(definedIn, patch)
    }
  }
  return owners
}

/** What is wrong with the order of a function's arguments. */
export function argumentProblems(name: string, { arguments: all }: Pick<FunctionForm, 'arguments'>): string[] {
  const firstDefault = all.findIndex((each) => (each['default_value'] ?? null) !== null)
  const late = all.find(
    (each, at) => firstDefault >= 0 && at > firstDefault && (each['default_value'] ?? null) === null,
  )
  return late
    ? [
        `Non-defaulted argument '${String(late['name'])}' of function '${name}' comes after a defaulted argument. Non-defaulted arguments cannot come after defaulted arguments.`,
      ]
    : []
}

const argumentValue = (one: Config): Config => ({
  name: one['name'] ?? null,
  data_type: one['data_type'] ?? null,
  description: one['description'] ?? null,
  default_value: one['default_value'] ?? null,
})
const returnsValue = (returns: Config | undefined): Config => ({
  data_type: returns?.['data_type'] ?? 'INVALID_TYPE',
  description: returns?.['description'] ?? null,
})

/** As the manifest has it, besides what every node has. */
export function functionValue({ spec }: Pick<DbtNode, 'spec'>): Config {
  const { arguments: all, returns, overloads } = spec ?? noSpec
  return {
    arguments: all.map(argumentValue),
    returns: returnsValue(returns),
    overloads: overloads.map((one) => ({
      defined_in: one.definedIn,
      arguments: one.arguments.map(argumentValue),
      returns: one.returns ? returnsValue(one.returns) : null,
      description: one.description ?? null,
      raw_body: one.rawSql,
      compiled_body: null,
    })),
  }
}

const noSpec: FunctionSpec = { arguments: [], returns: undefined, description: undefined, overloads: [] }
