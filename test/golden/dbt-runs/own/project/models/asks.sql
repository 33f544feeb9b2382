{{ config(materialized='table') }}
-- depends_on: {{ ref('plain') }}
{% if execute %}
  {% set r = run_query('select count(*) as n, max(price) as m from ' ~ ref('plain')) %}
  {% call statement('other', fetch_result=True) %}select 7 as seven{% endcall %}
  select {{ r.columns[0].values()[0] }} as n, {{ r.rows[0]['m'] }} as m, {{ load_result('other')['data'][0][0] }} as seven
{% endif %}
