// Incremental strategies and what they are made of: dbt-adapters' and dbt-duckdb's macros, with the SQL that those send.

import { dispatchers } from './text.ts'

export const incrementalMacros: string = [
  dispatchers(
    'get_incremental_append_sql(arg_dict)',
    'get_incremental_delete_insert_sql(arg_dict)',
    'get_incremental_merge_sql(arg_dict)',
    'get_incremental_insert_overwrite_sql(arg_dict)',
    'get_incremental_default_sql(arg_dict)',
    'get_incremental_microbatch_sql(arg_dict)',
    'get_delete_insert_merge_sql(target, source, unique_key, dest_columns, incremental_predicates)',
    'get_insert_overwrite_merge_sql(target, source, dest_columns, predicates, include_sql_header=false)',
    'get_merge_unique_key_match(source_unique_key, target_unique_key)',
    'get_merge_update_columns(merge_update_columns, merge_exclude_columns, dest_columns)',
    'diff_column_data_types(source_columns, target_columns)',
    'check_for_schema_changes(source_relation, target_relation)',
    'sync_column_schemas(on_schema_change, target_relation, schema_changes_dict)',
    'process_schema_changes(on_schema_change, source_relation, target_relation)',
  ),
  `{% macro get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
  {% set incremental_predicates = kwargs.get('predicates', incremental_predicates) %}
  {{ adapter.dispatch('get_merge_sql', 'dbt')(target, source, unique_key, dest_columns, incremental_predicates) }}
{%- endmacro %}
{% macro get_quoted_csv(column_names) %}
    {% set quoted = [] %}
    {% for col in column_names %}{% do quoted.append(adapter.quote(col)) %}{% endfor %}
    {{ return(quoted | join(', ')) }}
{% endmacro %}
{% macro diff_columns(source_columns, target_columns) %}
  {% set known = target_columns | map(attribute='column') | list %}
  {{ return(source_columns | rejectattr('name', 'in', known) | list) }}
{% endmacro %}
{% macro default__diff_column_data_types(source_columns, target_columns) %}
  {% set result = [] %}
  {% for sc in source_columns %}
    {% set tc = target_columns | selectattr("name", "equalto", sc.name) | list | first %}
    {% if tc and sc.expanded_data_type != tc.expanded_data_type and not sc.can_expand_to(other_column=tc) %}
      {% do result.append({'column_name': tc.name, 'new_type': sc.expanded_data_type}) %}
    {% endif %}
  {% endfor %}
  {{ return(result) }}
{% endmacro %}
{% macro default__get_merge_unique_key_match(source_unique_key, target_unique_key) -%}
    {{ return(equals(source_unique_key, target_unique_key) | trim) }}
{%- endmacro %}
{% macro default__get_merge_update_columns(merge_update_columns, merge_exclude_columns, dest_columns) %}
  {%- if merge_update_columns and merge_exclude_columns -%}
    {{ exceptions.raise_compiler_error('Model cannot specify merge_update_columns and merge_exclude_columns. Please update model to use only one config') }}
  {%- elif merge_update_columns -%}
    {{ return(merge_update_columns) }}
  {%- elif merge_exclude_columns -%}
    {%- set excluded = merge_exclude_columns | map('lower') | list -%}
    {%- set update_columns = [] -%}
    {%- for column in dest_columns if column.column | lower not in excluded -%}
      {%- do update_columns.append(column.quoted) -%}
    {%- endfor -%}
    {{ return(update_columns) }}
  {%- endif -%}
  {{ return(dest_columns | map(attribute="quoted") | list) }}
{% endmacro %}
{% macro normalize_string_or_list(raw, field_name) -%}
  {%- set result = [] if raw is none else [raw] if raw is string else raw -%}
  {%- if result is mapping or result is not sequence -%}
    {{ exceptions.raise_compiler_error(field_name ~ " must be a list of strings or a string") }}
  {%- endif -%}
  {%- for item in result if item is not string -%}
    {% do exceptions.raise_compiler_error(field_name ~ " list values must be non-empty strings") %}
  {%- endfor -%}
  {{ return(result | list) }}
{%- endmacro %}
{% macro normalize_incremental_predicates(incremental_predicates) -%}
  {{ return(normalize_string_or_list(incremental_predicates, "incremental_predicates")) }}
{%- endmacro %}
`,
  `{% macro default__get_incremental_append_sql(arg_dict) %}
  {% do return(get_insert_into_sql(arg_dict["target_relation"], arg_dict["temp_relation"], arg_dict["dest_columns"])) %}
{% endmacro %}
{% macro default__get_incremental_delete_insert_sql(arg_dict) %}
  {% do return(get_delete_insert_merge_sql(arg_dict["target_relation"], arg_dict["temp_relation"], arg_dict["unique_key"], arg_dict["dest_columns"], arg_dict["incremental_predicates"])) %}
{% endmacro %}
{% macro default__get_incremental_merge_sql(arg_dict) %}
  {% do return(get_merge_sql(arg_dict["target_relation"], arg_dict["temp_relation"], arg_dict["unique_key"], arg_dict["dest_columns"], arg_dict["incremental_predicates"])) %}
{% endmacro %}
{% macro default__get_incremental_insert_overwrite_sql(arg_dict) %}
  {% do return(get_insert_overwrite_merge_sql(arg_dict["target_relation"], arg_dict["temp_relation"], arg_dict["dest_columns"], arg_dict["incremental_predicates"])) %}
{% endmacro %}
{% macro duckdb__get_incremental_default_sql(arg_dict) %}{% do return(get_incremental_delete_insert_sql(arg_dict)) %}{% endmacro %}
{% macro default__get_incremental_default_sql(arg_dict) %}{% do return(get_incremental_append_sql(arg_dict)) %}{% endmacro %}
{% macro get_insert_into_sql(target_relation, temp_relation, dest_columns) %}
    {%- set dest_cols_csv = get_quoted_csv(dest_columns | map(attribute="name")) -%}
    insert into {{ target_relation }} ({{ dest_cols_csv }})
    (
        select {{ dest_cols_csv }}
        from {{ temp_relation }}
    )
{% endmacro %}
{% macro duckdb__get_delete_insert_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) -%}
    {%- set dest_cols_csv = get_quoted_csv(dest_columns | map(attribute="name")) -%}
    {% if unique_key %}
        {% if unique_key is sequence and unique_key is not string %}
            delete from {{ target }} as DBT_INCREMENTAL_TARGET
            using {{ source }}
            where (
                {% for key in unique_key %}
                    {{ source }}.{{ key }} = DBT_INCREMENTAL_TARGET.{{ key }}
                    {{ "and " if not loop.last }}
                {% endfor %}
                {% for predicate in incremental_predicates or [] %}
                    and {{ predicate }}
                {% endfor %}
            );
        {% else %}
            delete from {{ target }}
            where (
                {{ unique_key }}) in (
                select ({{ unique_key }})
                from {{ source }}
            )
            {%- for predicate in incremental_predicates or [] %}
                and {{ predicate }}
            {%- endfor -%};
        {% endif %}
    {% endif %}
    insert into {{ target }} ({{ dest_cols_csv }})
    (
        select {{ dest_cols_csv }}
        from {{ source }}
    )
{%- endmacro %}
{% macro default__get_delete_insert_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) -%}
    {{ duckdb__get_delete_insert_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) }}
{%- endmacro %}
{% macro default__get_insert_overwrite_merge_sql(target, source, dest_columns, predicates, include_sql_header) -%}
    {%- set dest_cols_csv = get_quoted_csv(dest_columns | map(attribute="name")) -%}
    {%- set sql_header = config.get('sql_header', none) -%}
    {{ sql_header if sql_header is not none and include_sql_header }}
    merge into {{ target }} as DBT_INTERNAL_DEST
        using {{ source }} as DBT_INTERNAL_SOURCE
        on FALSE
    when not matched by source
        {% if predicates %} and {{ predicates | join(' and ') }} {% endif %}
        then delete
    when not matched then insert
        ({{ dest_cols_csv }})
    values
        ({% for column in dest_columns %}DBT_INTERNAL_SOURCE.{{ adapter.quote(column.name) }}{{ ', ' if not loop.last }}{% endfor %})
{% endmacro %}
{% macro default__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {{ duckdb__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) }}
{% endmacro %}
`,
  // MERGE of dbt-duckdb: simple configs, or a list of clauses for each case.
  `{% macro duckdb__get_incremental_merge_sql(args_dict) %}
  {{ return(get_merge_sql(args_dict['target_relation'], args_dict['temp_relation'], args_dict['unique_key'], args_dict['dest_columns'], normalize_incremental_predicates(args_dict.get('incremental_predicates')))) }}
{% endmacro %}
{% macro duckdb__merge_join_clause(unique_key, merge_on_using_columns, incremental_predicates) -%}
    {%- set filters = incremental_predicates or [] -%}
    {%- if merge_on_using_columns -%}
        USING ({{ merge_on_using_columns | join(', ') }})
    {%- else -%}
        {%- set keys = [] -%}
        {%- for key in ([] if not unique_key else [unique_key] if unique_key is string else unique_key) -%}
            {%- do keys.append("DBT_INTERNAL_SOURCE." ~ key ~ " = DBT_INTERNAL_DEST." ~ key) -%}
        {%- endfor -%}
        ON ({{ ((keys or ['FALSE']) + filters) | join(") AND (") }})
    {%- endif -%}
{%- endmacro %}
{% macro duckdb__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {{ validate_merge_config(config, target) }}
    {%- set sql_header = config.get('sql_header', none) -%}
    {%- set defaults = merge_clause_defaults(
        config.get('merge_update_condition', none),
        config.get('merge_insert_condition', none),
        config.get('merge_update_columns', []),
        config.get('merge_exclude_columns', []),
        config.get('merge_update_set_expressions', {})
    ) -%}
    {%- set is_explicit = config.get('merge_update_columns') or config.get('merge_exclude_columns') or config.get('merge_update_set_expressions') -%}
    {%- set clauses = config.get('merge_clauses', {}) -%}
    {%- set matched = clauses.get('when_matched', [defaults.when_matched_update_explicit if is_explicit else defaults.when_matched_update_by_name]) -%}
    {%- set not_matched = clauses.get('when_not_matched', [defaults.when_not_matched_insert_by_name]) -%}
    {{ sql_header if sql_header is not none }}
    MERGE INTO {{ target }} AS DBT_INTERNAL_DEST
        USING {{ source }} AS DBT_INTERNAL_SOURCE
        {{ duckdb__merge_join_clause(unique_key, config.get('merge_on_using_columns', []), normalize_incremental_predicates(incremental_predicates)) }}
    {%- for clause in matched %}
    WHEN MATCHED {{- duckdb__merge_condition(clause) }} THEN {{ duckdb__merge_action(clause, dest_columns) }}
    {%- endfor %}
    {%- for clause in not_matched %}
    WHEN NOT MATCHED {{ 'BY ' ~ clause.get('by') | upper if clause.get('by') }} {{- duckdb__merge_condition(clause) }} THEN {{ duckdb__merge_action(clause, dest_columns) }}
    {%- endfor %}
{% endmacro %}
{% macro duckdb__merge_condition(clause) -%}
    {%- set condition = clause.get('condition') -%}
    {%- if condition is string %} AND {{ condition }}{% elif condition %} AND ({{ condition | join(') AND (') }}){% endif -%}
{%- endmacro %}
{% macro duckdb__merge_action(clause, dest_columns) -%}
    {%- set mode = clause.get('mode') -%}
    {%- if clause.get('action') == 'update' -%}
        {%- if mode in ('by_name', 'by_position') -%}UPDATE {{ mode | replace('_', ' ') | upper }}
        {%- elif mode == 'star' -%}UPDATE SET *
        {%- else -%}
            {%- set update = clause.get('update', {}) -%}
            {%- set expressions = update.get('set_expressions', {}) or clause.get('set_expressions', {}) -%}
            {%- set assignments = [] -%}
            {%- for column, expression in expressions.items() -%}{%- do assignments.append(column ~ ' = ' ~ expression) -%}{%- endfor -%}
            {%- if mode == 'explicit' -%}
              {%- for column in get_merge_update_columns(update.get('include', []), update.get('exclude', []), dest_columns) -%}
                {%- if column.replace('"', '').replace("'", "") not in expressions -%}{%- do assignments.append(column ~ ' = DBT_INTERNAL_SOURCE.' ~ column) -%}{%- endif -%}
              {%- endfor -%}
            {%- endif -%}
            UPDATE SET {{ assignments | join(', ') }}
        {%- endif -%}
    {%- elif clause.get('action') == 'insert' -%}
        {%- if mode in ('by_name', 'by_position') -%}INSERT {{ mode | replace('_', ' ') | upper }}
        {%- elif mode == 'star' -%}INSERT *
        {%- else -%}INSERT ({{ clause.get('insert', {}).get('columns', []) | join(', ') }}) VALUES ({{ clause.get('insert', {}).get('values', []) | join(', ') }})
        {%- endif -%}
    {%- elif clause.get('action') == 'delete' -%}DELETE
    {%- elif clause.get('action') == 'do_nothing' -%}DO NOTHING
    {%- elif clause.get('action') == 'error' -%}ERROR{{ " '" ~ clause.get('error_message') | replace("'", "''") ~ "'" if clause.get('error_message') }}
    {%- endif -%}
{%- endmacro %}
{% macro merge_clause_defaults(merge_update_condition, merge_insert_condition, merge_update_columns=[], merge_exclude_columns=[], merge_update_set_expressions={}) -%}
    {{ return({
        'when_matched_update_by_name': {'action': 'update', 'condition': merge_update_condition, 'mode': 'by_name'},
        'when_not_matched_insert_by_name': {'action': 'insert', 'condition': merge_insert_condition, 'mode': 'by_name'},
        'when_matched_update_explicit': {'action': 'update', 'condition': merge_update_condition, 'mode': 'explicit',
          'update': {'include': merge_update_columns, 'exclude': merge_exclude_columns, 'set_expressions': merge_update_set_expressions}}
    }) }}
{%- endmacro %}
{% macro validate_merge_config(config, target_relation=none) %}
  {%- set errors = [] -%}
  {%- set basic = ['merge_update_condition', 'merge_insert_condition', 'merge_update_columns', 'merge_exclude_columns', 'merge_update_set_expressions'] -%}
  {%- for name in ['merge_update_condition', 'merge_insert_condition'] -%}
    {%- if config.get(name) is not none and config.get(name) is not string -%}{%- do errors.append(name ~ " must be a string, found: " ~ config.get(name)) -%}{%- endif -%}
  {%- endfor -%}
  {%- for name in ['merge_on_using_columns', 'merge_update_columns', 'merge_exclude_columns', 'merge_returning_columns'] -%}
    {%- set value = config.get(name) -%}
    {%- if value is not none and (value is string or value is mapping or value is not sequence) -%}{%- do errors.append(name ~ " must be a list") -%}{%- endif -%}
  {%- endfor -%}
  {%- if config.get('merge_update_set_expressions') is not none and config.get('merge_update_set_expressions') is not mapping -%}
    {%- do errors.append("merge_update_set_expressions must be a dictionary, found: " ~ config.get('merge_update_set_expressions')) -%}
  {%- endif -%}
  {%- set clauses = config.get('merge_clauses') -%}
  {%- if clauses is not none and clauses is not mapping -%}{%- do errors.append("merge_clauses must be a dictionary, found: " ~ clauses) -%}
  {%- elif clauses is not none -%}
    {%- if 'when_matched' not in clauses and 'when_not_matched' not in clauses -%}
      {%- do errors.append("merge_clauses must contain at least one of 'when_matched' or 'when_not_matched' keys") -%}
    {%- endif -%}
    {%- for kind in ['when_matched', 'when_not_matched'] if kind in clauses -%}
      {%- if clauses[kind] is string or clauses[kind] is mapping or clauses[kind] is not sequence -%}{%- do errors.append("merge_clauses." ~ kind ~ " must be a list") -%}
      {%- elif clauses[kind] | length == 0 -%}{%- do errors.append("merge_clauses." ~ kind ~ " must contain at least one element") -%}
      {%- endif -%}
      {%- for clause in clauses[kind] if clauses[kind] is sequence and clauses[kind] is not string and clause is not mapping -%}
        {%- do errors.append("merge_clauses." ~ kind ~ " elements must be dictionaries, found: " ~ clause) -%}
      {%- endfor -%}
    {%- endfor -%}
    {%- set ignored = [] -%}
    {%- for name in basic if config.get(name) -%}{%- do ignored.append(name) -%}{%- endfor -%}
    {%- if ignored -%}
      {%- do errors.append("When merge_clauses is specified, the following basic merge configurations will be ignored and should be removed: " ~ ignored | join(', ') ~ ". Define your merge behavior within merge_clauses instead.") -%}
    {%- endif -%}
  {%- endif -%}
  {%- if errors -%}{{ exceptions.raise_compiler_error("MERGE configuration errors:\n" ~ errors | join('\n')) }}{%- endif -%}
{% endmacro %}
`,
  `{% macro duckdb__get_incremental_microbatch_sql(arg_dict) -%}
    {%- set event_time = config.get('event_time') -%}
    {%- if not event_time -%}
        {{ exceptions.raise_compiler_error("microbatch incremental strategy requires an 'event_time' model config") }}
    {%- endif -%}
    {%- if config.get('unique_key') -%}
        {{ exceptions.raise_compiler_error("microbatch incremental strategy does not support 'unique_key'. Remove 'unique_key' or use incremental_strategy='merge'.") }}
    {%- endif -%}
    {%- set batch = model.get('batch') -%}
    {%- if not batch -%}
        {{ exceptions.raise_compiler_error("microbatch incremental strategy requires 'batch.event_time_start' and 'batch.event_time_end' to be set in the context") }}
    {%- endif -%}
    {%- set target = arg_dict["target_relation"] -%}
    {%- set dest_cols_csv = get_quoted_csv(arg_dict["dest_columns"] | map(attribute="name")) -%}
    {%- set inside -%}
        {{ event_time }} >= '{{ batch.event_time_start }}' and {{ event_time }} < '{{ batch.event_time_end }}'
    {%- endset -%}
    {%- set build_sql -%}
        delete from {{ target }}
        where {{ inside }}
        {%- for predicate in normalize_incremental_predicates(arg_dict.get("incremental_predicates")) %}
        and ({{ predicate }})
        {%- endfor %};
        insert into {{ target }} ({{ dest_cols_csv }})
        select {{ dest_cols_csv }}
        from {{ arg_dict["temp_relation"] }}
        where {{ inside }};
    {%- endset -%}
    {{ return(build_sql) }}
{%- endmacro %}
{% macro incremental_validate_on_schema_change(on_schema_change, default='ignore') %}
   {% if on_schema_change in ['sync_all_columns', 'append_new_columns', 'fail', 'ignore'] %}{{ return(on_schema_change) }}{% endif %}
   {% do log('Invalid value for on_schema_change (%s) specified. Setting default value of %s.' % (on_schema_change, default)) %}
   {{ return(default) }}
{% endmacro %}
{% macro default__check_for_schema_changes(source_relation, target_relation) %}
  {%- set source_columns = adapter.get_columns_in_relation(source_relation) -%}
  {%- set target_columns = adapter.get_columns_in_relation(target_relation) -%}
  {%- set source_not_in_target = diff_columns(source_columns, target_columns) -%}
  {%- set target_not_in_source = diff_columns(target_columns, source_columns) -%}
  {%- set new_target_types = diff_column_data_types(source_columns, target_columns) -%}
  {{ return({
    'schema_changed': (source_not_in_target + target_not_in_source + new_target_types) | length > 0,
    'source_not_in_target': source_not_in_target,
    'target_not_in_source': target_not_in_source,
    'source_columns': source_columns,
    'target_columns': target_columns,
    'new_target_types': new_target_types
  }) }}
{% endmacro %}
{% macro default__sync_column_schemas(on_schema_change, target_relation, schema_changes_dict) %}
  {%- set added = schema_changes_dict['source_not_in_target'] -%}
  {%- set removed = schema_changes_dict['target_not_in_source'] if on_schema_change == 'sync_all_columns' else [] -%}
  {%- if added or removed -%}
    {%- do alter_relation_add_remove_columns(target_relation, added, removed or none) -%}
  {%- endif -%}
  {%- if on_schema_change == 'sync_all_columns' -%}
    {%- for change in schema_changes_dict['new_target_types'] -%}
      {%- do alter_column_type(target_relation, change['column_name'], change['new_type']) -%}
    {%- endfor -%}
  {%- endif -%}
{% endmacro %}
{% macro default__process_schema_changes(on_schema_change, source_relation, target_relation) %}
    {% if on_schema_change == 'ignore' %}{{ return({}) }}{% endif %}
    {% set changed = check_for_schema_changes(source_relation, target_relation) %}
    {% if changed['schema_changed'] and on_schema_change == 'fail' %}
      {% set fail_msg %}
          The source and target schemas on this incremental model are out of sync!
          They can be reconciled in several ways:
            - set the \`on_schema_change\` config to either append_new_columns or sync_all_columns, depending on your situation.
            - Re-run the incremental model with \`full_refresh: True\` to update the target schema.
            - update the schema manually and re-run the process.

          Additional troubleshooting context:
             Source columns not in target: {{ changed['source_not_in_target'] }}
             Target columns not in source: {{ changed['target_not_in_source'] }}
             New column types: {{ changed['new_target_types'] }}
      {% endset %}
      {% do exceptions.raise_compiler_error(fail_msg) %}
    {% elif changed['schema_changed'] %}
      {% do sync_column_schemas(on_schema_change, target_relation, changed) %}
    {% endif %}
    {{ return(changed['source_columns']) }}
{% endmacro %}
`,
].join('')
