{% macro snowflake__shown(value) %}{{ value }}{% endmacro %}

{% macro shown(value) %}{{ return(adapter.dispatch('shown')(value)) }}{% endmacro %}
