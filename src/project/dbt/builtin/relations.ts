// Making, naming, renaming and dropping relations: what dbt-adapters and dbt-duckdb bring, with their names and arguments.
//
// Where dbt-duckdb declares a contract's columns and constraints in DDL, the table is made from the SELECT with those
// columns in their order: the constraints are held by Boathouse once the rows are written (transform/constraints.ts).

import { dispatchers } from './text.ts'

export const relationMacros: string = [
  dispatchers(
    'get_create_table_as_sql(temporary, relation, sql)',
    "create_table_as(temporary, relation, compiled_code, language='sql')",
    'get_create_view_as_sql(relation, sql)',
    'create_view_as(relation, sql)',
    'get_create_sql(relation, sql)',
    'get_drop_sql(relation)',
    'get_rename_sql(relation, new_name)',
    'get_create_intermediate_sql(relation, sql)',
    'get_create_backup_sql(relation)',
    'get_rename_intermediate_sql(relation)',
    'get_drop_backup_sql(relation)',
    'get_replace_sql(existing_relation, target_relation, sql)',
    'get_create_materialized_view_as_sql(relation, sql)',
    'drop_table(relation)',
    'drop_view(relation)',
    'drop_relation(relation)',
    'rename_relation(from_relation, to_relation)',
    'truncate_relation(relation)',
    'drop_schema_named(schema_name)',
    'create_schema(relation)',
    'drop_schema(relation)',
    'list_schemas(database)',
    'check_schema_exists(information_schema, schema)',
    'list_relations_without_caching(schema_relation)',
    'information_schema_name(database)',
    'make_intermediate_relation(base_relation, suffix="__dbt_tmp")',
    'make_backup_relation(base_relation, backup_relation_type, suffix="__dbt_backup")',
    'get_or_create_relation(database, schema, identifier, type)',
    'get_select_subquery(sql)',
    'get_column_names()',
    'get_assert_columns_equivalent(sql)',
    'get_table_columns_and_constraints()',
    'create_indexes(relation)',
    'get_create_index_sql(relation, index_dict)',
    'get_drop_index_sql(relation, index_name)',
    'validate_sql(sql)',
  ),
  // Models that are files in dbt-duckdb are tables here, so there is nothing to find again when a run begins.
  `{% macro register_upstream_external_models() %}{% endmacro %}`,
  `{% macro default__get_create_table_as_sql(temporary, relation, sql) -%}
  {{ return(create_table_as(temporary, relation, sql)) }}
{%- endmacro %}
{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
  {%- if language != 'sql' -%}
    {% do exceptions.raise_compiler_error('Python models cannot be run: ' ~ relation) %}
  {%- endif -%}
  {% set contract_config = config.get('contract') %}
  {% if contract_config.enforced %}{{ get_assert_columns_equivalent(compiled_code) }}{% endif %}
  {%- set sql_header = config.get('sql_header', none) -%}
  {{ sql_header if sql_header is not none }}

    create {% if temporary: -%}temporary{%- endif %} table
      {{ relation.include(database=(not temporary), schema=(not temporary)) }}
    as (
      {{ get_select_subquery(compiled_code) if contract_config.enforced and not temporary else compiled_code }}
    );
{% endmacro %}
{% macro default__create_table_as(temporary, relation, sql) -%}
  {{ return(duckdb__create_table_as(temporary, relation, sql)) }}
{%- endmacro %}
{% macro default__get_create_view_as_sql(relation, sql) -%}
  {{ return(create_view_as(relation, sql)) }}
{%- endmacro %}
{% macro duckdb__create_view_as(relation, sql) -%}
  {% if config.get('contract').enforced %}{{ get_assert_columns_equivalent(sql) }}{% endif %}
  {%- set sql_header = config.get('sql_header', none) -%}
  {{ sql_header if sql_header is not none }}
  create view {{ relation }} as (
    {{ sql }}
  );
{% endmacro %}
{% macro default__create_view_as(relation, sql) -%}
  {{ return(duckdb__create_view_as(relation, sql)) }}
{%- endmacro %}
{% macro default__get_create_sql(relation, sql) -%}
  {%- if relation.is_view -%}{{ get_create_view_as_sql(relation, sql) }}
  {%- elif relation.is_table -%}{{ get_create_table_as_sql(False, relation, sql) }}
  {%- elif relation.is_materialized_view -%}{{ get_create_materialized_view_as_sql(relation, sql) }}
  {%- else -%}{{ exceptions.raise_compiler_error("\`get_create_sql\` has not been implemented for: " ~ relation.type) }}
  {%- endif -%}
{%- endmacro %}
{% macro default__get_create_materialized_view_as_sql(relation, sql) -%}
  {{ get_create_table_as_sql(False, relation.incorporate(type='table'), sql) }}
{%- endmacro %}
{% macro default__get_drop_sql(relation) -%}
  {%- if relation.is_view -%}{{ drop_view(relation) }}
  {%- elif relation.is_table -%}{{ drop_table(relation) }}
  {%- else -%}drop {{ relation.type }} if exists {{ relation.render() }} cascade
  {%- endif -%}
{%- endmacro %}
{% macro default__drop_table(relation) -%}drop table if exists {{ relation.render() }} cascade{%- endmacro %}
{% macro default__drop_view(relation) -%}drop view if exists {{ relation.render() }} cascade{%- endmacro %}
{% macro duckdb__drop_relation(relation) -%}
  {% call statement('drop_relation', auto_begin=False) -%}
    drop {{ relation.type }} if exists {{ relation }} cascade
  {%- endcall %}
{% endmacro %}
{% macro default__drop_relation(relation) -%}
  {% call statement('drop_relation', auto_begin=False) -%}{{ get_drop_sql(relation) }}{%- endcall %}
{% endmacro %}
{% macro drop_relation_if_exists(relation) %}
  {% if relation is not none %}{{ adapter.drop_relation(relation) }}{% endif %}
{% endmacro %}
{% macro duckdb__rename_relation(from_relation, to_relation) -%}
  {% set target_name = adapter.quote_as_configured(to_relation.identifier, 'identifier') %}
  {% call statement('rename_relation') -%}
    alter {{ to_relation.type }} {{ from_relation }} rename to {{ target_name }}
  {%- endcall %}
{% endmacro %}
{% macro default__rename_relation(from_relation, to_relation) -%}
  {% call statement('rename_relation') -%}
    alter table {{ from_relation.render() }} rename to {{ adapter.quote_as_configured(to_relation.identifier, 'identifier') }}
  {%- endcall %}
{% endmacro %}
{% macro default__get_rename_sql(relation, new_name) -%}
  alter {{ relation.type }} {{ relation.render() }} rename to {{ adapter.quote(new_name) }}
{%- endmacro %}
{% macro default__get_create_intermediate_sql(relation, sql) -%}
  {%- set intermediate_relation = make_intermediate_relation(relation) -%}
  {{ get_drop_sql(intermediate_relation) }};
  {{ get_create_sql(intermediate_relation, sql) }}
{%- endmacro %}
{% macro default__get_create_backup_sql(relation) -%}
  {%- set backup_relation = make_backup_relation(relation, relation.type) -%}
  {{ get_drop_sql(backup_relation) }};
  {{ get_rename_sql(relation, backup_relation.identifier) }}
{%- endmacro %}
{% macro default__get_rename_intermediate_sql(relation) -%}
  {{ get_rename_sql(make_intermediate_relation(relation), relation.identifier) }}
{%- endmacro %}
{% macro default__get_drop_backup_sql(relation) -%}
  {{ get_drop_sql(make_backup_relation(relation, relation.type)) }}
{%- endmacro %}
{% macro default__get_replace_sql(existing_relation, target_relation, sql) -%}
  {{ get_drop_sql(existing_relation) }};
  {{ get_create_sql(target_relation, sql) }}
{%- endmacro %}
{% macro default__truncate_relation(relation) -%}
  {% call statement('truncate_relation') -%}truncate table {{ relation.render() }}{%- endcall %}
{% endmacro %}
`,
  `{% macro duckdb__create_schema(relation) -%}
  {%- call statement('create_schema') -%}create schema if not exists {{ relation.without_identifier() }}{%- endcall -%}
{% endmacro %}
{% macro duckdb__drop_schema(relation) -%}
  {%- call statement('drop_schema') -%}drop schema if exists {{ relation.without_identifier() }} cascade{%- endcall -%}
{% endmacro %}
{% macro default__drop_schema_named(schema_name) %}
  {{ adapter.drop_schema(api.Relation.create(database=target.database, schema=schema_name)) }}
{% endmacro %}
{% macro duckdb__list_schemas(database) -%}
  {{ return(run_query("select schema_name from information_schema.schemata")) }}
{% endmacro %}
{% macro duckdb__check_schema_exists(information_schema, schema) -%}
  {{ return(run_query("select count(*) from information_schema.schemata where lower(schema_name) = '" ~ schema | lower ~ "'")) }}
{% endmacro %}
{% macro duckdb__list_relations_without_caching(schema_relation) %}
  {{ return(adapter.list_relations_without_caching(schema_relation)) }}
{% endmacro %}
{% macro default__information_schema_name(database) -%}
  {%- if database -%}{{ database }}.INFORMATION_SCHEMA{%- else -%}INFORMATION_SCHEMA{%- endif -%}
{%- endmacro %}
{% macro make_temp_relation(base_relation, suffix='__dbt_tmp') %}
  {% if suffix == '__dbt_tmp' and model.batch %}{% set suffix = suffix ~ '_' ~ model.batch.id %}{% endif %}
  {{ return(adapter.dispatch('make_temp_relation', 'dbt')(base_relation, suffix)) }}
{% endmacro %}
{% macro default__make_temp_relation(base_relation, suffix) %}
  {{ return(base_relation.incorporate(path={"identifier": base_relation.identifier ~ suffix})) }}
{% endmacro %}
{% macro duckdb__make_temp_relation(base_relation, suffix) %}
  {% set tmp_identifier = base_relation.identifier ~ suffix ~ py_current_timestring() %}
  {% do return(base_relation.incorporate(path={"identifier": tmp_identifier, "schema": none, "database": none})) -%}
{% endmacro %}
{% macro duckdb__dispatch_temporary_relation(target_relation, batch_id='') %}
  {% do return({'relation': make_temp_relation(target_relation), 'temporary': true}) %}
{% endmacro %}
{% macro default__make_intermediate_relation(base_relation, suffix) %}
  {{ return(default__make_temp_relation(base_relation, suffix)) }}
{% endmacro %}
{% macro default__make_backup_relation(base_relation, backup_relation_type, suffix) %}
  {{ return(base_relation.incorporate(path={"identifier": base_relation.identifier ~ suffix}, type=backup_relation_type)) }}
{% endmacro %}
{% macro default__get_or_create_relation(database, schema, identifier, type) %}
  {%- set target_relation = adapter.get_relation(database=database, schema=schema, identifier=identifier) %}
  {% if target_relation %}{% do return([true, target_relation]) %}{% endif %}
  {% do return([false, api.Relation.create(database=database, schema=schema, identifier=identifier, type=type)]) %}
{% endmacro %}
{% macro convert_datetime(date_str, date_fmt) %}
  {% set wrong = "The provided partition date '" ~ date_str ~ "' does not match the expected format '" ~ date_fmt ~ "'" %}
  {% do return(try_or_compiler_error(wrong, modules.datetime.datetime.strptime, date_str.strip(), date_fmt)) %}
{% endmacro %}
{% macro dates_in_range(start_date_str, end_date_str=none, in_fmt="%Y%m%d", out_fmt="%Y%m%d") %}
  {% set first = convert_datetime(start_date_str, in_fmt) %}
  {% set last = first if end_date_str is none else convert_datetime(end_date_str, in_fmt) %}
  {% if last < first %}
    {% do exceptions.raise_compiler_error("Partition start date is after the end date (" ~ first ~ ", " ~ last ~ ")") %}
  {% endif %}
  {% set dates = [] %}
  {% for day in range((last - first).days + 1) %}
    {% set date = first + modules.datetime.timedelta(days=day) %}
    {% do dates.append(date.strftime(out_fmt) if out_fmt else date) %}
  {% endfor %}
  {% do return(dates) %}
{% endmacro %}
{% macro partition_range(raw_partition_date, date_fmt="%Y%m%d") %}
  {% set ends = (raw_partition_date | string).split(",") %}
  {% if ends | length > 2 %}
    {% do exceptions.raise_compiler_error("Invalid partition time. Expected format: {Start Date}[,{End Date}]. Got: " ~ raw_partition_date) %}
  {% endif %}
  {% do return(dates_in_range(ends[0], ends[1] if ends | length == 2 else none, in_fmt=date_fmt)) %}
{% endmacro %}
{% macro py_current_timestring() %}
  {% do return(modules.datetime.datetime.now().strftime("%Y%m%d%H%M%S%f")) %}
{% endmacro %}
{% macro default__create_indexes(relation) -%}{%- endmacro %}
{% macro default__get_create_index_sql(relation, index_dict) -%}{% do return(None) %}{%- endmacro %}
{% macro default__get_drop_index_sql(relation, index_name) -%}{% do return(None) %}{%- endmacro %}
{% macro drop_indexes_on_relation(relation) -%}{%- endmacro %}
{% macro default__validate_sql(sql) -%}
  {% call statement('validate_sql') -%}explain {{ sql }}{% endcall %}
  {{ return(load_result('validate_sql')) }}
{% endmacro %}
`,
  `{% macro duckdb__get_column_names() %}
  ({%- for i in model['columns'] -%}
    {%- set col = model['columns'][i] -%}
    {{ adapter.quote(col['name']) if col.get('quote') else col['name'] }}{{ ", " if not loop.last }}
  {%- endfor -%})
{% endmacro %}
{% macro default__get_column_names() %}
  {%- for i in model['columns'] -%}
    {%- set col = model['columns'][i] -%}
    {{ adapter.quote(col['name']) if col.get('quote') else col['name'] }}{{ ", " if not loop.last }}
  {%- endfor -%}
{% endmacro %}
{% macro default__get_select_subquery(sql) %}
    select {{ default__get_column_names() }}
    from (
        {{ sql }}
    ) as model_subq
{%- endmacro %}
{% macro default__get_table_columns_and_constraints() -%}{{ return(table_columns_and_constraints()) }}{%- endmacro %}
{% macro table_columns_and_constraints() %}
  {%- set all = adapter.render_raw_columns_constraints(raw_columns=model['columns']) + adapter.render_raw_model_constraints(raw_constraints=model['constraints']) -%}
  ({{ all | join(', ') }})
{% endmacro %}
{% macro default__get_assert_columns_equivalent(sql) -%}{{ return(assert_columns_equivalent(sql)) }}{%- endmacro %}
{% macro assert_columns_equivalent(sql) %}
  {%- if not model['columns'] -%}{{ exceptions.raise_contract_error([], []) }}{%- endif -%}
  {%- set sql_columns = format_columns(get_column_schema_from_query(sql, config.get('sql_header', none))) -%}
  {%- set yaml_columns = format_columns(get_column_schema_from_query(get_empty_schema_sql(model['columns']))) -%}
  {%- if sql_columns | length != yaml_columns | length -%}{%- do exceptions.raise_contract_error(yaml_columns, sql_columns) -%}{%- endif -%}
  {%- for sql_col in sql_columns -%}
    {%- set yaml_col = yaml_columns | selectattr('name', 'equalto', sql_col['name']) | list -%}
    {%- if not yaml_col or sql_col['formatted'] != yaml_col[0]['formatted'] -%}
      {%- do exceptions.raise_contract_error(yaml_columns, sql_columns) -%}
    {%- endif -%}
  {%- endfor -%}
{% endmacro %}
{% macro format_columns(columns) %}
  {% set formatted_columns = [] %}
  {% for column in columns %}{% do formatted_columns.append(adapter.dispatch('format_column', 'dbt')(column)) %}{% endfor %}
  {{ return(formatted_columns) }}
{% endmacro %}
{% macro default__format_column(column) -%}
  {{ return({'name': column.name, 'data_type': column.dtype, 'formatted': column.column.lower() ~ " " ~ column.dtype}) }}
{%- endmacro %}
`,
].join('')
