import { expect, test } from 'vitest'
import { isReadStatically } from './index.ts'

// What dbt_extractor 0.6.0 says of each.
test.each([
  ["{{ ref('x', v=1) }}", true],
  ["{{ ref('x', v=1.0) }}", true],
  ["{{ ref('x', v=1.5) }}", true],
  ["{{ ref('x', v='1') }}", true],
  ["{{ ref('x', version=True) }}", false],
  ["{{ 1 }} {{ ref('a') }}", true],
  ["{{ 1.0 }} {{ ref('a') }}", true],
  ["{{ 1e3 }} {{ ref('a') }}", true],
  ["{{ True }} {{ ref('a') }}", true],
  ["{{ none }} {{ ref('a') }}", false],
  ['{{ config(rate=1.0) }}', false],
])('dbt reads %s without rendering: %s', (text, expected) => {
  expect(isReadStatically(text)).toBe(expected)
})
