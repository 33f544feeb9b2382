{% snapshot to_current %}
{{ config(target_schema='history', unique_key='id', strategy='timestamp', updated_at='seen', dbt_valid_to_current="'9999-12-31'::timestamp") }}
select * from {{ source('raw', 'events') }}
{% endsnapshot %}
