{{ config(materialized='ephemeral', alias='mid') }}

with b as (select * from {{ ref('base') }})
select * from b
