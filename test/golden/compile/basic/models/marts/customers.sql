-- a comment with {{ 'jinja' }}
with orders as (select * from {{ ref('stg_orders') }})
select c.*, {{ this.identifier | upper }}, '{{ this }}', '{{ model.name }}'
from {{ ref('shop', 'stg_customers') }} c left join orders using (customer_id)
