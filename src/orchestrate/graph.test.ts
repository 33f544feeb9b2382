import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StepStatus } from '../records/index.ts'
import { advance, dependenciesOf, hasEnded, type NodeState } from './graph.ts'

const letters: Record<string, StepStatus> = {
  p: 'pending',
  r: 'running',
  s: 'succeeded',
  f: 'failed',
  k: 'skipped',
  c: 'cancelled',
}

/** `a:s b:p<a c!:p<a,b` is a succeeded, b waiting for a, c waiting for both whatever becomes of them. */
const parse = (text: string): NodeState[] =>
  text.split(' ').map((word) => {
    const [, id, always, letter, needs] = /^(\w+)(!?):(\w)(?:<(.*))?$/.exec(word)!
    return { id: id!, always: always === '!', status: letters[letter!]!, dependsOn: needs?.split(',') ?? [] }
  })

test.each([
  ['a:p b:p', 'a b', ''],
  ['a:p b:p<a', 'a', ''],
  ['a:r b:p<a', '', ''],
  ['a:s b:p<a c:p<b', 'b', ''],
  ['a:f b:p<a c:p<b d:p', 'd', 'b c'], // independent branches go on
  ['a:f b:p publish:p<a,b', 'b', 'publish'], // known at once that it cannot be published
  ['a:k b:p<a', '', 'b'],
  ['a:c b:p<a', '', 'b'],
  ['a:f clean!:p<a', 'clean', ''],
  ['a:f b:p<a clean!:p<b', 'clean', 'b'],
  ['a:r clean!:p<a', '', ''],
  ['c:p<b b:p<a a:f', '', 'b c'], // the order of the list is not that of the graph
  ['a:s b:s', '', ''],
])('%s: ready [%s], skipped [%s]', (steps, ready, skipped) => {
  const found = advance(parse(steps))
  expect([found.ready.join(' '), found.skipped.join(' ')]).toEqual([ready, skipped])
})

describe('dependencies of a plan', () => {
  const plan = (text: string) => ({
    steps: text.split(' ').map((word) => {
      const [id, needs] = word.split('<')
      return {
        id: id!,
        kind: 'x',
        ...(needs === '*' ? { dependsOn: 'all' as const } : needs ? { dependsOn: needs.split(',') } : {}),
      }
    }),
  })
  test.each([
    ['a b<a c<*', { a: [], b: ['a'], c: ['a', 'b'] }],
    ['b<a,a a', { b: ['a'], a: [] }],
    ['a<*', { a: [] }],
  ])('%s', (text, expected) => expect(Object.fromEntries(dependenciesOf(plan(text)))).toEqual(expected))
  test.each([
    ['a a', 'REQUEST_INVALID', 'two steps named a'],
    ['a<b', 'REQUEST_INVALID', 'depends on b'],
    ['a<c b<a c<b d', 'GRAPH_CYCLE', 'wait for each other: a, b, c'],
    ['a<a', 'GRAPH_CYCLE', 'a'],
  ])('%s is %s', (text, code, message) =>
    expect(() => dependenciesOf(plan(text))).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    ),
  )
})

test('property: every run comes to its end, and nothing runs after a step it needs did not succeed', () => {
  const graph = fc.array(
    fc.record({ needs: fc.array(fc.nat(30), { maxLength: 3 }), fails: fc.boolean(), always: fc.boolean() }),
    { minLength: 1, maxLength: 12 },
  )
  fc.assert(
    fc.property(graph, fc.infiniteStream(fc.nat()), (drawn, choices) => {
      const states = drawn.map(({ needs, always }, index) => ({
        id: String(index),
        always,
        status: 'pending' as StepStatus,
        dependsOn: index === 0 ? [] : needs.map((need) => String(need % index)),
      }))
      const byId = new Map(states.map((state) => [state.id, state]))
      for (let round = 0; round <= states.length; round++) {
        const { ready, skipped } = advance(states)
        for (const id of skipped) byId.get(id)!.status = 'skipped'
        const startable = advance(states).ready
        expect(startable).toEqual(expect.arrayContaining(ready))
        if (startable.length === 0) break
        const chosen = byId.get(startable[choices.next().value % startable.length]!)!
        if (!chosen.always) for (const need of chosen.dependsOn) expect(byId.get(need)!.status).toBe('succeeded')
        chosen.status = drawn[Number(chosen.id)]!.fails ? 'failed' : 'succeeded'
      }
      expect(states.every(({ status }) => hasEnded(status))).toBe(true)
    }),
  )
})
