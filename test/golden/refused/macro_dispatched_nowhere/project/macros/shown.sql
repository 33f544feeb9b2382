{% macro shown(value) %}{{ return(adapter.dispatch('shwon', 'shop')(value)) }}{% endmacro %}

{% macro default__shown(value) %}{{ value }}{% endmacro %}
