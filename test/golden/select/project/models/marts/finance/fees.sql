{{ config(materialized='ephemeral', tags=['money', 'small']) }}
select code, 1 as fee from {{ ref('dim_country') }}
