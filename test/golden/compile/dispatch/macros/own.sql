{% macro disp__money(column) %}never{% endmacro %}
{% macro default__money(column) -%} round({{ column }}) {%- endmacro %}
{% macro type_string() %}VARCHAR(10){% endmacro %}
{% macro duckdb__concat(fields) %}concat({{ fields | join(', ') }}){% endmacro %}
