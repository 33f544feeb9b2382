{% snapshot invalidated %}
{{ config(target_schema='history', unique_key='id', strategy='timestamp', updated_at='seen', hard_deletes='invalidate') }}
select * from {{ source('raw', 'events') }}
{% endsnapshot %}
