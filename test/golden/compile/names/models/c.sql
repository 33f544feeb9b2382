{{ config(schema='deep', alias='see', database='dev_analytics') }}
select * from {{ ref('mrt_b') }} join {{ ref("stg_a") }} using (a)
