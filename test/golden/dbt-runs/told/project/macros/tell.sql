{% macro note(id) %}
  {% do context.update({'noted': context.get('noted', []) + [id]}) %}
{% endmacro %}

{% macro tell(results) %}
  {% if execute %}
    {% for result in results %}
      {% do note(result.node.unique_id) %}
      {% set message = result.message | default(none) %}
      {% if result.status == 'error' %}{% set message = 'an error' %}{% endif %}
      {% do run_query("insert into main.told values ('" ~ result.node.unique_id ~ "', '" ~ result.node.resource_type ~ "', '"
        ~ result.status ~ "', " ~ ("null" if message is none else "'" ~ message ~ "'") ~ ", "
        ~ ("null" if result.failures is none else result.failures) ~ ", '" ~ result.adapter_response.get('rows_affected', 'none') ~ "')") %}
    {% endfor %}
    {% do run_query("insert into main.told values ('" ~ (context['noted'] | length) ~ "', null, null, null, null, null)") %}
  {% endif %}
{% endmacro %}
