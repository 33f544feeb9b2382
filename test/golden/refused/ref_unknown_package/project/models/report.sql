select * from {{ ref('shopp', 'orders') }}
