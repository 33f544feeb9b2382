{% snapshot two_keys_deleted %}
{{ config(target_schema='history', unique_key=['id', 'region'], strategy='timestamp', updated_at='seen', hard_deletes='new_record') }}
select * from {{ source('raw', 'events') }}
{% endsnapshot %}
