{{ config(alias='country', tags=['geo']) }}
select code, name from {{ ref('countries') }}
