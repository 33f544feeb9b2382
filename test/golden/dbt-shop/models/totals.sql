select sum(amount) as total, {{ var('factor', 1) }} as factor from {{ ref('stg_payments') }}
