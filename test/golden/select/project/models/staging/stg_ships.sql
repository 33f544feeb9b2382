select 1 as id, 1 as port_id, 10.5 as tons from {{ source('fleet', 'ships') }}
