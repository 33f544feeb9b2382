{{ config(materialized='table', partition_by={'field': 'id', 'data_type': 'date'}) }} select 1 as id
