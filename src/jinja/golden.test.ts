// Every case was rendered by Jinja2 itself (test/golden/jinja/generate.py): same output, or an error of the same kind.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Failure } from '../base/failure.ts'
import { compileTemplate, Dict, Float, PySet, Tuple } from './index.ts'

type Case = { template: string; output?: string; error?: 'syntax' | 'runtime'; line?: number }
const golden = JSON.parse(readFileSync(new URL('../../test/golden/jinja/cases.json', import.meta.url), 'utf8')) as {
  context: Record<string, unknown>
  cases: Case[]
}

function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode)
  if (typeof value !== 'object' || value === null) return value
  const record = value as Record<string, unknown>
  switch (record['$']) {
    case 'tuple':
      return new Tuple((record['of'] as unknown[]).map(decode))
    case 'set':
      return new PySet((record['of'] as unknown[]).map(decode))
    case 'float':
      return new Float(record['of'] as number)
    default:
      return new Dict(Object.entries(record).map(([key, item]) => [key, decode(item)] as const))
  }
}

function run(template: string): Omit<Case, 'template'> {
  const context = new Map(Object.entries(golden.context).map(([name, value]) => [name, decode(value)]))
  try {
    return { output: compileTemplate(template, { file: 'case.sql' }).render(context) }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    expect(error.place, `${error.message} has a place`).toMatchObject({
      file: 'case.sql',
      line: expect.any(Number) as number,
      column: expect.any(Number) as number,
    })
    return { error: error.code === 'TEMPLATE_INVALID' ? 'syntax' : 'runtime', line: error.place!.line! }
  }
}

test.each(golden.cases)('$template', ({ template, output, error, line }) => {
  const got = run(template)
  // Of a statement over several lines Jinja2 knows the first; we name the one that is wrong.
  const isLong = /\{[{%](?:(?![}%]\}).)*$/.test(template.split('\n')[(line ?? 1) - 1] ?? '')
  if (error && isLong) expect(got.line).toBeGreaterThanOrEqual(line!)
  expect(got).toEqual(error ? { error, line: isLong ? got.line : line } : { output })
})
