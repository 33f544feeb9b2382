{{ config(materialized='table', pre_hook="create or replace temp table mine as select 42 as n") }} select id, (select n from mine) as n from {{ ref('plain') }}
