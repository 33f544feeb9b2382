select * from (with z as (select 1) select * from z), {{ ref('base') }}
