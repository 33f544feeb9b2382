select 2 as customer_id, 'x' as name, current_date as first_at
