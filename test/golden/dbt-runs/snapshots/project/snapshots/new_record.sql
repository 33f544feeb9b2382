{% snapshot new_record %}
{{ config(target_schema='history', unique_key='id', strategy='timestamp', updated_at='seen', hard_deletes='new_record') }}
select * from {{ source('raw', 'events') }}
{% endsnapshot %}
