// Random templates, rendered by us and by Python's Jinja2: same text, or the same kind of error. Runs where
// CONFORMANCE_PYTHON names a Python with Jinja2 (dbt brings it).

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { asFailure } from '../../../src/base/failure.ts'
import { compileTemplate, fromJs } from '../../../src/jinja/index.ts'

const python = process.env.CONFORMANCE_PYTHON
const names = { a: 3, b: 2.5, s: 'Hello World', l: [3, 1, 2], d: { x: 1, y: 'two' }, n: null, t: true, e: [] }

const peer = python === undefined ? undefined : spawn(python, [join(import.meta.dirname, 'jinja_peer.py')])
const lines = peer && createInterface(peer.stdout)[Symbol.asyncIterator]()
peer?.stdin.write(`${JSON.stringify(names)}\n`)
afterAll(() => peer?.stdin.end())

async function byJinja(template: string): Promise<unknown> {
  peer!.stdin.write(`${JSON.stringify(template)}\n`)
  const { value } = await lines!.next()
  return JSON.parse(value as string)
}

function byUs(template: string): unknown {
  try {
    return { output: compileTemplate(template).render(new Map(Object.entries(names).map(([k, v]) => [k, fromJs(v)]))) }
  } catch (error) {
    return { error: asFailure(error).code === 'TEMPLATE_INVALID' ? 'syntax' : 'runtime' }
  }
}

const oneOf = (...texts: string[]) => fc.constantFrom(...texts)
const atom = oneOf('a', 'b', 's', 'l', 'd', 'n', 't', 'e', 'missing', 'd.x', "d['y']", 'l[0]', 'l[-1]', '0', '1', '2.0')
const text = oneOf("'x'", "'a b'", "''", "' q '", "'3'", "'%s-%s'", "'Ab'")
const filter = oneOf(
  'upper',
  'lower',
  'title',
  'trim',
  'length',
  'first',
  'last',
  'list',
  'sort',
  'join',
  "join(',')",
  'string',
  'int',
  'float',
  'abs',
  'reverse|list',
  'unique|list',
  'sum',
  'max',
  'min',
  'default(7)',
  'default(7, true)',
  "replace('a', 'Z')",
  'round',
  'round(1)',
  "map('string')|list",
  "select('gt', 1)|list",
  'capitalize',
)
const check = oneOf('defined', 'none', 'string', 'number', 'mapping', 'iterable', 'sequence', 'odd', 'true', 'integer')
const operator = oneOf('+', '-', '*', '/', '//', '%', '~', '==', '!=', '<', '>=', 'and', 'or', 'in', 'not in')

const expressions = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(atom, text),
    fc.tuple(tie('any'), operator, tie('any')).map(([x, by, y]) => `${x} ${by} ${y}`),
    fc.tuple(tie('any'), filter).map(([x, by]) => `(${x})|${by}`),
    // In brackets: Jinja2 takes an `if` after a test for its argument, we do not.
    fc.tuple(tie('any'), check).map(([x, by]) => `((${x}) is ${by})`),
    fc.tuple(tie('any'), tie('any'), tie('any')).map(([x, y, z]) => `(${x} if ${y} else ${z})`),
    fc.array(tie('any'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc.tuple(tie('any'), tie('any')).map(([x, y]) => `{'k': ${x}, 'm': ${y}}`),
    // Not of constants: Jinja2 folds those while it compiles, and then a wrong index is no error.
    fc
      .tuple(oneOf('s', 'l', 'a', 'd', 'e', 'missing'), oneOf('0', '-1', '1:', ':1', '::-1', "'x'"))
      .map(([x, at]) => `(${x})[${at}]`),
    tie('any').map((x) => `not ${x}`),
    tie('any').map((x) => `(-(${x}))`),
  ),
})).any

const dash = oneOf('', '', '-')
const space = oneOf('', ' ', '\n', '  \n ', 'x ')
const statements = fc.letrec<{ any: string }>((tie) => {
  const tag = (inner: fc.Arbitrary<string>) => fc.tuple(dash, inner, dash).map(([l, x, r]) => `{%${l} ${x} ${r}%}`)
  const fixed = (inner: string) => tag(fc.constant(inner))
  const body = fc.tuple(space, tie('any'), space).map((parts) => parts.join(''))
  return {
    any: fc.oneof(
      { maxDepth: 3 },
      fc.tuple(dash, expressions, dash).map(([l, x, r]) => `{{${l} ${x} ${r}}}`),
      fc.tuple(space, tie('any'), tie('any')).map((parts) => parts.join('')),
      fc
        .tuple(tag(expressions.map((x) => `if ${x}`)), body, fixed('else'), body, fixed('endif'))
        .map((p) => p.join('')),
      fc.tuple(tag(expressions.map((x) => `for i in ${x}`)), body, fixed('endfor')).map((p) => p.join('')),
      // A name of its own: what is set further down hides an outer name from blocks above it, in Jinja2 alone.
      tag(expressions.map((x) => `set z = ${x}`)).map((x) => `${x}{{ z }}`),
      fc.tuple(fixed('set q'), body, fixed('endset')).map((parts) => `${parts.join('')}{{ q }}`),
      fc
        .tuple(fixed('macro m(p, r=1)'), body, fixed('endmacro'), expressions)
        .map(([x, y, z, v]) => `${x}${y}${z}{{ m(${v}) }}`),
      fc.tuple(oneOf('{#', '{#-'), space, oneOf('#}', '-#}')).map((parts) => parts.join('')),
    ),
  }
}).any

test.skipIf(!python)('random templates come out as from Jinja2', async () => {
  await fc.assert(
    fc.asyncProperty(statements, async (template) => {
      expect(byUs(template), template).toEqual(await byJinja(template))
    }),
    { numRuns: Number(process.env.JINJA_RUNS ?? 2_000), interruptAfterTimeLimit: 120_000 },
  )
})
