{{ config(unique_key='id', incremental_strategy='only_larger') }} select * from {{ source('raw', 'events') }}
