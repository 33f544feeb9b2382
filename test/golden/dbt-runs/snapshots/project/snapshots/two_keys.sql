{% snapshot two_keys %}
{{ config(target_schema='history', unique_key=['id', 'region'], strategy='timestamp', updated_at='seen') }}
select * from {{ source('raw', 'events') }}
{% endsnapshot %}
