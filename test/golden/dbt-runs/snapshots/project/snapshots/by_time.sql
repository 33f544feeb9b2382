{% snapshot by_time %}
{{ config(target_schema='history', unique_key='id', strategy='timestamp', updated_at='seen') }}
select * from {{ source('raw', 'events') }}
{% endsnapshot %}
