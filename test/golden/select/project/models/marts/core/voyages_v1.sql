select id, code, 0.0 as tons from {{ ref('stg_ships') }} cross join {{ ref('stg_ports') }}
