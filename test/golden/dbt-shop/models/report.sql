select total * factor as result from {{ ref('totals') }}
