{% snapshot checked_more %}
{{ config(target_schema='history', unique_key='id', strategy='check', check_cols='all', updated_at='seen') }}
select *{% if var('step', 1) | int > 1 %}, amount * 2 as twice{% endif %} from {{ source('raw', 'events') }}
{% endsnapshot %}
