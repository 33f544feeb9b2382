// Columns of relations and queries, their descriptions, and grants: what dbt-adapters and dbt-duckdb bring.

import { dispatchers } from './text.ts'

export const columnMacros: string = [
  dispatchers(
    'get_empty_subquery_sql(select_sql, select_sql_header=none)',
    'get_empty_schema_sql(columns)',
    'get_columns_in_query(select_sql)',
    'alter_column_type(relation, column_name, new_column_type)',
    'alter_relation_add_remove_columns(relation, add_columns=none, remove_columns=none)',
    'alter_column_comment(relation, column_dict)',
    'alter_relation_comment(relation, relation_comment)',
    'persist_docs(relation, model, for_relation=true, for_columns=true)',
    'copy_grants()',
    'support_multiple_grantees_per_dcl_statement()',
    'get_show_grant_sql(relation)',
    'get_grant_sql(relation, privilege, grantees)',
    'get_revoke_sql(relation, privilege, grantees)',
    'get_dcl_statement_list(relation, grant_config, get_dcl_macro)',
    'call_dcl_statements(dcl_statement_list)',
    'apply_grants(relation, grant_config, should_revoke)',
    'get_limit_sql(sql, limit)',
  ),
  `{% macro duckdb__get_empty_subquery_sql(select_sql, select_sql_header=none) %}
    {%- if select_sql_header is not none -%}{%- do run_query(select_sql_header) -%}{%- endif -%}
    select * from (
        {{ select_sql }}
    ) as __dbt_sbq
    where false
    limit 0
{% endmacro %}
{% macro default__get_empty_schema_sql(columns) %}
    {%- set untyped = [] -%}
    {%- set unscaled = [] -%}
    select
    {% for i in columns %}
      {%- set col = columns[i] -%}
      {%- if not col.get('data_type') -%}{%- do untyped.append(col['name']) -%}
      {%- elif col['data_type'].strip().lower() in ('numeric', 'decimal', 'number') -%}{%- do unscaled.append(col['name']) -%}
      {%- endif -%}
      {{ cast('null', col['data_type']) | trim }} as {{ adapter.quote(col['name']) if col.get('quote') else col['name'] }}{{ ", " if not loop.last }}
    {%- endfor -%}
    {%- if untyped -%}{{ exceptions.column_type_missing(column_names=untyped) }}
    {%- elif unscaled -%}{{ exceptions.warn("Detected columns with numeric type and unspecified precision/scale, this can lead to unintended rounding: " ~ unscaled ~ "\`") }}
    {%- endif -%}
{% endmacro %}
{% macro get_column_schema_from_query(select_sql, select_sql_header=none) -%}
    {{ return(adapter.get_column_schema_from_query(get_empty_subquery_sql(select_sql, select_sql_header))) }}
{% endmacro %}
{% macro default__get_columns_in_query(select_sql) %}
    {{ return(adapter.get_column_schema_from_query(select_sql) | map(attribute='name') | list) }}
{% endmacro %}
{% macro sql_convert_columns_in_relation(table) -%}
  {% set columns = [] %}
  {% for row in table %}{% do columns.append(api.Column(*row)) %}{% endfor %}
  {{ return(columns) }}
{% endmacro %}
{% macro get_list_of_column_names(columns) -%}
  {{ return(columns | map(attribute='name') | list) }}
{% endmacro %}
{% macro default__alter_column_type(relation, column_name, new_column_type) -%}
  {%- set tmp_column = column_name ~ "__dbt_alter" -%}
  {% call statement('alter_column_type') %}
    alter table {{ relation.render() }} add column {{ adapter.quote(tmp_column) }} {{ new_column_type }};
    update {{ relation.render() }} set {{ adapter.quote(tmp_column) }} = {{ adapter.quote(column_name) }};
    alter table {{ relation.render() }} drop column {{ adapter.quote(column_name) }} cascade;
    alter table {{ relation.render() }} rename column {{ adapter.quote(tmp_column) }} to {{ adapter.quote(column_name) }}
  {% endcall %}
{% endmacro %}
{% macro duckdb__alter_relation_add_remove_columns(relation, add_columns, remove_columns) %}
  {% for column in add_columns or [] %}
    {% do run_query('alter ' ~ relation.type ~ ' ' ~ relation ~ ' add column ' ~ api.Relation.create(identifier=column.name) ~ ' ' ~ column.dtype) %}
  {% endfor %}
  {% for column in remove_columns or [] %}
    {% do run_query('alter ' ~ relation.type ~ ' ' ~ relation ~ ' drop column ' ~ api.Relation.create(identifier=column.name)) %}
  {% endfor %}
{% endmacro %}
{% macro default__alter_relation_add_remove_columns(relation, add_columns, remove_columns) %}
  {{ return(duckdb__alter_relation_add_remove_columns(relation, add_columns, remove_columns)) }}
{% endmacro %}
{% macro default__get_limit_sql(sql, limit) %}
  {{ sql }}
  {% if limit is not none %}
  limit {{ limit }}
  {%- endif -%}
{% endmacro %}
{%- macro get_limit_subquery_sql(sql, limit) -%}
  {{ adapter.dispatch('get_limit_sql', 'dbt')(sql, limit) }}
{%- endmacro -%}
{% macro get_show_sql(compiled_code, sql_header, limit) -%}
  {%- if sql_header is not none -%}{{ sql_header }}{%- endif %}
  {{ get_limit_subquery_sql(compiled_code, limit) }}
{% endmacro %}
`,
  // Descriptions are part of the table that is made (TableOptions); a project that overrides these sends its own.
  `{% macro duckdb_escape_comment(comment) -%}'{{ comment | replace("'", "''") }}'{%- endmacro %}
{% macro duckdb__alter_relation_comment(relation, comment) %}
  comment on {{ relation.type }} {{ relation }} is {{ duckdb_escape_comment(comment) }};
{% endmacro %}
{% macro duckdb__alter_column_comment(relation, column_dict) %}
  {% set existing_columns = adapter.get_columns_in_relation(relation) | map(attribute="name") | list %}
  {% for column_name in column_dict if column_name in existing_columns %}
    comment on column {{ relation }}.{{ adapter.quote(column_name) if column_dict[column_name]['quote'] else column_name }} is {{ duckdb_escape_comment(column_dict[column_name]['description']) }};
  {% endfor %}
{% endmacro %}
{% macro default__persist_docs(relation, model, for_relation, for_columns) -%}{%- endmacro %}
`,
  `{% macro default__copy_grants() %}{{ return(True) }}{% endmacro %}
{% macro default__support_multiple_grantees_per_dcl_statement() -%}{{ return(True) }}{%- endmacro -%}
{% macro should_revoke(existing_relation, full_refresh_mode=True) %}
  {{ return(false if not existing_relation else copy_grants() if full_refresh_mode else true) }}
{% endmacro %}
{% macro default__get_show_grant_sql(relation) %}show grants on {{ relation.render() }}{% endmacro %}
{%- macro default__get_grant_sql(relation, privilege, grantees) -%}
    grant {{ privilege }} on {{ relation.render() }} to {{ grantees | join(', ') }}
{%- endmacro -%}
{%- macro default__get_revoke_sql(relation, privilege, grantees) -%}
    revoke {{ privilege }} on {{ relation.render() }} from {{ grantees | join(', ') }}
{%- endmacro -%}
{%- macro default__get_dcl_statement_list(relation, grant_config, get_dcl_macro) -%}
    {%- set dcl_statements = [] -%}
    {%- for privilege, grantees in grant_config.items() if grantees -%}
      {%- for part in ([grantees] if support_multiple_grantees_per_dcl_statement() else grantees | batch(1)) -%}
        {%- do dcl_statements.append(get_dcl_macro(relation, privilege, part)) -%}
      {%- endfor -%}
    {%- endfor -%}
    {{ return(dcl_statements) }}
{%- endmacro %}
{% macro default__call_dcl_statements(dcl_statement_list) %}
    {% call statement('grants') %}{% for dcl_statement in dcl_statement_list %}{{ dcl_statement }};
    {% endfor %}{% endcall %}
{% endmacro %}
{% macro default__apply_grants(relation, grant_config, should_revoke=True) %}
    {% if grant_config %}
        {% set needs_revoking = {} %}
        {% if should_revoke %}
            {% set given = adapter.standardize_grants_dict(run_query(get_show_grant_sql(relation))) %}
            {% set needs_revoking = diff_of_two_dicts(given, grant_config) %}
        {% endif %}
        {% set dcl_statement_list = get_dcl_statement_list(relation, needs_revoking, get_revoke_sql) + get_dcl_statement_list(relation, grant_config, get_grant_sql) %}
        {% if dcl_statement_list %}{{ call_dcl_statements(dcl_statement_list) }}{% endif %}
    {% endif %}
{% endmacro %}
`,
].join('')
