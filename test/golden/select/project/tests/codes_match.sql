select * from {{ ref('dim_country') }} c left join {{ ref('stg_ports') }} p using (code) where c.code is null
