{% set results = run_query('select distinct method from ' ~ source('raw', 'payments') ~ ' order by 1') %}
{% if execute %}{% set methods = results.columns[0].values() %}{% else %}{% set methods = [] %}{% endif %}
select id
{%- for m in methods %}, sum(amount) filter (method = '{{ m }}') as {{ m }}{% endfor %}
from {{ source('raw', 'payments') }} group by 1
