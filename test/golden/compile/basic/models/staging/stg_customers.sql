select * from {{ source("shop_raw", "people") }}
