{{ config(unique_key='id', full_refresh=false) }} select id, amount from {{ source('raw', 'events') }} {% if is_incremental() %} where id > (select max(id) from {{ this }}) {% endif %}
