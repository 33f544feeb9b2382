select * from {{ ref('orders', v=1) }} union all select * from {{ ref('orders', version='2') }} {% if true %}union all select * from {{ ref('orders', v='1') }}{% endif %}
