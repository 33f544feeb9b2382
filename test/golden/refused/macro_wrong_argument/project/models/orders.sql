select 1 as id
, {{ cents(y='price') }} as price
