{% set cutoff = modules.datetime.datetime.strptime(var('start'), '%Y-%m-%d') + modules.datetime.timedelta(days=var('days')) %}
select '{{ var("start") }}' as s, {{ var('days') }} as d, {{ var("missing", 'null') }} as m,
  '{{ cutoff.strftime("%d.%m.%Y") }}' as c, '{{ cutoff.date() }}' as e,
  '{{ env_var("GOLDEN_VALUE", "fallback") }}' as f, '{{ target.name }} {{ target.schema }} {{ target.type }}' as t,
  {{ var('flags')['b'][1] }} as g, '{{ var("flags") }}' as h, {{ tojson(var('flags')) }} as j
{% if execute %}, 1 as executing{% endif %}
{% if var('flags').a %}, true as flag{% endif %}
, {{ modules.re.sub('[aeiou]', '_', 'vowels are gone') | upper }}, '{{ modules.re.match("(?P<y>\\d+)-", "2024-01").group("y") }}'
, '{{ local_md5("x") }}', {{ zip([1, 2], ['a', 'b']) | list }}, {{ set([1, 1, 2]) | list | length }}, {{ fromjson('{"a": [1, 2.0]}') }}
, {{ fromyaml('a: yes') }}, '{{ project_name }}', {{ invocation_args_dict.vars is defined }}, {{ flags.FULL_REFRESH }}, {{ context.get('nope') is none }}
