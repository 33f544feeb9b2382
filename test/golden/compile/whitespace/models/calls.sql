{% macro local(x) %}local {{ x }}{% endmacro %}
{%- set ns = namespace(total=0) -%}
{%- for i in range(4) if i % 2 == 1 %}
{%- set ns.total = ns.total + i %}
  {{ indent_it('select ' ~ i ~ '\nfrom t') }}
  {{- ' union all' if not loop.last }}
{%- endfor %}
-- {{ ns.total }} {{ [1, 2.0, none, true, 'x'] }} {{ {'a': (1,)} }} {{ 7 / 2 }} {{ 7 // 2 }} {{ '%05.1f' % 3.14159 }}
