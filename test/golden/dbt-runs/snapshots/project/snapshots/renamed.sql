{% snapshot renamed %}
{{ config(target_schema='history', unique_key='id', strategy='timestamp', updated_at='seen', snapshot_meta_column_names={'dbt_valid_to': 'until', 'dbt_valid_from': 'since', 'dbt_scd_id': 'scd', 'dbt_updated_at': 'changed'}) }}
select * from {{ source('raw', 'events') }}
{% endsnapshot %}
