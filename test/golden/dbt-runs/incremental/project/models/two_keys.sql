{{ config(unique_key=['id', 'region'], incremental_strategy='delete+insert') }} select * from {{ source('raw', 'events') }}
