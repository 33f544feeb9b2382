{% macro double(column) %}{{ toolbox.pick(column) }} * 2{% endmacro %}
