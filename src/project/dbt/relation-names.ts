// Under which name a node's table stands: dbt's `generate_database_name`, `generate_schema_name` and
// `generate_alias_name`, or what the project or a package has put in their place.

import { Failure } from '../../base/failure.ts'
import { Dict, fromJs, str, type Callable } from '../../jinja/index.ts'
import { emptyParsed, parseSession } from './calls.ts'
import type { Context } from './context.ts'
import { deprecations } from './deprecations.ts'
import { builtinPackage } from './macros.ts'
import { nodeDictForNow, operationValue } from './node-dict.ts'
import type { Reading } from './reading.ts'
import type { DbtMacro, DbtNode, DbtOperation } from './types.ts'

type Part = 'database' | 'schema' | 'alias'
type Named = Pick<
  DbtNode,
  'uniqueId' | 'name' | 'version' | 'package' | 'config' | 'place' | 'database' | 'schema' | 'alias'
>

export class RelationNames {
  readonly #reading: Reading
  readonly #contexts = new Map<string, Context>()
  readonly #macros = new Map<string, DbtMacro | undefined>()
  constructor(reading: Reading) {
    this.#reading = reading
  }

  /** Sets database, schema and alias of a node. @throws Failure of the macros */
  name(node: DbtNode): void {
    const { target } = this.#reading.project
    node.database = target.database
    node.schema = target.schema
    node.alias = node.name
    for (const part of ['database', 'schema', 'alias'] as const)
      node[part] = this.#generate(part, node, () => nodeDictForNow(node))
    if (node.kind !== 'snapshot') return
    // The old spelling of snapshots says it directly, past all macros.
    const { target_database: database, target_schema: schema } = node.config
    if (typeof database === 'string' && database !== '') node.database = database
    if (typeof schema === 'string' && schema !== '') node.schema = schema
  }

  /** An operation is named as a model beside it would be. @throws Failure of the macros */
  nameOperation(operation: DbtOperation): void {
    const dict = () => fromJs(operationValue(operation)) as Dict
    for (const part of ['database', 'schema', 'alias'] as const)
      operation[part] = this.#generate(part, { ...operation, version: undefined }, dict)
  }

  #generate(part: Part, node: Named, dict: () => Dict): string {
    const value = node.config[part] ?? null
    const macro = this.#macro(part, node.package)
    if (!macro) return this.#byDefault(part, node, value)
    const bound = this.#context(node).macros.bind(macro) as Callable
    const answer = bound([fromJs(value), dict()], {})
    if (part !== 'schema' || answer !== null) return str(answer).trim()
    if (this.#reading.root.flags['require_valid_schema_from_generate_schema_name'] !== true) {
      this.#reading.deprecated(deprecations.schemaOfNothing(node.uniqueId), node.place)
      return 'main'
    }
    throw new Failure(
      'MODEL_INVALID',
      `Node '${node.uniqueId}' has a schema set to None as a result of a generate_schema_name call.`,
      { place: node.place },
    )
  }

  /** What dbt's own macros do, without the cost of calling them. */
  #byDefault(part: Part, node: Named, value: unknown): string {
    const { target } = this.#reading.project
    const custom = value === null || value === '' ? undefined : str(fromJs(value)).trim()
    switch (part) {
      case 'database':
        return custom ?? target.database
      case 'schema':
        return value === null ? target.schema : `${target.schema}_${custom ?? ''}`
      case 'alias':
        return custom ?? (node.version === undefined ? node.name : `${node.name}_v${node.version.replaceAll('.', '_')}`)
    }
  }

  /** A package's own macro serves its own nodes; else the project's. Undefined: nobody has put one in place of dbt's. */
  #macro(part: Part, packageName: string): DbtMacro | undefined {
    const key = `${part} ${packageName}`
    if (this.#macros.has(key)) return this.#macros.get(key)
    const { macros, project } = this.#reading
    const name = `generate_${part}_name`
    const first = macros.in(packageName, name) ?? macros.find(project.name, name)!
    const isOurs =
      first.package === builtinPackage && macros.dispatch(packageName, name, builtinPackage).package === builtinPackage
    const found = isOurs ? undefined : first
    this.#macros.set(key, found)
    return found
  }

  #context(node: Named): Context {
    const known = this.#contexts.get(node.package)
    if (known) return known
    const session = parseSession(emptyParsed(), () => node.place)
    const from = this.#reading.project.packages.get(node.package)!
    const context = this.#reading.context(from, session, new Dict(), node, { lenient: false })
    this.#contexts.set(node.package, context)
    return context
  }
}
