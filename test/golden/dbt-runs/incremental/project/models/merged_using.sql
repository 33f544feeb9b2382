{{ config(unique_key='id', incremental_strategy='merge', merge_on_using_columns=['id']) }} select * from {{ source('raw', 'events') }}
