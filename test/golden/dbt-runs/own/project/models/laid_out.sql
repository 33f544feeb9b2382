{{ config(materialized='table', partition_by=['region'], sort_by='id') }} select 1 as id, 'x' as region
