{% macro note(what) %}insert into {{ target.schema }}.log select count(*), '{{ what }}' from {{ target.schema }}.log{% endmacro %}

{% materialization twice, default %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set copy = api.Relation.create(database=this.database, schema=this.schema, identifier=this.identifier ~ '_copy', type='table') -%}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {% set old = load_relation(target_relation) %}
  {% if old is not none %}{% do adapter.drop_relation(old) %}{% do drop_relation_if_exists(load_relation(copy)) %}{% endif %}
  {% call statement('main') %}{{ create_table_as(False, target_relation, sql) }}{% endcall %}
  {% do run_query('create table ' ~ copy ~ ' as select *, ' ~ (adapter.get_columns_in_relation(target_relation) | length) ~ ' as columns_before from ' ~ target_relation) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ return({'relations': [target_relation, copy]}) }}
{% endmaterialization %}

{% macro duckdb__create_view_as(relation, sql) -%}
  create view {{ relation }} as (select *, 'own' as made_by from ({{ sql }}) as q);
{%- endmacro %}

{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
  {{ custom_alias_name or node.name | replace('aliased_', 'a_') }}
{%- endmacro %}

{% macro get_some(relation) %}
  {% set found = [] %}
  {% for c in adapter.get_columns_in_relation(relation) %}{% do found.append(c.name ~ ':' ~ c.dtype) %}{% endfor %}
  {{ return(found | join(' ')) }}
{% endmacro %}
