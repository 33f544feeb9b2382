{% macro money(column) %}{{ return(adapter.dispatch('money', 'helpers')(column)) }}{% endmacro %}
{% macro default__money(column) %}({{ column }} / 100){% endmacro %}
{% macro area(a, b=2) %}{{ return(adapter.dispatch('area', 'helpers')(a, b)) }}{% endmacro %}
{% macro default__area(a, b) %}{{ a }} * {{ b }}{% endmacro %}
{% macro duckdb__area(a, b) %}{{ a }} ** {{ b }} -- duck{% endmacro %}
{% macro columns() %}{{ return(['a', 'b', {'c': 1}]) }}{% endmacro %}
{% macro wrap() %}<{{ caller('x') }}>{% endmacro %}
{% test at_least(model, column_name, n=1) %}
select * from {{ model }} where {{ column_name }} < {{ n }}{% endtest %}
