{{ config(materialized='table', tags=['old', 'geo'], schema='legacy') }}
select id from {{ ref('stg_ports') }}
