import { expect, test } from 'vitest'
import { findCalls } from './index.ts'

const nothing = { vars: [], needed: [], macros: [] }
const known = (name: string) => name === 'var' || name === 'is_incremental' || name.startsWith('dbt.type_')
const sureOf = (text: string) => findCalls(text, ['ref', 'source', 'config'], {}, known).sure

test.each([
  ["select * from {{ ref('a') }} -- {{ this }}, {{ this.schema }}.{{ target.name }}", {}],
  [
    "{% if not is_incremental() and var('x', false) %}a{% else %}b{% endif %}",
    { vars: ['x'], macros: ['is_incremental'] },
  ],
  ["{% if var('x', []) %}{{ var('x') }}{% endif %}", { vars: ['x', 'x'] }],
  ["{% if var('x', 'full') %}{{ var('x') }}{% endif %}", { vars: ['x', 'x'], needed: ['x'] }],
  ["{% if var('x', []) %}{% else %}{{ var('x') }}{% endif %}", { vars: ['x', 'x'], needed: ['x'] }],
  ["{{ var('x') }}", { vars: ['x'], needed: ['x'] }],
  ['cast(a as {{ dbt.type_string() }})', { macros: ['dbt.type_string'] }],
  ["{% set p = ref('a') %}{% set q = p if target.type == 'duckdb' else none %}{{ q }}", {}],
  ["{{ config(enabled=var('x')) }}{{ source('a', 'b') }}", {}],
  [
    "{{ 'a' ~ var('x', 'b') ~ target.schema }}{{ 'a' in ['a', 'b'] }}{{ var('y', none) is none }}",
    { vars: ['x', 'y'] },
  ],
])('%s cannot fail', (text, asked) => expect(sureOf(text)).toEqual({ ...nothing, ...asked }))

test.each([
  '{{ nobody }}',
  '{{ my_macro() }}',
  "{{ ref('a') if var('x', true) else ref('b') }}",
  "{% if var('x', true) %}{{ ref('a') }}{% endif %}",
  "{{ var('x', my_macro()) }}",
  "{{ var('x', 1) + 1 }}",
  "{{ var('x', 1) < 2 }}",
  "{{ var('x', 'a') | upper }}",
  '{{ target.nothing }}',
  '{{ target.name.first }}',
  '{% for a in [1] %}{{ a }}{% endfor %}',
  '{% set var = 1 %}{{ 1 }}',
  '{% set this = 1 %}{{ this.schema }}',
  '{% if true %}{% set a = 1 %}{% endif %}{{ a }}',
  "{{ env_var('A') }}",
  "{{ exceptions.raise_compiler_error('no') }}",
  '{{ dbt.type_string(1) }}',
  "{% if var('x', true) %}{{ dbt.type_string() }}{% endif %}",
  '{{ dbt.type_string() if is_incremental() }}',
  "{{ var('x', true) and is_incremental() }}",
  "{{ config.get('a') }}",
  '{% do [].append(1) %}',
])('%s may', (text) => expect(sureOf(text)).toBeUndefined())
