{{ config(materialized='table') }} select id::varchar as id, name as name_ from {{ ref('plain') }}
