{%- set columns = adapter.get_columns_in_relation(source('raw', 'payments')) -%}
select {% for c in columns if c.name != 'amount' %}{{ c.quoted }}{{ ', ' if not loop.last }}{% endfor %}
-- {% for c in columns %}{{ c.name }}:{{ c.data_type }}:{{ c.is_string() }}{{ c.is_numeric() }} {% endfor %}
from {{ source('raw', 'payments') }}
