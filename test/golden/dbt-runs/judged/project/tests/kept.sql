{{ config(store_failures=true, severity='warn', limit=1) }} select * from {{ ref('numbers') }} where id = 2
