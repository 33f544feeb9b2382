{{ config(materialized='table', partitioned_by=[{'field': 'id'}]) }} select 1 as id
