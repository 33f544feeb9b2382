{{ config(unique_key='id', incremental_strategy='delete+insert', incremental_predicates=["region = 'S'"]) }} select * from {{ source('raw', 'events') }}
