{% for c in adapter.get_columns_in_relation(source('raw', 'sizes')) %}{{ c.name }} {{ c.numeric_precision }} {{ c.numeric_scale }} {{ c.data_type }}
{% endfor %}{{ ref('scalars').type }} {{ ref('scalars').is_view }} {{ ref('scalars').is_table }}
{% call statement('s', fetch_result=True) %}select 1 as x, 'a' as y{% endcall %}{% if execute %}{{ load_result('s').data }}{% endif %}
{% call noop_statement('n', 'told', 'CODE', 3) %}select 1{% endcall %}{% set found = load_result('n') %}{{ found.response }} {{ found.response.code }} {{ found.response.rows_affected }}
{% if execute %}{{ graph.keys() | sort }}{% endif %} {{ defer_relation }}
