{{ config(materialized=var('turns', 'view'), unique_key='id') }} select id, amount, '{{ var('turns', 'view') }}' as kind from {{ source('raw', 'events') }}
