{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='seen', batch_size='day', begin='2026-01-01', lookback=1) }}
select e.*, '{{ model.batch.id }}' as batch, {{ 'true' if is_incremental() else 'false' }} as again from {{ source('raw', 'events') }} e
