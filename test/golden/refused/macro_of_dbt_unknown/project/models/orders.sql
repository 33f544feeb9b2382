select 1 as id
, {{ dbt.date_trunk('day', 'x') }} as d
