// Every case was answered by Python itself (test/golden/modules/generate.py).

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { asFailure } from '../../../base/failure.ts'
import { compileTemplate } from '../../../jinja/index.ts'
import { pythonModules } from './modules.ts'

type Case = { expression: string; output?: string; error?: string }
const cases = JSON.parse(
  readFileSync(new URL('../../../../test/golden/modules/cases.json', import.meta.url), 'utf8'),
) as Case[]

const now = Date.UTC(2024, 0, 2, 3, 4, 5)
const names = new Map([...pythonModules(() => now).entries()].map(([name, module]) => [name as string, module]))

test.each(cases)('$expression', ({ expression, output, error }) => {
  let answer: string
  try {
    answer = compileTemplate(`{{ ${expression} }}`).render(names)
  } catch (thrown) {
    expect(error, asFailure(thrown).message).toBeDefined()
    return
  }
  expect(answer).toBe(output)
})

test('the time is that of the run', () => {
  const render = (expression: string) => compileTemplate(`{{ ${expression} }}`).render(names)
  expect(render('datetime.datetime.now()')).toBe('2024-01-02 03:04:05')
  expect(render('datetime.datetime.now(pytz.utc)')).toBe('2024-01-02 03:04:05+00:00')
  expect(render("datetime.datetime.now(pytz.timezone('Asia/Tokyo')).hour")).toBe('12')
  expect(render('datetime.date.today()')).toBe('2024-01-02')
})

test('what never ends in Python ends here', () => {
  expect(() => compileTemplate('{{ itertools.count() | list }}').render(names)).toThrow('more than 1000000 results')
})

test('modules give no way into JavaScript', () => {
  for (const path of ['re.constructor', 're.sub.constructor', 'datetime.datetime.prototype', 'pytz.utc.__class__']) {
    expect(compileTemplate(`{{ ${path} }}`, { file: 'x.sql' }).render(names), path).toBe('')
  }
})
