{% snapshot checked_at %}
{{ config(target_schema='history', unique_key='id', strategy='check', check_cols=['amount'], updated_at='seen') }}
select * from {{ source('raw', 'events') }}
{% endsnapshot %}
