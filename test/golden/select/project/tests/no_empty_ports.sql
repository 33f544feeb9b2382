{{ config(tags=['singular-tag']) }}
select * from {{ ref('stg_ports') }} where id is null
