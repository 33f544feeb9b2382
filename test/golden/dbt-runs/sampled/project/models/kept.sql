{{ config(materialized='incremental', unique_key='id') }} select * from {{ source('raw', 'events') }} as e
