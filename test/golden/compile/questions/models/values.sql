{% call statement('q', fetch_result=True) %}select id, method, big, paid, ts, ok from {{ source('raw', 'payments') }} order by id{% endcall %}
{% set found = load_result('q') %}
{% if execute %}
{% for row in found['data'] %}-- {{ row[0] }} {{ row[1] }} {{ row[2] }} {{ row[3] }} {{ row[4] }} {{ row[5] }}
{% endfor %}
-- {{ found.table.rows | length }} {{ found.table.columns.keys() | list }} {{ found.table.column_names }}
-- {% for row in found.table.rows %}{{ row['method'] }}{{ row.method }}{{ row[0] }}{% endfor %}
-- {{ found.table.columns['id'].values() }} {{ found.table.rows[1].values() }} {{ found.table.rows[0].paid.year }}
{% endif %}
select 'x' as x
