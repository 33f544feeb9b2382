{% snapshot checked_all %}
{{ config(target_schema='history', unique_key='id', strategy='check', check_cols='all') }}
select id, region, amount from {{ source('raw', 'events') }}
{% endsnapshot %}
