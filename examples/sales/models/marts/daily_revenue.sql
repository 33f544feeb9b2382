-- One row per day, region and product. Revenue and units add up over rows; customers and averages do not
-- (a customer may buy twice): ask the metrics in metrics/sales.yml for those.

select
    order_date,
    region,
    product,
    count(distinct order_id) as orders,
    count(distinct customer_id) as customers,
    cast(sum(quantity) as bigint) as units,
    sum(line_total) as revenue,
    cast(sum(line_total) / count(distinct order_id) as decimal(18, 2)) as average_order_value
from {{ ref('stg_sales') }}
group by order_date, region, product
