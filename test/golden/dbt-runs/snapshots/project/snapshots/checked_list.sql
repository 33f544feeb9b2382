{% snapshot checked_list %}
{{ config(target_schema='history', unique_key='id', strategy='check', check_cols=['region', 'amount'], hard_deletes='invalidate') }}
select * from {{ source('raw', 'events') }}
{% endsnapshot %}
