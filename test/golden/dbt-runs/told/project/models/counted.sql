{{ config({'materialized': 'table'}) }} select id, count(*) as n from {{ ref('seen') }} group by id
