{% snapshot ports_history %}
{{ config(unique_key='id', strategy='check', check_cols='all', target_schema='snapshots') }}
select * from {{ ref('stg_ports') }}
{% endsnapshot %}
