// dbt's selection language: `--select "tag:daily+ staging.*,config.materialized:table" --exclude orders`.
//
// Spaces join, commas intersect, `+` reaches to parents and children (`2+a+1`), `@` to the children and all that those
// need. A test that is not named itself comes with what it tests, as the mode of indirect selection says: so every part
// yields what it means directly and what it would bring if all that a test reads were there.

import { Failure } from '../base/failure.ts'
import { didYouMean } from '../base/suggest.ts'
import { parseCriterion, type DbtProject, type SelectorTree } from '../project/dbt/index.ts'
import { reach } from './graph.ts'
import { membersOf, type Member, type Members } from './select/members.ts'
import { methods } from './select/methods.ts'
import type { PreviousState } from './select/state.ts'
import { wildcard } from './select/wildcard.ts'

/**
 * Which tests come with what is selected. `eager`: those that read any of it; `cautious`: those that read nothing else;
 * `buildable`: nothing else but what lies above; `empty`: none.
 */
export type Indirect = 'eager' | 'cautious' | 'buildable' | 'empty'

export type Selection = {
  /** Each text may hold several words. None selects everything. */
  select?: readonly string[] | undefined
  exclude?: readonly string[] | undefined
  /** A selector of selectors.yml, in place of `select` and `exclude`. */
  selector?: string | undefined
  indirect?: Indirect | undefined
  /** What `state:`, `result:` and `source_status:` compare with. */
  state?: PreviousState | undefined
}

type Criterion = Extract<SelectorTree, { kind: 'method' }>
/** `mode`: of words of the command line; groups of selectors.yml take tests eagerly. `said`: reported when it is nothing. */
type Tree = Criterion | { kind: 'union' | 'intersection' | 'difference'; parts: Tree[]; mode?: Indirect; said?: string }
type Picked = { direct: Set<string>; indirect: Set<string> }

/** Unique ids of nodes and sources, in building order. @throws Failure USAGE for what is no selector */
export function select(project: DbtProject, selection: Selection): string[] {
  return selectNodes(project, selection).ids.filter((id) => project.nodes.has(id) || project.sources.has(id))
}

/** Unique ids of everything that can be selected, in building order, and the words that match nothing. @throws Failure USAGE */
export function selectNodes(project: DbtProject, selection: Selection): { ids: string[]; unmatched: string[] } {
  const members = membersOf(project)
  const evaluation = new Evaluation(project, members, selection)
  const { direct } = evaluation.evaluate(treeOf(project, selection))
  return { ids: members.order.filter((id) => direct.has(id)), unmatched: evaluation.unmatched }
}

function treeOf(
  project: DbtProject,
  { select: wanted = [], exclude = [], selector, indirect = 'eager' }: Selection,
): Tree {
  if (selector !== undefined) return selectorNamed(project, selector)
  const everything: Tree = { kind: 'union', parts: ['fqn', 'source'].map(all), mode: indirect }
  const included = wanted.length === 0 ? everything : wordsOf(wanted, indirect)
  return { kind: 'difference', parts: [included, wordsOf(exclude, indirect)] }
}

/** The selector that a command takes when it is told nothing. */
export const defaultSelector = (project: DbtProject): string | undefined =>
  [...project.selectors.values()].find(({ isDefault }) => isDefault)?.name

const all = (method: string): Criterion => ({
  kind: 'method',
  method,
  value: '*',
  parents: 0,
  children: 0,
  childrensParents: false,
  indirectSelection: undefined,
})

function selectorNamed(project: DbtProject, name: string): SelectorTree {
  const found = project.selectors.get(name)
  if (found) return found.tree
  throw new Failure('USAGE', `selectors.yml has no selector "${name}"${didYouMean(name, project.selectors.keys())}`)
}

function wordsOf(texts: readonly string[], mode: Indirect): Tree {
  const words = texts.flatMap((text) => text.split(/\s+/)).filter(Boolean)
  const parts = words.map((word): Tree => ({
    kind: 'intersection',
    parts: word.split(',').map(criterion),
    mode,
    said: word,
  }))
  return { kind: 'union', parts, mode }
}

function criterion(text: string): Criterion {
  try {
    return parseCriterion(text)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new Failure('USAGE', error.message, {
      hint: 'Examples: orders, +orders, tag:daily, path:models/marts, config.materialized:table, source:shop.',
    })
  }
}

class Evaluation {
  readonly unmatched: string[] = []
  readonly #project: DbtProject
  readonly #members: Members
  readonly #list: readonly Member[]
  readonly #selection: Selection
  /** Selectors that are being looked into: one that names itself ends. */
  readonly #open = new Set<string>()

