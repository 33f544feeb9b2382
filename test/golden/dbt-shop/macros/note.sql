{% macro note(text) %}
  {% do run_query("create table main.notes as select '" ~ text ~ "' as text") %}
  {{ log('noted ' ~ text, info=true) }}
{% endmacro %}
