{% snapshot invalidated_old %}
{{ config(target_schema='history', unique_key='id', strategy='timestamp', updated_at='seen', invalidate_hard_deletes=true) }}
select * from {{ source('raw', 'events') }}
{% endsnapshot %}
