{{ config(materialized='table') }}
select * from {{ ref('stg_a') }} where '{{ this }}' <> '{{ this.schema }}.{{ this.name }}'
