select * from {{ ref('orders.v1') }} union all select * from {{ ref('proj', 'orders.v2') }}
