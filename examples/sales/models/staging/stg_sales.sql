-- One row per order, with a typed date and what it came to. Orders without a positive quantity and amount are left out.

with sales as (

    select * from {{ source('raw', 'sales') }}

),

typed as (

    select
        order_id,
        customer_id,
        cast(order_date as date) as order_date,
        product,
        quantity,
        amount,
        region
    from sales

)

select
    order_id,
    customer_id,
    order_date,
    cast(extract(year from order_date) as integer) as year,
    cast(extract(month from order_date) as integer) as month,
    cast(extract(quarter from order_date) as integer) as quarter,
    product,
    quantity,
    amount,
    quantity * amount as line_total,
    region
from typed
where quantity > 0
  and amount > 0
