// The materializations themselves, as templates: what runs where a project overrides one of the macros that they call.
// Without such a macro Boathouse makes tables, views and seeds without a template (transform/materialize.ts), with the same result.

import { dispatchers } from './text.ts'

const hooks = `{% macro run_hooks(hooks, inside_transaction=True) %}
  {% for hook in hooks | selectattr('transaction', 'equalto', inside_transaction) %}
    {% set rendered = render(hook.get('sql')) | trim %}
    {% if rendered %}{% call statement(auto_begin=inside_transaction) %}{{ rendered }}{% endcall %}{% endif %}
  {% endfor %}
{% endmacro %}
{% macro make_hook_config(sql, inside_transaction) %}{{ tojson({"sql": sql, "transaction": inside_transaction}) }}{% endmacro %}
{% macro before_begin(sql) %}{{ make_hook_config(sql, inside_transaction=False) }}{% endmacro %}
{% macro in_transaction(sql) %}{{ make_hook_config(sql, inside_transaction=True) }}{% endmacro %}
{% macro after_commit(sql) %}{{ make_hook_config(sql, inside_transaction=False) }}{% endmacro %}
{% macro set_sql_header(config) -%}{{ config.set('sql_header', caller()) }}{%- endmacro %}
`

/** What a model is swapped with: made beside the old one, which goes once the new one stands. */
const swapped = (type: 'table' | 'view', statement: string) => `
  {%- set existing_relation = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='${type}') -%}
  {%- set intermediate_relation = make_intermediate_relation(target_relation) -%}
  {%- set backup_relation = make_backup_relation(target_relation, '${type}' if existing_relation is none else existing_relation.type) -%}
  {%- set grant_config = config.get('grants') -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ drop_relation_if_exists(load_cached_relation(intermediate_relation)) }}
  {{ drop_relation_if_exists(load_cached_relation(backup_relation)) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {% call statement('main') -%}{{ ${statement} }}{%- endcall %}
  {% if existing_relation is not none %}{{ adapter.rename_relation(existing_relation, backup_relation) }}{% endif %}
  {{ adapter.rename_relation(intermediate_relation, target_relation) }}
  {% do create_indexes(target_relation) %}
  {% do apply_grants(target_relation, grant_config, should_revoke=should_revoke(existing_relation, full_refresh_mode=True)) %}
  {% do persist_docs(target_relation, model) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {% do adapter.commit() %}
  {% if existing_relation is not none %}{{ adapter.drop_relation(backup_relation) }}{% endif %}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
`

const models = `{% materialization table, adapter="duckdb" %}${swapped('table', 'get_create_table_as_sql(False, intermediate_relation, sql)')}{% endmaterialization %}
{% materialization view, default %}${swapped('view', 'get_create_view_as_sql(intermediate_relation, sql)')}{% endmaterialization %}
{% materialization materialized_view, default %}{{ return(materialization_table_duckdb()) }}{% endmaterialization %}
{% macro create_or_replace_view() %}{{ return(materialization_view_default()) }}{% endmacro %}
{% materialization incremental, adapter="duckdb" %}
  {%- set existing_relation = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set intermediate_relation = make_intermediate_relation(target_relation) -%}
  {%- set backup_relation = make_backup_relation(target_relation, 'table' if existing_relation is none else existing_relation.type) -%}
  {%- set unique_key = config.get('unique_key') -%}
  {%- set full_refresh_mode = should_full_refresh() or existing_relation.is_view -%}
  {%- set on_schema_change = incremental_validate_on_schema_change(config.get('on_schema_change'), default='ignore') -%}
  {%- set grant_config = config.get('grants') -%}
  {{ drop_relation_if_exists(load_cached_relation(intermediate_relation)) }}
  {{ drop_relation_if_exists(load_cached_relation(backup_relation)) }}
  {%- set temp_relation = duckdb__dispatch_temporary_relation(target_relation).relation -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {% set need_swap = existing_relation is not none and full_refresh_mode %}
  {% if existing_relation is none %}
    {% set build_sql = get_create_table_as_sql(False, target_relation, sql) %}
  {% elif full_refresh_mode %}
    {% set build_sql = get_create_table_as_sql(False, intermediate_relation, sql) %}
  {% else %}
    {% do run_query(get_create_table_as_sql(True, temp_relation, sql)) %}
    {% do adapter.expand_target_column_types(from_relation=temp_relation, to_relation=target_relation) %}
    {% set dest_columns = process_schema_changes(on_schema_change, temp_relation, existing_relation) %}
    {% if not dest_columns %}{% set dest_columns = adapter.get_columns_in_relation(existing_relation) %}{% endif %}
    {%- set strategy_macro = adapter.get_incremental_strategy_macro(context, config.get('incremental_strategy') or 'default') -%}
    {% set build_sql = strategy_macro({
      'target_relation': target_relation,
      'temp_relation': temp_relation,
      'unique_key': unique_key,
      'dest_columns': dest_columns,
      'incremental_predicates': config.get('predicates', none) or config.get('incremental_predicates', none)
    }) %}
  {% endif %}
  {% call statement("main") %}{{ build_sql }}{% endcall %}
  {% if need_swap %}
    {% do adapter.rename_relation(existing_relation, backup_relation) %}
    {% do adapter.rename_relation(intermediate_relation, target_relation) %}
  {% endif %}
  {% do apply_grants(target_relation, grant_config, should_revoke=should_revoke(existing_relation, full_refresh_mode)) %}
  {% do create_indexes(target_relation) %}
  {% do persist_docs(target_relation, model) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {% do adapter.commit() %}
  {% if need_swap %}{% do adapter.drop_relation(backup_relation) %}{% endif %}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
`

