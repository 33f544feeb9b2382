select * from {{ source('rw', 'orders') }}
