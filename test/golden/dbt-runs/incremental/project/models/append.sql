{{ config(incremental_strategy='append') }} select * from {{ source('raw', 'events') }} {% if is_incremental() %} where seen > (select max(seen) from {{ this }}) {% endif %}
