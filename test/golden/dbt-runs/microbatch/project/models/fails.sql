{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='seen', batch_size='day', begin='2026-01-01') }}
select id, cast(case when amount = 13 then 'x' else '1' end as integer) as one, seen from {{ source('raw', 'events') }}
