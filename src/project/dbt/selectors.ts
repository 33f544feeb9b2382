// selectors.yml: named selections, as a tree that says what to take. Which nodes that are is `transform`'s business.

import { isRecord } from '../../base/record.ts'
import { Failure, type Place } from '../../base/failure.ts'
import type { Globals } from '../../jinja/index.ts'
import { didYouMean } from '../../base/suggest.ts'
import type { Config, DbtSelector, SelectorTree } from './types.ts'
import { gathering, readYamlText, renderYaml } from './yaml-file.ts'

export const selectorMethods = [
  'fqn',
  'tag',
  'group',
  'access',
  'source',
  'path',
  'file',
  'package',
  'config',
  'test_name',
  'test_type',
  'resource_type',
  'state',
  'exposure',
  'metric',
  'result',
  'source_status',
  'version',
  'semantic_model',
  'saved_query',
  'unit_test',
  'selector',
]

type Method = Extract<SelectorTree, { kind: 'method' }>

const spec = /^(@)?(?:(\d*)\+)?(?:([\w.]+):)?(.*?)(?:\+(\d*))?$/s

/**
 * One criterion of the command line or of a selector: `@tag:nightly`, `2+orders+`, `config.materialized:table`.
 * @throws Failure PROJECT_INVALID without a place
 */
export function parseCriterion(text: string): Method {
  const [, at, parents, method, value = '', children] = spec.exec(text)!
  const hasChildren = children !== undefined
  if (at !== undefined && hasChildren)
    throw new Failure('PROJECT_INVALID', `"${text}": the prefix @ and the suffix + exclude each other`)
  const [name] = (method ?? '').split('.')
  if (method !== undefined && !selectorMethods.includes(name!))
    throw new Failure(
      'PROJECT_INVALID',
      `"${name!}" is no method of selection${didYouMean(name!, selectorMethods, 30)}`,
    )
  return {
    kind: 'method',
    method: method ?? (value.includes('/') ? 'path' : /\.(?:sql|py|csv)$/i.test(value) ? 'file' : 'fqn'),
    value,
    parents: parents === undefined ? 0 : parents === '' ? Infinity : Number(parents),
    children: !hasChildren ? 0 : children === '' ? Infinity : Number(children),
    childrensParents: at !== undefined,
    indirectSelection: undefined,
  }
}

/** The selectors of a file by name; mistakes join `failures`. */
export function readSelectors(
  file: string,
  text: string,
  globals: Globals,
  failures: Failure[],
): Map<string, DbtSelector> {
  const found = new Map<string, DbtSelector>()
  gathering(failures, () => {
    const located = readYamlText(file, text)
    const wrong = (message: string, path: readonly PropertyKey[]) => {
      failures.push(new Failure('PROJECT_INVALID', message, { place: located.at(path) }))
    }
    const root = renderYaml(located.value, located.at, globals, () => false, failures)
    // An empty file has none, as for dbt.
    if (typeof root !== 'object' ? !root : Object.keys(root ?? {}).length === 0) return
    const list = isRecord(root) ? root['selectors'] : undefined
    if (!Array.isArray(list)) return wrong('selectors.yml needs a list "selectors"', [])
    list.forEach((entry: unknown, index) => {
      const path = ['selectors', index]
      if (!isRecord(entry) || typeof entry['name'] !== 'string') return wrong('a selector needs a "name"', path)
      const { name, definition, description } = entry
      if (definition === undefined) return wrong(`the selector "${name}" has no "definition"`, path)
      const place = located.at(path)
      const reader = new DefinitionReader(located.at([...path, 'definition']))
      const isDefault = entry['default'] === true
      const other = isDefault && [...found.values()].find((each) => each.isDefault)
      if (other) wrong(`only one selector can be the default: "${other.name}" is one as well`, path)
      const tree = gathering(failures, () => reader.root(definition))
      if (!tree) return
      const said = typeof description === 'string' ? description : ''
      found.set(name, { name, description: said, isDefault, tree, definition: reader.written(definition), place })
    })
  })
  return found
}

/** One definition. Selectors that it names are looked up when it is used. */
class DefinitionReader {
  readonly #place: Place
  constructor(place: Place) {
    this.#place = place
  }

