{{ config(materialized='table') }} select * from (values (1, 'a'), (2, 'b'), (2, null)) t(id, name)
