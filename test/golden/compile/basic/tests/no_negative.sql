{{ config(severity='warn') }}
select * from {{ ref('customers') }} where customer_id < 0
