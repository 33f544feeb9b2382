// What Jinja2 itself cannot answer: errors with places, limits, attacks, dbt's blocks, suspension, analysis.

import { expect, test } from 'vitest'
import { asFailure, Failure } from '../base/failure.ts'
import {
  compileTemplate,
  Dict,
  findBlocks,
  findCalls,
  findMacros,
  fromJs,
  HostObject,
  renderingOf,
  Suspend,
  type Callable,
} from './index.ts'

const render = (text: string, context: Record<string, unknown> = {}, options = {}) =>
  compileTemplate(text, { file: 'models/a.sql' }).render(new Map(Object.entries(context)), options)

function failure(work: () => unknown): Failure {
  try {
    work()
  } catch (error) {
    return asFailure(error)
  }
  throw new Error('nothing was thrown')
}

test.each([
  ['select 1\n  {{ a b }}', 'TEMPLATE_INVALID', 2, 8, 'expected "end of print statement", got "b"'],
  [
    '{% if x %}\n{% for y in z %}\n',
    'TEMPLATE_INVALID',
    2,
    1,
    'this {% for %} is never closed: {% endfor %} or {% else %} is missing',
  ],
  [
    'a\n{% include "x" %}',
    'TEMPLATE_INVALID',
    2,
    4,
    "{% include %} is not part of dbt's templates; use a macro in macros/ instead",
  ],
  [
    '{% if x %}\n{% endfor %}',
    'TEMPLATE_INVALID',
    2,
    4,
    'unknown tag {% endfor %}; {% if %} of line 1 waits for {% elif %} or {% else %} or {% endif %}',
  ],
  ['\n {{ "x" | nope }}', 'TEMPLATE_INVALID', 2, 11, 'no filter named "nope"'],
  ['{{ ok }}\r\n{{ missing.column }}', 'TEMPLATE_FAILED', 2, 12, "'missing' is undefined"],
  ['{{ 1 }}{{ nope() }}', 'TEMPLATE_FAILED', 1, 11, "'nope' is undefined"],
  ['{% set x = [] %}\n{{ 1 + x }}', 'TEMPLATE_FAILED', 2, 6, "unsupported operand type(s) for +: 'int' and 'list'"],
  ['{% do {}.pop("a") %}', 'TEMPLATE_FAILED', 1, 10, "'a'"],
  ['{% break %}', 'TEMPLATE_INVALID', 1, 1, '{% break %} stands outside a loop'],
])('%j fails at its place', (text, code, line, column, message) => {
  const found = failure(() => render(text))
  expect({ code: found.code, message: found.message, place: found.place }).toEqual({
    code,
    message,
    place: { file: 'models/a.sql', line, column },
  })
})

test('an error in a macro names the place and who called it', () => {
  const text =
    '{% macro inner(x) %}\n{{ x.y.z }}\n{% endmacro %}\n{% macro outer() %}{{ inner({}) }}{% endmacro %}\n\n{{ outer() }}'
  const found = failure(() => render(text))
  expect(found.place).toEqual({ file: 'models/a.sql', line: 2, column: 8 })
  expect(found.context['calls']).toEqual([
    { macro: 'inner', place: { file: 'models/a.sql', line: 2, column: 8 } },
    { macro: 'outer', place: { file: 'models/a.sql', line: 4, column: 23 } },
    { macro: '', place: { file: 'models/a.sql', line: 6, column: 4 } },
  ])
})

// Each of these reaches for something of JavaScript; a template must see nothing, or fail as Python would.
const reaches = [
  'x.constructor',
  'x["constructor"]',
  'x.__proto__',
  'x["__proto__"]',
  'x.prototype',
  'x["prototype"]',
  'x.toString',
  'x.valueOf',
  'x.hasOwnProperty',
  'x.call',
  'x.apply',
  'x.bind',
  'x.arguments',
  'x.caller',
  'x.__defineGetter__',
  'x.__lookupGetter__',
  'x.then',
  'x.map',
  'x.filter',
  'x.reduce',
  'x.entries',
  'x.size',
  'x.forEach',
  'x.name',
  'x.length',
  'x.raw',
  'x.at',
  'x.items.constructor',
  'x[x].constructor',
  'x.attr',
  'x.typeName',
  'x|attr("constructor")',
  'x|attr("__proto__")',
  '[x]|map(attribute="constructor")|first',
  '"{0.constructor}".format(x)',
  '"{0[constructor]}".format(x)',
  '"{0.__proto__}".format(x)',
  'x.get.constructor',
  'x.upper.constructor',
]
const subjects: Record<string, unknown> = {
  string: 'abc',
  number: 5,
  float: 1.5,
  list: [1],
  dict: new Dict([['a', 1]]),
  none: null,
  boolean: true,
  function: (() => 1) satisfies Callable,
  range: undefined,
  plainObject: { secret: 1 },
  array: [[1]],
}

