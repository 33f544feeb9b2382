{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='seen', batch_size='month', begin='2025-12-15') }}
select id, amount, seen from {{ source('raw', 'events') }} as e where id in (select id from {{ source('raw', 'plain') }})
