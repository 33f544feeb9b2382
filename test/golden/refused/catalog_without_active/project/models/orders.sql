{{ config(catalog_name='lake') }} select 1 as id
