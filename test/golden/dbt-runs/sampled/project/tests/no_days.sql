{{ config(severity='warn') }} select * from {{ ref('days') }}
