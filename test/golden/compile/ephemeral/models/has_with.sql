-- leading comment
with x as (select * from {{ ref('middle') }}), y as (select 1)
select * from x, y
