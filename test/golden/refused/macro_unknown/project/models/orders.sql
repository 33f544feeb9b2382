select 1 as id
, {{ cent('price') }} as price
