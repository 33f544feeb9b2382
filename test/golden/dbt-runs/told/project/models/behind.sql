select * from {{ ref('wrong') }}
