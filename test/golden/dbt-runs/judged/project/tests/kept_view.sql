{{ config(store_failures_as='view', severity='warn') }} select id from {{ ref('numbers') }} where id = 2