test.each(Object.keys(subjects))('a %s gives no way into JavaScript', (kind) => {
  for (const reach of reaches) {
    let output: string
    try {
      output = render(`{{ ${reach} }}`, { x: subjects[kind] })
    } catch (error) {
      expect(asFailure(error).code, reach).toMatch(/^TEMPLATE_/)
      continue
    }
    expect(output, reach).not.toMatch(/native code|\[object|=>|function |secret|class /)
    expect(() => render(`{{ (${reach})("return process")() }}`, { x: subjects[kind] }), reach).toThrow()
  }
})

test.each([
  '{{ constructor }}',
  '{{ __proto__ }}',
  '{{ process }}',
  '{{ globalThis }}',
  '{{ require }}',
  '{{ H }}',
  '{{ T }}',
  '{{ c }}',
  '{{ p }}',
  '{{ o }}',
  '{{ v0 }}',
  '{{ helpers }}',
  '{{ arguments }}',
  '{{ this }}',
  '{{ eval }}',
])('%s is no name', (text) => expect(render(text)).toBe(''))

test('names and texts cannot break out of the emitted code', () => {
  const evil = '`${process.exit()}`\\";process.exit();//\u2028\u2029'
  expect(render(`a${evil}b`)).toBe(`a${evil}b`)
  expect(
    render('{{ x }}{{ d[x] }}{% set x %}' + evil + '{% endset %}{{ x }}', { x: evil, d: new Dict([[evil, 'k']]) }),
  ).toBe(`${evil}k${evil}`)
  expect(
    render("{% macro __proto__(constructor) %}{{ constructor }}{% endmacro %}{{ __proto__(constructor='ok') }}"),
  ).toBe('ok')
  expect(render('{% macro m() %}{{ kwargs }}{% endmacro %}{{ m(__proto__=1, constructor=2) }}')).toBe(
    "{'__proto__': 1, 'constructor': 2}",
  )
  expect(render('{% set await = 1 %}{% set class = 2 %}{{ await + class }}')).toBe('3')
})

test('dicts with keys like __proto__ are only dicts', () => {
  expect(render("{% set d = {'__proto__': {'x': 1}} %}{{ d.x }}|{{ d['__proto__']['x'] }}|{{ {}.x }}")).toBe('|1|')
  expect(({} as Record<string, unknown>)['x']).toBeUndefined()
})

test.each([
  ['{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}', /levels deep/],
  ['{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}', /loop steps/],
  ['{% set l = [] %}{% do l.append(l) %}{{ l }}', /nested too deeply/],
  ["{{ 'x' * 1000000000 }}", /exceed/],
  ["{{ 'x'.zfill(1000000000) }}", /above/],
  ["{{ '%1000000000d' % 1 }}", /above/],
  [
    '{% set ns = namespace(s="xxxxxxxx") %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s|length }}',
    /too long/,
  ],
  ['{{ 10 ** 10000000 }}', /too many digits/],
  ["{{ '{:,}'.format(2 ** 64) }}", /2\^53/],
])('%s fails cleanly', (text, message) => {
  const found = failure(() => render(text))
  expect(found.code).toBe('TEMPLATE_FAILED')
  expect(found.message).toMatch(message)
  expect(found.place?.line).toBe(1)
})

test.each([
  '('.repeat(5_000) + ')'.repeat(5_000),
  '-'.repeat(20_000) + '1',
  'not '.repeat(9_000) + 'x',
  '['.repeat(3_000),
])('deep nesting is an error of the template', (text) => {
  expect(failure(() => render(`{{ ${text} }}`)).code).toBe('TEMPLATE_INVALID')
})

test('a long chain of operators either works or is an error of the template', () => {
  expect(render(`{{ ${Array.from({ length: 500 }, () => '1').join(' + ')} }}`)).toBe('500')
  const long = `{{ ${Array.from({ length: 200_000 }, () => '1').join(' + ')} }}`
  expect(failure(() => render(long)).code).toBe('TEMPLATE_INVALID')
})

test('a failed rendering leaves the template usable', () => {
  const template = compileTemplate('{% macro f(n) %}{{ 1 / n }}{% endmacro %}{{ f(n) }}')
  expect(() => template.render(new Map([['n', 0]]))).toThrow('division by zero')
  expect(template.render(new Map([['n', 2]]))).toBe('0.5')
})

// In a caller's body it ends the macro that calls the body, as in dbt, where each macro call catches it.
test('return() hands objects through macros, loops, blocks and callers', () => {
  const text = `
{%- macro pick(rows) %}{% for r in rows %}{% if r > 1 %}{{ return({'row': r}) }}{% endif %}{% endfor %}{% endmacro -%}
{%- macro quiet() %}noise{% set x %}{% do return([1, 2]) %}{% endset %}{% endmacro -%}
{%- macro runs() %}{% call twice() %}{{ return('out') }}{% endcall %}never{% endmacro -%}
{%- macro twice() %}{{ caller() }}{% endmacro -%}
{%- macro nothing() %}{{ return() }}{% endmacro -%}
{{ pick([1, 2, 3]).row }} {{ quiet()[1] }} {{ runs() }} {{ nothing() is none }}`
  expect(render(text)).toBe('2 2 outnever True')
})

test('Suspend and foreign errors pass unharmed', () => {
  const signal = new Suspend({ sql: 'select 1' })
  const run: Callable = () => {
    throw signal
  }
  const text =
    '{% macro q() %}{% set x %}{{ run() }}{% endset %}{{ return(x) }}{% endmacro %}{% for i in [1] %}{{ q() }}{% endfor %}'
  let caught: unknown
  try {
    render(text, { run })
  } catch (error) {
    caught = error
  }
  expect(caught).toBe(signal)
})

test('a failure of a host function gets the place of the call and keeps the rest', () => {
  const ref: Callable = () => {
    throw new Failure('MODEL_INVALID', 'no model "x"', { hint: 'look again', known: ['y'] })
  }
  const found = failure(() => render('select *\nfrom {{ ref("x") }}', { ref }))
  expect(found).toMatchObject({
    code: 'MODEL_INVALID',
    message: 'no model "x"',
    hint: 'look again',
    place: { line: 2, column: 9 },
  })
  expect(found.context['known']).toEqual(['y'])
})

test('lenient undefined, as dbt parses', () => {
  expect(render('{{ a.b.c(1)["x"].d() }}|{{ none.columns[0].values() }}', {}, { lenient: true })).toBe('|')
  expect(() => render('{{ a.b }}')).toThrow("'a' is undefined")
})

test('native rendering keeps types', () => {
  const native = (text: string, context = {}) => compileTemplate(text).renderNative(new Map(Object.entries(context)))
  expect(native('{{ x }}', { x: 5 })).toBe(5)
  expect(native('{{ [1, x] }}', { x: true })).toEqual([1, true])
  expect(native('{{ x }}{{ x }}', { x: 5 })).toBe('55')
  expect(native('plain')).toBe('plain')
  expect(native("{{ 'a' ~ 1 }}")).toBe('a1')
  expect(native("{{ 'true' == 'True' | as_bool }}")).toBe('False')
  expect(native("{{ x == 'duckdb' | as_bool }}", { x: 'duckdb' })).toBe(true)
  expect(native("{{ (x == 'duckdb') | as_bool }}", { x: 'duckdb' })).toBe(true)
  expect(native("{{ 'False' | as_bool and x }}", { x: 5 })).toBe(5)
  expect(native("{{ 'False' | as_bool or x }}", { x: 5 })).toBe(false)
  expect(native("{{ '7' | as_number if x else 'a' | as_text }}", { x: true })).toBe(7)
  expect(() => native("{{ 'duckdb' | as_bool }}")).toThrow('into type')
})

// What dbt-core made of each as a `meta` of dbt_project.yml, where `x` was 5.
test.each([
  ['{{ false }}', 'False'],
  ['{{ none }}', 'None'],
  ['{{ 1.50 }}', '1.5'],
  ["{{ ['a', 1] }}", "['a', 1]"],
  ["{{ {'a': 1} }}", "{'a': 1}"],
  ['{{ (1, 2) }}', '(1, 2)'],
  ['{{ 10 / 4 }}', '2.5'],
  ['{{ not true }}', 'False'],
  ['{{ true and 0 }}', '0'],
  ['{{ 1 in [1] }}', 'True'],
  ['{{ 1 is number }}', 'True'],
  ['{{ [1, 2][0] }}', '1'],
  ["{{ 'abc' | length }}", '3'],
  ["{{ ['b', 'a'] | sort }}", "['a', 'b']"],
  ['{% if true %}{{ 1 }}{% endif %}', '1'],
  ['{{ 1 }}{{ 2 }}', '12'],
  ['{{ true or x }}', 'True'],
  ['{{ 1 if true else x }}', '1'],
  ['{{ 5 | as_number }}', 5],
  ['{{ x and true }}', true],
  ['{{ true if x else false }}', true],
  ['{{ none if x else 1 }}', null],
  ['{% set y = 1 %}{{ y }}', 1],
])('rendered to a value, a constant is text: %s', (text, value) => {
  expect(compileTemplate(text).renderNative(new Map([['x', 5]]))).toBe(value)
})

class Relation extends HostObject {
  override readonly typeName = 'Relation'
  override attr(name: string): unknown {
    return name === 'name' ? 'orders' : name === 'quote' ? ((([x]) => `"${String(x)}"`) satisfies Callable) : undefined
  }
  override text(): string {
    return '"db"."orders"'
  }
}

test('host objects show exactly what they answer', () => {
  const this_ = new Relation()
  expect(render('{{ r }} {{ r.name }} {{ r.quote("x") }} {{ r.typeName }}|{{ r.text }}| {{ [r] }}', { r: this_ })).toBe(
    '"db"."orders" orders "x" || ["db"."orders"]',
  )
})

test('the lines of the output lead back to the template', () => {
  const text =
    '{% set cols = ["a",\n "b"] %}\nselect\n{% for c in cols %}\n  {{ c }}{{ "," if not loop.last }}\n{% endfor %}\nfrom {{ multi() }} as t\nwhere x'
  const multi: Callable = () => '(select\n  1\n)'
  const { text: sql, lines } = compileTemplate(text).renderWithLines(new Map([['multi', multi]]))
  const back = sql.split('\n').map((line, index) => [line.trim(), lines.place(index + 1)?.line])
  expect(back.filter(([line]) => line !== '')).toEqual([
    ['select', 3],
    ['a,', 5],
    ['b', 5],
    ['from (select', 7],
    ['1', 7],
    [') as t', 7],
    ['where x', 8],
  ])
})

test('blocks of a file, whatever stands around them', () => {
  const text = `text {{ not parsed
{# {% macro hidden() %}{% endmacro %} #}{% raw %}{% macro raw() %}{% endraw %}
{% macro one(a, b=2) -%} {{ "{% endmacro %}" }} {%- endmacro %}
{% test positive(model, column_name) %}select 1{% endtest %}
{%- materialization view, adapter='duckdb', supported_languages=['sql'] -%}x{%- endmaterialization -%}
{% macro broken( %}{% endmacro %}
{% docs a_doc %}It's {% anything %} {{ goes }}{% enddocs %}`.replace('text {{ not parsed', 'text')
  const { macros, failures } = findMacros(text, 'macros/m.sql')
  expect(macros.map(({ kind, macroName, parameters, origin }) => [kind, macroName, parameters, origin.line])).toEqual([
    ['macro', 'one', ['a', 'b'], 3],
    ['test', 'test_positive', ['model', 'column_name'], 4],
    ['materialization', 'materialization_view_duckdb', [], 5],
  ])
  expect(failures.map(({ place }) => place)).toEqual([{ file: 'macros/m.sql', line: 6, column: 16 }])
  expect(findBlocks(text, 'm.md', ['docs']).map(({ name, body }) => [name, body])).toEqual([
    ['a_doc', "It's {% anything %} {{ goes }}"],
  ])
})

test('a macro of a file is called with the globals it was bound to', () => {
  const [macro] = findMacros('\n{% macro hello(x) %}{{ greeting }} {{ x }}{% endmacro %}', 'm.sql').macros
  const globals = new Map<string, unknown>([['greeting', 'hi']])
  const rendering = renderingOf(globals)
  const bound = compileTemplate(macro!.text, macro!.origin).macros(rendering).get('hello')!
  expect(bound(['you'], {})).toBe('hi you')
})

test('calls are found without rendering', () => {
  const names = ['ref', 'source', 'config', 'adapter.dispatch']
  const found = findCalls(
    `{{ config(materialized='table', tags=['a', 'b'], meta={'x': -1}) }}
select * from {{ ref('a') }} join {{ ref('p', "b", v=2) }}
{% if x %}{{ source('s', t) }}{% endif %}{{ adapter.dispatch('m')() }}`,
    names,
  )
  expect(found.isStatic).toBe(false)
  expect(found.calls.map(({ name, literal, conditional, place }) => [name, literal, conditional, place.line])).toEqual([
    ['config', { args: [], kwargs: { materialized: 'table', tags: ['a', 'b'], meta: { x: -1 } } }, false, 1],
    ['ref', { args: ['a'], kwargs: {} }, false, 2],
    ['ref', { args: ['p', 'b'], kwargs: { v: 2 } }, false, 2],
    ['source', undefined, true, 3],
    ['adapter.dispatch', { args: ['m'], kwargs: {} }, false, 3],
  ])
  expect(findCalls("{{ config(materialized='view') }} select * from {{ ref('a') }}", names).isStatic).toBe(true)
  expect(findCalls('{{ config(x=y) }}', names)).toMatchObject({ calls: [], parts: [{ text: '{{ config(x=y) }}' }] })
  expect(findCalls("{{ ref('a').name }}", names).isStatic).toBe(true)
  expect(findCalls("{{ ref('a') if x else ref('b') }}", names).isStatic).toBe(false)
  const harmless = (name: string) => ['var', 'is_incremental', 'm', 'adapter.dispatch'].includes(name)
  const isStatic = (text: string) => findCalls(text, [...names, 'var'], {}, harmless).isStatic
  expect(isStatic("{% set xs = ['a'] %}{% for x in xs %}{{ x | upper }}{% do xs.append(x) %}{% endfor %}")).toBe(true)
  expect(isStatic("{{ ref('a') }}{% if var('b', 1) or is_incremental() %} where c {% endif %}")).toBe(true)
  expect(isStatic("{% for x in [1] %}{{ ref('a') }}{% endfor %}")).toBe(false)
  expect(isStatic("{% set ref = 1 %}{{ ref('a') }}")).toBe(false)
  expect(isStatic('{{ run_query("select 1").columns }}')).toBe(false)
  expect(isStatic('{{ this.schema.upper() }}')).toBe(false)
  expect(isStatic("{{ m(ref('a'), x=1) }}{{ adapter.dispatch('m')(2) }}")).toBe(true)
  expect(isStatic('{{ m(ref) }}')).toBe(false)
  const dynamic = findCalls("{{- config(a='}}', b=var('x')) -}} {{ ref('a') }}", names)
  expect(dynamic).toMatchObject({ isStatic: true, calls: [{ name: 'ref' }] })
  expect(dynamic.parts).toEqual([{ text: "{{ config(a='}}', b=var('x')) }}", place: { line: 1, column: 5 } }])
  expect(findCalls('{% set x = 1 %}{{ config(b=x) }}', names)).toMatchObject({ isStatic: false, parts: [] })
  expect(isStatic("{{ context['ref']('a') }}")).toBe(false)
  expect(isStatic("{{ m('a') }}{% set m = ref %}")).toBe(false)
})

test('host data goes in with Python types', () => {
  expect(render('{{ x }}', { x: fromJs({ a: [1, 1.5, null, true, 'x', { b: {} }] }) })).toBe(
    "{'a': [1, 1.5, None, True, 'x', {'b': {}}]}",
  )
})

test.each([
  '{{ d.a.b }}{{ d["l"][0].x }}{{ d.n }}{{ d.none }}{{ d.missing is defined }}',
  '{{ d }}',
  '{{ d | length }}{{ d.keys() | list }}{{ d.values() | list }}{{ d.items() | list }}',
  '{% for key, value in d.items() %}{{ key }}={{ value }};{% endfor %}',
  '{% set _ = d.a.update({"c": 2}) %}{{ d.a }}{{ d.get("a").c }}{{ d }}',
  '{% set _ = d.update({"a": 1, "z": [3]}) %}{{ d }}{{ d.pop("l") }}{{ d.pop("l", "gone") }}{{ "l" in d }}',
  '{% set e = d.copy() %}{% set _ = e.clear() %}{{ e }}{{ d.l | tojson }}{{ d == d.copy() }}{{ d | dictsort | first }}',
])('a dict whose values are made when they are asked for is one like any other: %s', (text) => {
  const record = () => ({ a: { b: 1 }, l: [{ x: 'y' }], n: 5n, none: undefined, m: new Map([['k', []]]) })
  expect(render(text, { d: Dict.lazily(record()) })).toBe(render(text, { d: fromJs(record()) }))
})
