select e.id, {{ source('raw', 'events').identifier | length }} as length from {{ source('raw', 'events').include(database=true) }} e join {{ ref('days') }} d on d.n = e.id
