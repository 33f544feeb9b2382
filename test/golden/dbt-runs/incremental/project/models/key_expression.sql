{{ config(unique_key='id % 3', incremental_strategy='delete+insert') }} select * from {{ source('raw', 'events') }} where id <= 2 or id > 4
