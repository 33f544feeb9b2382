// The expected answers are those of dbt_common's WarnErrorOptionsV2.

import { expect, test } from 'vitest'
import { checkHandling, handlingOf } from './warnings.ts'

const plain = { name: 'NothingToDo', code: 'Q035' }
const old = { name: 'ConfigDataPathDeprecation', code: 'D003' }

test.each([
  [{}, 'warn', 'warn'],
  [{ warn_error: true }, 'error', 'error'],
  [{ warn_error: false }, 'warn', 'warn'],
  [{ warn_error_options: { error: 'all' } }, 'error', 'error'],
  [{ warn_error_options: { include: '*', exclude: ['NothingToDo'] } }, 'warn', 'error'],
  [{ warn_error_options: { error: ['NothingToDo'] } }, 'error', 'warn'],
  [{ warn_error_options: { error: ['Deprecations'] } }, 'warn', 'error'],
  [{ warn_error_options: { error: 'all', warn: ['Deprecations'] } }, 'error', 'warn'],
  [{ warn_error_options: { error: ['Deprecations'], warn: ['ConfigDataPathDeprecation'] } }, 'warn', 'warn'],
  [{ warn_error_options: { error: 'all', silence: ['NothingToDo'] } }, 'silence', 'error'],
  [{ warn_error_options: { silence: ['Deprecations'] } }, 'warn', 'silence'],
  [{ warn_error_options: { silence: ['Deprecations'], error: ['ConfigDataPathDeprecation'] } }, 'warn', 'error'],
  [{ warn_error_options: { error: ['NothingToDo'], warn: null, silence: ['NothingToDo'] } }, 'silence', 'warn'],
])('%j', (flags, ofPlain, ofOld) => {
  expect([handlingOf(flags, plain), handlingOf(flags, old)]).toEqual([ofPlain, ofOld])
})

test.each(['include error', 'exclude warn'])('an old name beside the new one is refused: %s', (names) => {
  const options = Object.fromEntries(names.split(' ').map((name) => [name, ['NothingToDo']]))
  expect(() => checkHandling({ warn_error_options: options })).toThrow(/not both/)
})

test.each([
  [{ error: ['NoSuchThing'] }, 'NoSuchThing is not a valid dbt error name'],
  [{ silence: ['NothingTodo'] }, 'did you mean "NothingToDo"'],
  [{ error: 'some' }, 'must be a list of names, or all'],
])('what names no warning is refused: %j', (options, message) => {
  expect(() => checkHandling({ warn_error_options: options })).toThrow(message)
})

test.each([{ error: 'all', warn: ['NoNodesSelected'] }, { include: '*' }, { error: ['Deprecations'], warn: null }])(
  '%j is taken',
  (options) => expect(() => checkHandling({ warn_error_options: options })).not.toThrow(),
)

test('what dbt tells whatever is asked of warnings is an error, or silent, only where the flag for all says so', () => {
  const event = { name: 'MicrobatchModelNoEventTimeInputs', code: 'I074' }
  const silent = { warn_error_options: { silence: [event.name] } }
  const all = { require_all_warnings_handled_by_warn_error: true }
  expect([{ warn_error: true }, silent].map((flags) => handlingOf(flags, event))).toEqual(['warn', 'warn'])
  expect([{ warn_error: true }, silent].map((flags) => handlingOf({ ...flags, ...all }, event))).toEqual([
    'error',
    'silence',
  ])
})
