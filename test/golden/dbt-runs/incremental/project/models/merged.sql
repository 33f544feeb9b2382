{{ config(unique_key='id', incremental_strategy='merge') }} select * from {{ source('raw', 'events') }}