  #wrong(message: string): Failure {
    return new Failure('PROJECT_INVALID', message, { place: this.#place })
  }

  root(definition: unknown): SelectorTree {
    if (isRecord(definition) && ('union' in definition || 'intersection' in definition)) {
      const keys = Object.keys(definition)
      if (keys.length > 1)
        throw this.#wrong(`a definition has one union or one intersection at its root; this one has ${keys.join(', ')}`)
    }
    return this.#tree(definition)
  }

  #tree(definition: unknown): SelectorTree {
    if (typeof definition === 'string') return this.#criterion(definition)
    if (!isRecord(definition))
      throw this.#wrong('a definition is text, or a mapping with union, intersection, or method and value')
    if ('union' in definition) return this.#set('union', definition['union'])
    if ('intersection' in definition) return this.#set('intersection', definition['intersection'])
    return this.#mapping(definition)
  }

  #criterion(text: string): Method {
    try {
      return parseCriterion(text)
    } catch (error) {
      throw error instanceof Failure ? this.#wrong(error.message) : error
    }
  }

  #set(kind: 'union' | 'intersection', list: unknown): SelectorTree {
    if (!Array.isArray(list)) throw this.#wrong(`"${kind}" must be a list`)
    const isExclude = (part: unknown) => isRecord(part) && 'exclude' in part && !('method' in part)
    const excludes = list.filter(isExclude)
    if (excludes.length > 1) throw this.#wrong(`one ${kind} can have one "exclude"`)
    const parts = list.filter((part) => !isExclude(part)).map((part) => this.#tree(part))
    const whole: SelectorTree = { kind, parts }
    return excludes.length === 0 ? whole : this.#without(whole, (excludes[0] as Config)['exclude'])
  }

  #without(whole: SelectorTree, excluded: unknown): SelectorTree {
    if (!Array.isArray(excluded)) throw this.#wrong('"exclude" must be a list')
    const parts = excluded.map((part) => this.#tree(part))
    return { kind: 'difference', parts: [whole, parts.length === 1 ? parts[0]! : { kind: 'union', parts }] }
  }

  #mapping(definition: Config): SelectorTree {
    const keys = Object.keys(definition)
    if (keys.length === 1) return this.#criterion(`${keys[0]!}:${String(definition[keys[0]!])}`)
    const { method, value, exclude } = definition
    if (typeof method !== 'string' || value === undefined)
      throw this.#wrong(`a definition has one key, or "method" and "value"; this one has ${keys.join(', ')}`)
    const tree: Method = {
      ...this.#criterion(`${method}:`),
      value: String(value),
      parents: this.#depth(definition, 'parents'),
      children: this.#depth(definition, 'children'),
      childrensParents: definition['childrens_parents'] === true,
      indirectSelection: this.#indirect(definition['indirect_selection']),
    }
    if (tree.childrensParents && tree.children > 0)
      throw this.#wrong('"childrens_parents" and "children" exclude each other')
    return exclude === undefined ? tree : this.#without(tree, exclude)
  }

  #depth(definition: Config, side: 'parents' | 'children'): number {
    const isWanted = definition[side]
    if (isWanted !== true) return 0
    const depth = definition[`${side}_depth`]
    return depth === undefined || depth === null ? Infinity : Number(depth)
  }

  #indirect(value: unknown): Method['indirectSelection'] {
    const known = ['eager', 'cautious', 'buildable', 'empty'] as const
    if (value === undefined || value === null) return undefined
    const found = known.find((each) => each === value)
    if (!found) throw this.#wrong(`"indirect_selection" is ${String(value)}; it must be one of ${known.join(', ')}`)
    return found
  }

  /** The definition with texts taken apart, as dbt's manifest shows it. */
  written(definition: unknown): unknown {
    if (typeof definition === 'string') return dictOf(parseCriterion(definition))
    if (!isRecord(definition)) return definition
    for (const kind of ['union', 'intersection']) {
      const parts = definition[kind]
      if (Array.isArray(parts)) return { [kind]: parts.map((part: unknown) => this.written(part)) }
    }
    const keys = Object.keys(definition)
    const [key] = keys
    if (key === 'exclude') return { exclude: (definition['exclude'] as unknown[]).map((part) => this.written(part)) }
    if (keys.length === 1) return { method: key, value: definition[key!] }
    return definition
  }
}

function dictOf({ method, value, parents, children, childrensParents }: Method): Config {
  return {
    ...(childrensParents && { childrens_parents: true }),
    ...(parents > 0 && { parents: true }),
    ...(parents > 0 && parents < Infinity && { parents_depth: String(parents) }),
    method,
    value,
    ...(children > 0 && { children: true }),
    ...(children > 0 && children < Infinity && { children_depth: String(children) }),
  }
}
