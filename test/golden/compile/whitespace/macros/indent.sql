{% macro indent_it(text) -%}
    {{ text | indent(4) }}
{%- endmacro %}
