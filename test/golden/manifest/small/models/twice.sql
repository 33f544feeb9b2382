select * from {{ source('raw', 'events') }} union all select * from {{ source('raw', 'events') }}
