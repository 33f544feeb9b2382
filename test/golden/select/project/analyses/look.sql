{{ config(tags=['adhoc']) }}
select * from {{ ref('revenue') }}
