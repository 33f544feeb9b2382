{{ config(materialized='ephemeral') }}
select 1 as id, 'with (' as text -- with
