select v.code, sum(v.tons) as tons, max(w.week) as week from {{ ref('voyages', v=2) }} v cross join {{ ref('weeks') }} w group by 1
