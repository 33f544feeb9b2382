{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='at', batch_size='day') -}}
select * from {{ source('raw', 'events') }} union all select * from {{ source('raw', 'quoted') }}
-- {{ config.get('cutoff') }} {{ ref('values') }}
