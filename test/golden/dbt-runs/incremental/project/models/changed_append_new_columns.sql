{{ config(unique_key='id', on_schema_change='append_new_columns') }}
{% if var('step', 1) | int > 1 %} select id, amount, seen, 'x' as extra from {{ source('raw', 'events') }} {% else %} select id, region, amount, seen from {{ source('raw', 'events') }} {% endif %}
