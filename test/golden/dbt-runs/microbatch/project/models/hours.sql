{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='seen', batch_size='hour', begin='2026-01-02 00:00:00', lookback=0) }}
select * from {{ ref('days') }} where 1 = 1
