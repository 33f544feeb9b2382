// What templates put into `graph` stays there: packages keep what they note of one node for another, or for the end of the run
// (elementary's cache). A template that asks the database is stopped and rendered again from its beginning, so what it had put there or
// taken away by then is undone first.

import { Dict, PySet, Tuple } from '../../jinja/index.ts'
import { graphDict } from './node-dict.ts'
import type { DbtProject } from './types.ts'

/** Remembers what is in `graph` besides dbt's own; the answer puts it back. */
export function keepGraph(project: DbtProject): () => void {
  const graph = graphDict(project)
  const own = ownKeys(graph)
  const added = (): [unknown, unknown][] => [...graph.entries()].filter(([key]) => !own.has(key))
  const before = added()
  const shared = new Set<unknown>(before.length > 0 ? own.values() : [])
  // Nodes may be noted, too; they are dbt's.
  if (before.length > 0) for (const part of own.values()) for (const [, node] of part.entries()) shared.add(node)
  const done = new Map<unknown, unknown>()
  const copies = before.map(([key, value]) => [key, copyOf(value, shared, done)] as const)
  return () => {
    for (const [key] of added()) graph.delete(key)
    for (const [key, value] of copies) graph.set(key, value)
  }
}

const owns = new WeakMap<Dict, ReadonlyMap<unknown, Dict>>()

/** Those that are there before any template sees it. */
function ownKeys(graph: Dict): ReadonlyMap<unknown, Dict> {
  const known = owns.get(graph)
  if (known) return known
  const own = new Map([...graph.entries()].map(([key, value]) => [key, value as Dict]))
  owns.set(graph, own)
  return own
}

/** With the same things at the same places in it; relations and the like cannot be changed. */
function copyOf(value: unknown, shared: ReadonlySet<unknown>, done: Map<unknown, unknown>): unknown {
  if (shared.has(value)) return value
  if (done.has(value)) return done.get(value)
  const inside = (each: unknown) => copyOf(each, shared, done)
  const note = <Copy>(copy: Copy): Copy => (done.set(value, copy), copy)
  if (Array.isArray(value)) {
    const copy: unknown[] = note([])
    for (const each of value as unknown[]) copy.push(inside(each))
    return copy
  }
  if (value instanceof Dict) {
    const copy = note(new Dict())
    for (const [key, each] of value.entries()) copy.set(key, inside(each))
    return copy
  }
  if (value instanceof PySet) return note(new PySet(value))
  if (value instanceof Tuple && value.constructor === Tuple) return note(new Tuple(value.items.map(inside)))
  return value
}
