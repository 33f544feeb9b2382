{{ config(materialized='incremental', unique_key='id', enabled=var('daily', true)) }}
select * from {{ ref('voyages') }}
