{{ config(materialized='table', post_hook='select * from no_such_table') }} select 1 as id
