{{ config(incremental_strategy='merge') }} select * from {{ source('raw', 'events') }}
