{% snapshot to_current_deleted %}
{{ config(target_schema='history', unique_key='id', strategy='timestamp', updated_at='seen', dbt_valid_to_current="'9999-12-31'::timestamp", hard_deletes='new_record') }}
select * from {{ source('raw', 'events') }}
{% endsnapshot %}
