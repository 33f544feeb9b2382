{{ config(materialized='table', sort_by={'field': 'id'}) }} select 1 as id
