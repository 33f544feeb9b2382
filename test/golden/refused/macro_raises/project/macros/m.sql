{% macro strict(x) %}
  {% do exceptions.raise_compiler_error('x must be positive') %}
{% endmacro %}
