{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {%- if custom_alias_name -%}{{ custom_alias_name }}{%- else -%}{{ node.name | replace('mrt_', '') }}_{{ node.config.materialized }}{%- endif -%}
{%- endmacro %}
