{% snapshot by_time_expression %}
{{ config(target_schema='history', unique_key="id || '-' || coalesce(region, '')", strategy='timestamp', updated_at='seen') }}
select * from {{ source('raw', 'events') }}
{% endsnapshot %}
