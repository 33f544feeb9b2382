{{ config(tags=['raw', 'hourly'], meta={'level': 1}) }}

select
    order_id,
    customer_id
from {{ source('shop_raw', 'orders') }}
