{{ config(materialized='ephemeral') }} select id, amount from {{ source('raw', 'events') }}
