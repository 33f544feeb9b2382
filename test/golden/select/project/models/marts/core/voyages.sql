select s.id, p.code, {{ double('s.tons') }} as tons
from {{ ref('stg_ships') }} s join {{ ref('stg_ports') }} p on p.id = s.port_id
