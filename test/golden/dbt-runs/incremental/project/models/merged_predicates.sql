{{ config(unique_key='id', incremental_strategy='merge', incremental_predicates=["DBT_INTERNAL_DEST.region = 'S'"]) }} select * from {{ source('raw', 'events') }}
