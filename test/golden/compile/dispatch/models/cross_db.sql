select
  {{ dbt.dateadd('day', 1, 'd') }}, {{ dbt.dateadd('quarter', -1, 'd') }}, {{ dbt.dateadd(datepart='week', interval='n', from_date_or_timestamp='d') }},
  {{ dbt.datediff('a', 'b', 'day') }}, {{ dbt.datediff("a", "b", 'week') }}, {{ dbt.date_trunc('month', 'd') }}, {{ dbt.last_day('d', 'month') }}, {{ dbt.last_day('d', 'quarter') }},
  {{ dbt.safe_cast('x', 'int') }}, {{ dbt.cast('x', dbt.type_int()) }}, {{ dbt.hash('x') }}, {{ dbt.any_value('x') }}, {{ dbt.bool_or('x') }},
  {{ dbt.listagg('x', "','", 'order by x') }}, {{ dbt.listagg('x', limit_num=3) }}, {{ dbt.length('x') }}, {{ dbt.position("'a'", 'x') }},
  {{ dbt.replace('x', "'a'", "'b'") }}, {{ dbt.right('x', 2) }}, {{ dbt.split_part('x', "'-'", 1) }}, {{ dbt.string_literal("a") }},
  '{{ dbt.escape_single_quotes("it's") }}', {{ dbt.cast_bool_to_text('x') }}, {{ dbt.array_construct([1, 2]) }}, {{ dbt.array_construct() }},
  {{ dbt.array_append('x', 1) }}, {{ dbt.date(2024, 1, 31) }}, {{ dbt.current_timestamp() }}, {{ current_timestamp() }}, {{ dbt.current_timestamp_backcompat() }},
  x::{{ dbt.type_string() }}, x::{{ dbt.type_timestamp() }}, x::{{ dbt.type_float() }}, x::{{ dbt.type_numeric() }}, x::{{ dbt.type_bigint() }}, x::{{ dbt.type_boolean() }},
  {{ adapter.quote('x') }}, {{ api.Column.translate_type('integer') }}, {{ api.Relation.create(database='d', schema='s', identifier='i') }}
{{ dbt.except() }} {{ dbt.intersect() }} {{ dbt.generate_series(3) }}
