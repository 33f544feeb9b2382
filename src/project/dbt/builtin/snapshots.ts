// Snapshots: what changed since the last one, as rows with the time from and to which they were true. The SQL is dbt's,
// so that a history begun by dbt goes on here: the same keys, the same `dbt_scd_id`.

import { dispatchers } from './text.ts'

export const snapshotMacros: string = [
  dispatchers(
    'create_columns(relation, columns)',
    'post_snapshot(staging_relation)',
    'get_true_sql()',
    'snapshot_staging_table(strategy, source_sql, target_relation)',
    'build_snapshot_table(strategy, sql)',
    'snapshot_merge_sql(target, source, insert_cols)',
    'snapshot_hash_arguments(args)',
    'snapshot_string_as_time(timestamp)',
  ),
  `{% macro default__create_columns(relation, columns) %}
  {% for column in columns %}
    {% call statement() %}alter table {{ relation.render() }} add column {{ adapter.quote(column.name) }} {{ column.dtype }};{% endcall %}
  {% endfor %}
{% endmacro %}
{% macro default__post_snapshot(staging_relation) %}{% endmacro %}
{% macro default__get_true_sql() %}{{ return('TRUE') }}{% endmacro %}
{% macro get_snapshot_table_column_names() %}
    {{ return({'dbt_valid_to': 'dbt_valid_to', 'dbt_valid_from': 'dbt_valid_from', 'dbt_scd_id': 'dbt_scd_id', 'dbt_updated_at': 'dbt_updated_at', 'dbt_is_deleted': 'dbt_is_deleted'}) }}
{% endmacro %}
{% macro duckdb__snapshot_string_as_time(timestamp) -%}{{ return("'" ~ timestamp ~ "'::timestamp") }}{%- endmacro %}
{% macro get_dbt_valid_to_current(strategy, columns) %}
  coalesce(nullif({{ strategy.updated_at }}, {{ strategy.updated_at }}), {{ config.get('dbt_valid_to_current') or "null" }})
  as {{ columns.dbt_valid_to }}
{% endmacro %}
{% macro unique_key_fields(unique_key) %}
    {%- if unique_key is sequence and unique_key is not string -%}
      {%- for key in unique_key %} {{ key }} as dbt_unique_key_{{ loop.index }}{{ ',' if not loop.last }}{% endfor -%}
    {%- else %} {{ unique_key }} as dbt_unique_key {%- endif -%}
{% endmacro %}
{% macro unique_key_join_on(unique_key, identifier, from_identifier) %}
    {%- if unique_key is sequence and unique_key is not string -%}
      {%- for key in unique_key -%}
        {{ equals(identifier ~ ".dbt_unique_key_" ~ loop.index, from_identifier ~ ".dbt_unique_key_" ~ loop.index) }}{{ ' and ' if not loop.last }}
      {%- endfor -%}
    {%- else -%}{{ identifier }}.dbt_unique_key = {{ from_identifier }}.dbt_unique_key{%- endif -%}
{% endmacro %}
{% macro unique_key_is_null(unique_key, identifier) %}{{ identifier }}.dbt_unique_key{{ '_1' if unique_key is sequence and unique_key is not string }} is null{% endmacro %}
{% macro unique_key_is_not_null(unique_key, identifier) %}{{ identifier }}.dbt_unique_key{{ '_1' if unique_key is sequence and unique_key is not string }} is not null{% endmacro %}
{% macro default__build_snapshot_table(strategy, sql) %}
    {% set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() %}
    select *,
        {{ strategy.scd_id }} as {{ columns.dbt_scd_id }},
        {{ strategy.updated_at }} as {{ columns.dbt_updated_at }},
        {{ strategy.updated_at }} as {{ columns.dbt_valid_from }},
        {{ get_dbt_valid_to_current(strategy, columns) }}
        {%- if strategy.hard_deletes == 'new_record' -%}, 'False' as {{ columns.dbt_is_deleted }}{%- endif %}
    from (
        {{ sql }}
    ) sbq
{% endmacro %}
{% macro build_snapshot_staging_table(strategy, sql, target_relation) %}
    {% set temp_relation = duckdb__dispatch_temporary_relation(target_relation).relation %}
    {% set select = snapshot_staging_table(strategy, sql, target_relation) %}
    {% call statement('build_snapshot_staging_relation') %}{{ create_table_as(True, temp_relation, select) }}{% endcall %}
    {% do return(temp_relation) %}
{% endmacro %}
`,
  `{% macro default__snapshot_staging_table(strategy, source_sql, target_relation) -%}
    {%- set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
    {%- set keeps_deleted = strategy.hard_deletes == 'new_record' -%}
    {%- set key = strategy.unique_key -%}
    {%- set current = config.get('dbt_valid_to_current') -%}
    {%- set is_last_deleted -%}
      (snapshotted_data.{{ columns.dbt_is_deleted }} = 'True' and snapshotted_data.{{ columns.dbt_valid_to }} {{ '= ' ~ current if current else 'is null' }})
    {%- endset -%}
    with snapshot_query as (

        {{ source_sql }}

    ),

    snapshotted_data as (
        select *, {{ unique_key_fields(key) }}
        from {{ target_relation }}
        where {% if current -%}
          ( {{ equals(columns.dbt_valid_to, current) }} or {{ columns.dbt_valid_to }} is null )
        {%- else -%}
          {{ columns.dbt_valid_to }} is null
        {%- endif %}
    ),

    insertions_source_data as (
        select *, {{ unique_key_fields(key) }},
            {{ strategy.updated_at }} as {{ columns.dbt_updated_at }},
            {{ strategy.updated_at }} as {{ columns.dbt_valid_from }},
            {{ get_dbt_valid_to_current(strategy, columns) }},
            {{ strategy.scd_id }} as {{ columns.dbt_scd_id }}
        from snapshot_query
    ),

    updates_source_data as (
        select *, {{ unique_key_fields(key) }},
            {{ strategy.updated_at }} as {{ columns.dbt_updated_at }},
            {{ strategy.updated_at }} as {{ columns.dbt_valid_from }},
            {{ strategy.updated_at }} as {{ columns.dbt_valid_to }}
        from snapshot_query
    ),
    {% if strategy.hard_deletes in ('invalidate', 'new_record') %}
    deletes_source_data as (
        select *, {{ unique_key_fields(key) }}
        from snapshot_query
    ),
    {% endif %}
    insertions as (
        select 'insert' as dbt_change_type, source_data.* {%- if keeps_deleted %}, 'False' as {{ columns.dbt_is_deleted }}{% endif %}
        from insertions_source_data as source_data
        left outer join snapshotted_data
            on {{ unique_key_join_on(key, "snapshotted_data", "source_data") }}
        where {{ unique_key_is_null(key, "snapshotted_data") }}
            or ({{ unique_key_is_not_null(key, "snapshotted_data") }} and (
               {{ strategy.row_changed }} {%- if keeps_deleted %} or snapshotted_data.{{ columns.dbt_is_deleted }} = 'True'{% endif %}
            ))
    ),

    updates as (
        select 'update' as dbt_change_type, source_data.*, snapshotted_data.{{ columns.dbt_scd_id }}
          {%- if keeps_deleted %}, snapshotted_data.{{ columns.dbt_is_deleted }}{% endif %}
        from updates_source_data as source_data
        join snapshotted_data
            on {{ unique_key_join_on(key, "snapshotted_data", "source_data") }}
        where (
            {{ strategy.row_changed }} {%- if keeps_deleted %} or snapshotted_data.{{ columns.dbt_is_deleted }} = 'True'{% endif %}
        )
    )
    {%- if strategy.hard_deletes in ('invalidate', 'new_record') %},

    deletes as (
        select 'delete' as dbt_change_type, source_data.*,
            {{ snapshot_get_time() }} as {{ columns.dbt_valid_from }},
            {{ snapshot_get_time() }} as {{ columns.dbt_updated_at }},
            {{ snapshot_get_time() }} as {{ columns.dbt_valid_to }},
            snapshotted_data.{{ columns.dbt_scd_id }}
          {%- if keeps_deleted %}, snapshotted_data.{{ columns.dbt_is_deleted }}{% endif %}
        from snapshotted_data
        left join deletes_source_data as source_data
            on {{ unique_key_join_on(key, "snapshotted_data", "source_data") }}
        where {{ unique_key_is_null(key, "source_data") }}
        {%- if keeps_deleted %} and not {{ is_last_deleted }}{% endif %}
    )
    {%- endif %}
    {%- if keeps_deleted %},

    deletion_records as (
        {%- set snapshotted_cols = get_list_of_column_names(get_columns_in_relation(target_relation)) %}
        select 'insert' as dbt_change_type,
            {%- for col_name in get_columns_in_query(source_sql) %}
            {{ 'snapshotted_data' if col_name in snapshotted_cols else 'source_data' }}.{{ adapter.quote(col_name) }},
            {%- endfor -%}
            {%- if key is sequence and key is not string -%}
              {%- for one in key %} snapshotted_data.{{ one }} as dbt_unique_key_{{ loop.index }},{% endfor -%}
            {%- else %} snapshotted_data.dbt_unique_key as dbt_unique_key,{%- endif %}
            {{ snapshot_get_time() }} as {{ columns.dbt_valid_from }},
            {{ snapshot_get_time() }} as {{ columns.dbt_updated_at }},
            snapshotted_data.{{ columns.dbt_valid_to }} as {{ columns.dbt_valid_to }},
            {{ snapshot_hash_arguments([columns.dbt_scd_id, snapshot_get_time()]) }} as {{ columns.dbt_scd_id }},
            'True' as {{ columns.dbt_is_deleted }}
        from snapshotted_data
        left join deletes_source_data as source_data
            on {{ unique_key_join_on(key, "snapshotted_data", "source_data") }}
        where {{ unique_key_is_null(key, "source_data") }} and not {{ is_last_deleted }}
    )
    {%- endif %}

    select * from insertions
    union all
    select * from updates
    {%- if strategy.hard_deletes in ('invalidate', 'new_record') %}
    union all
    select * from deletes
    {%- endif %}
    {%- if keeps_deleted %}
    union all
    select * from deletion_records
    {%- endif %}
{%- endmacro %}
{% macro duckdb__snapshot_merge_sql(target, source, insert_cols) -%}
    {%- set columns = config.get("snapshot_table_column_names") or get_snapshot_table_column_names() -%}
    {%- set current = config.get('dbt_valid_to_current') -%}
    update {{ target }} as DBT_INTERNAL_TARGET
    set {{ columns.dbt_valid_to }} = DBT_INTERNAL_SOURCE.{{ columns.dbt_valid_to }}
    from {{ source }} as DBT_INTERNAL_SOURCE
    where DBT_INTERNAL_SOURCE.{{ columns.dbt_scd_id }}::text = DBT_INTERNAL_TARGET.{{ columns.dbt_scd_id }}::text
      and DBT_INTERNAL_SOURCE.dbt_change_type::text in ('update'::text, 'delete'::text)
      and ({{ 'DBT_INTERNAL_TARGET.' ~ columns.dbt_valid_to ~ ' = ' ~ current ~ ' or ' if current }}DBT_INTERNAL_TARGET.{{ columns.dbt_valid_to }} is null);

    insert into {{ target }} ({{ insert_cols | join(', ') }})
    select {% for column in insert_cols %}DBT_INTERNAL_SOURCE.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
    from {{ source }} as DBT_INTERNAL_SOURCE
    where DBT_INTERNAL_SOURCE.dbt_change_type::text = 'insert'::text;
{% endmacro %}
{% macro default__snapshot_merge_sql(target, source, insert_cols) -%}{{ duckdb__snapshot_merge_sql(target, source, insert_cols) }}{%- endmacro %}
`,
  `{% macro strategy_dispatch(name) -%}
  {%- set parts = name.split('.', 1) -%}
  {%- set found_in = context -%}
  {%- if parts | length == 2 -%}
    {%- if context[parts[0]] is not defined -%}{{ exceptions.raise_compiler_error("Could not find package '" ~ parts[0] ~ "', called with '" ~ name ~ "'") }}{%- endif -%}
    {%- set found_in = context[parts[0]] -%}
  {%- endif -%}
  {%- set search_name = 'snapshot_' ~ parts[-1] ~ '_strategy' -%}
  {%- if found_in[search_name] is not defined -%}{{ exceptions.raise_compiler_error("The specified strategy macro '" ~ name ~ "' was not found") }}{%- endif -%}
  {{ return(found_in[search_name]) }}
{%- endmacro %}
{% macro default__snapshot_hash_arguments(args) -%}
    md5({%- for arg in args -%}
        coalesce(cast({{ arg }} as varchar ), '')
        {% if not loop.last %} || '|' || {% endif %}
    {%- endfor -%})
{%- endmacro %}
{% macro snapshot_timestamp_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
    {% set key = config.get('unique_key') %}
    {% set updated_at = config.get('updated_at') %}
    {% set hard_deletes = adapter.get_hard_deletes_behavior(config) %}
    {% set columns = config.get("snapshot_table_column_names") or get_snapshot_table_column_names() %}
    {% do return({
        "unique_key": key,
        "updated_at": updated_at,
        "row_changed": '(' ~ snapshotted_rel ~ '.' ~ columns.dbt_valid_from ~ ' < ' ~ current_rel ~ '.' ~ updated_at ~ ')',
        "scd_id": snapshot_hash_arguments((key if key is sequence and key is not string else [key]) + [updated_at]),
        "invalidate_hard_deletes": hard_deletes == 'invalidate',
        "hard_deletes": hard_deletes
    }) %}
{% endmacro %}
{% macro snapshot_check_all_get_existing_columns(node, target_exists, check_cols_config) -%}
    {%- if not target_exists -%}{{ return((false, query_columns)) }}{%- endif -%}
    {%- if check_cols_config == 'all' -%}
      {%- set query_columns = get_columns_in_query(node['compiled_code']) -%}
    {%- elif check_cols_config is iterable and check_cols_config is not string and check_cols_config | length > 0 -%}
      {%- set query_columns = get_columns_in_query("select " ~ check_cols_config | join(', ') ~ " from (\n" ~ node['compiled_code'] ~ "\n) subq") -%}
    {%- else -%}
      {% do exceptions.raise_compiler_error("Invalid value for 'check_cols': " ~ check_cols_config) %}
    {%- endif -%}
    {%- set target_relation = adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) -%}
    {%- set existing_cols = adapter.get_columns_in_relation(target_relation) | map(attribute='name') | list -%}
    {%- set intersection = [] -%}
    {%- for col in query_columns if col in existing_cols -%}{%- do intersection.append(adapter.quote(col)) -%}{%- endfor -%}
    {{ return((intersection | length < query_columns | length, intersection)) }}
{%- endmacro %}
{% macro snapshot_check_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
    {% set key = config.get('unique_key') %}
    {% set hard_deletes = adapter.get_hard_deletes_behavior(config) %}
    {% set updated_at = config.get('updated_at') or snapshot_get_time() %}
    {% set column_added, check_cols = snapshot_check_all_get_existing_columns(node, target_exists, config.get('check_cols')) %}
    {%- set row_changed -%}
    (
    {%- if column_added -%}{{ get_true_sql() }}
    {%- else -%}
    {%- for col in check_cols -%}
        {{ snapshotted_rel }}.{{ col }} != {{ current_rel }}.{{ col }}
        or ((({{ snapshotted_rel }}.{{ col }} is null) and not ({{ current_rel }}.{{ col }} is null))
            or ((not {{ snapshotted_rel }}.{{ col }} is null) and ({{ current_rel }}.{{ col }} is null)))
        {%- if not loop.last %} or {% endif -%}
    {%- endfor -%}
    {%- endif -%}
    )
    {%- endset %}
    {% do return({
        "unique_key": key,
        "updated_at": updated_at,
        "row_changed": row_changed,
        "scd_id": snapshot_hash_arguments((key if key is sequence and key is not string else [key]) + [updated_at]),
        "invalidate_hard_deletes": hard_deletes == 'invalidate',
        "hard_deletes": hard_deletes
    }) %}
{% endmacro %}
{% materialization snapshot, default %}
  {%- set grant_config = config.get('grants') -%}
  {%- set unique_key = config.get('unique_key') -%}
  {% set target_relation_exists, target_relation = get_or_create_relation(database=model.database, schema=model.schema, identifier=model.get('alias', model.get('name')), type='table') -%}
  {%- if not target_relation.is_table -%}{% do exceptions.relation_wrong_type(target_relation, 'table') %}{%- endif -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {% set strategy_macro = strategy_dispatch(config.get('strategy')) %}
  {% set strategy = strategy_macro(model, "snapshotted_data", "source_data", model['config'], target_relation_exists) %}
  {% if not target_relation_exists %}
      {% set final_sql = create_table_as(False, target_relation, build_snapshot_table(strategy, model['compiled_code'])) %}
  {% else %}
      {% set columns = config.get("snapshot_table_column_names") or get_snapshot_table_column_names() %}
      {{ adapter.assert_valid_snapshot_target_given_strategy(target_relation, columns, strategy) }}
      {% set staging_table = build_snapshot_staging_table(strategy, sql, target_relation) %}
      {% do adapter.expand_target_column_types(from_relation=staging_table, to_relation=target_relation) %}
      {% set hidden = ['dbt_change_type', 'DBT_CHANGE_TYPE', 'dbt_unique_key', 'DBT_UNIQUE_KEY'] %}
      {% for key in (unique_key if unique_key is sequence and unique_key is not string else []) %}
        {% do hidden.extend(['dbt_unique_key_' ~ loop.index, 'DBT_UNIQUE_KEY_' ~ loop.index]) %}
      {% endfor %}
      {% do create_columns(target_relation, adapter.get_missing_columns(staging_table, target_relation) | rejectattr('name', 'in', hidden) | list) %}
      {% set insert_cols = [] %}
      {% for column in adapter.get_columns_in_relation(staging_table) | rejectattr('name', 'in', hidden) %}
        {% do insert_cols.append(adapter.quote(column.name)) %}
      {% endfor %}
      {% set final_sql = snapshot_merge_sql(target=target_relation, source=staging_table, insert_cols=insert_cols) %}
  {% endif %}
  {% call statement('main') %}{{ final_sql }}{% endcall %}
  {% do apply_grants(target_relation, grant_config, should_revoke=should_revoke(target_relation_exists, full_refresh_mode=False)) %}
  {% do persist_docs(target_relation, model) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {% do adapter.commit() %}
  {% if staging_table is defined %}{% do post_snapshot(staging_table) %}{% endif %}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
`,
].join('')
