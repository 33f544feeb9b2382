{{ config(unique_key=['id', 'region'], incremental_strategy='merge') }} select * from {{ source('raw', 'events') }}