const seeds =
  dispatchers(
    'create_csv_table(model, agate_table)',
    'reset_csv_table(model, full_refresh, old_relation, agate_table)',
    'get_csv_sql(create_or_truncate_sql, insert_sql)',
    'get_binding_char()',
    'get_batch_size()',
    'load_csv_rows(model, agate_table)',
  ) +
  `{% macro default__create_csv_table(model, agate_table) %}{{ return('create table ' ~ this.render()) }}{% endmacro %}
{% macro default__reset_csv_table(model, full_refresh, old_relation, agate_table) %}{{ return('truncate table ' ~ old_relation.render()) }}{% endmacro %}
{% macro default__get_csv_sql(create_or_truncate_sql, insert_sql) %}{{ create_or_truncate_sql }};
-- dbt seed --
{{ insert_sql }}{% endmacro %}
{% macro default__get_binding_char() %}{{ return('?') }}{% endmacro %}
{% macro default__get_batch_size() %}{{ return(10000) }}{% endmacro %}
{% macro get_seed_column_quoted_csv(model, column_names) %}{{ return(get_quoted_csv(column_names)) }}{% endmacro %}
{% macro default__load_csv_rows(model, agate_table) %}{% do adapter.load_seed(model) %}{{ return('') }}{% endmacro %}
{% materialization seed, default %}
  {%- set full_refresh_mode = should_full_refresh() -%}
  {%- set old_relation = adapter.get_relation(database=database, schema=schema, identifier=model['alias']) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {% do adapter.load_seed(model) %}
  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(old_relation, full_refresh_mode)) %}
  {% do persist_docs(target_relation, model) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
`

const tests =
  dispatchers('get_test_sql(main_sql, fail_calc, warn_if, error_if, limit)') +
  `{% macro default__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
select
  {{ fail_calc }} as failures,
  {{ fail_calc }} {{ warn_if }} as should_warn,
  {{ fail_calc }} {{ error_if }} as should_error
from (
{{ main_sql }}
{% if limit is not none %}limit {{ limit }}{% endif %}
) dbt_internal_test
{%- endmacro %}
{% materialization test, default %}
  {%- set found = get_limit_subquery_sql(sql, config.get('limit')) -%}
  {%- set relations = [] -%}
  {%- if should_store_failures() -%}
    {%- set target = api.Relation.create(database=database, schema=schema, identifier=model['alias'], type=config.get('store_failures_as') or 'table') -%}
    {%- do drop_relation_if_exists(adapter.get_relation(database, schema, model['alias'])) -%}
    {%- call statement() -%}{{ get_create_sql(target, found) }}{%- endcall -%}
    {%- do relations.append(target) -%}
    {%- set found = 'select * from ' ~ target -%}
  {%- endif -%}
  {%- call statement('main', fetch_result=True) -%}
    {{ get_test_sql(found, config.get('fail_calc'), config.get('warn_if'), config.get('error_if'), limit=none) }}
  {%- endcall -%}
  {{ return({'relations': relations}) }}
{% endmaterialization %}
`

export const materializationMacros: string = hooks + models + seeds + tests
