select id, code from {{ ref('ports') }}
