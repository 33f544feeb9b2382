{% macro mm() %}{% endmacro %}
