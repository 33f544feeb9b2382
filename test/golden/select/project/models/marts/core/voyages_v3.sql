select id, tons, 'x' as code from {{ ref('stg_ships') }}
