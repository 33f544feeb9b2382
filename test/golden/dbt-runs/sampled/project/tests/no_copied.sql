{{ config(severity='warn') }} select * from {{ ref('copied') }} where id > 2
