select * from {{ source('fleet', 'crew') }}
