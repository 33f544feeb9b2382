{% macro pick(column) %}coalesce({{ column }}, 0){% endmacro %}
