{{ config({'materialized': 'table'}, alias='x') }}
select 1 as id