  constructor(project: DbtProject, members: Members, selection: Selection) {
    this.#project = project
    this.#members = members
    this.#list = [...members.byId.values()]
    this.#selection = selection
  }

  evaluate(tree: Tree): Picked {
    if (tree.kind === 'method') return this.#criterion(tree)
    const parts = tree.parts.map((part) => this.evaluate(part))
    const direct = combine(
      tree.kind,
      parts.map((part) => part.direct),
    )
    const indirect = combine(
      tree.kind,
      parts.map((part) => new Set([...part.direct, ...part.indirect])),
    )
    const whole = this.#nowComplete(direct, indirect, tree.mode ?? 'eager')
    if (tree.said !== undefined && whole.size === 0) this.unmatched.push(tree.said)
    return { direct: whole, indirect }
  }

  #criterion(tree: Criterion): Picked {
    const [method, ...path] = tree.method.split('.')
    const found = method === 'selector' ? this.#bySelector(tree.value) : this.#byMethod(method!, path, tree.value)
    const { parents, children } = this.#members
    const selected = new Set(found)
    if (tree.childrensParents) {
      for (const id of reach(children, found)) selected.add(id)
      for (const id of reach(parents, [...selected])) selected.add(id)
    }
    if (tree.parents > 0) for (const id of reach(parents, found, tree.parents)) selected.add(id)
    if (tree.children > 0) for (const id of reach(children, found, tree.children)) selected.add(id)
    const mode = tree.indirectSelection ?? this.#selection.indirect ?? 'eager'
    // A selector has brought the tests that it wants.
    if (method === 'selector' || mode === 'empty') return { direct: selected, indirect: new Set() }
    return this.#withTests(selected, mode)
  }

  #byMethod(name: string, path: readonly string[], value: string): Set<string> {
    const method = methods[name]!
    const { state } = this.#selection
    const matches = method({ value, path, project: this.#project, members: this.#list, state })
    return new Set(this.#list.filter(matches).map(({ id }) => id))
  }

  #bySelector(pattern: string): Set<string> {
    const matches = wildcard(pattern)
    const names = [...this.#project.selectors.keys()].filter(matches).sort()
    if (names.length === 0) selectorNamed(this.#project, pattern)
    const found = new Set<string>()
    for (const name of names) {
      if (this.#open.has(name)) throw new Failure('USAGE', `the selector "${name}" names itself`)
      this.#open.add(name)
      for (const id of this.evaluate(this.#project.selectors.get(name)!.tree).direct) found.add(id)
      this.#open.delete(name)
    }
    return found
  }

  #withTests(selected: ReadonlySet<string>, mode: Indirect): Picked {
    const direct = new Set(selected)
    const indirect = new Set<string>()
    const within = mode === 'buildable' ? this.#withAncestors(selected, true) : selected
    for (const id of selected) {
      for (const child of this.#members.children.get(id) ?? []) {
        if (!this.#isTest(child)) continue
        if (mode === 'eager' || this.#reads(child).every((parent) => within.has(parent))) direct.add(child)
        else indirect.add(child)
      }
    }
    return { direct, indirect }
  }

  /** Tests of parts that now have all that they read. */
  #nowComplete(direct: Set<string>, indirect: ReadonlySet<string>, mode: Indirect): Set<string> {
    if (mode !== 'cautious' && mode !== 'buildable') return direct
    const within = mode === 'buildable' ? this.#withAncestors(direct, false) : direct
    const more = [...indirect].filter(
      (id) => this.#project.nodes.has(id) && this.#reads(id).every((parent) => within.has(parent)),
    )
    return new Set([...direct, ...more])
  }

  #withAncestors(selected: ReadonlySet<string>, withSources: boolean): Set<string> {
    const found = new Set([...selected, ...reach(this.#members.parents, [...selected])])
    if (withSources) for (const id of this.#project.sources.keys()) found.add(id)
    return found
  }

  #isTest(id: string): boolean {
    const type = this.#members.byId.get(id)?.type
    return type === 'test' || type === 'unit_test'
  }

  #reads(id: string): readonly string[] {
    return this.#members.parents.get(id) ?? []
  }
}

function combine(kind: 'union' | 'intersection' | 'difference', sets: readonly Set<string>[]): Set<string> {
  const [first = new Set<string>(), ...others] = sets
  switch (kind) {
    case 'union':
      return new Set(sets.flatMap((set) => [...set]))
    case 'intersection':
      return new Set([...first].filter((id) => others.every((set) => set.has(id))))
    case 'difference':
      return new Set([...first].filter((id) => !others.some((set) => set.has(id))))
  }
}
