{{ config(incremental_strategy='no_such') }} select * from {{ source('raw', 'events') }}
