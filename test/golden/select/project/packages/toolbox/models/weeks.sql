select day as week from {{ ref('days') }}
