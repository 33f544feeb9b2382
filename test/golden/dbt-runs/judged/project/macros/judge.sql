{% materialization test, default %}
  {% set made = dbt.materialization_test_default() %}
  {% set counted = load_result('main').table.rows[0][0] %}
  {% do run_query("insert into " ~ target.schema ~ ".judged values ('" ~ model.name ~ "', " ~ counted ~ ")") %}
  {% do adapter.commit() %}
  {{ return(made) }}
{% endmaterialization %}

{% macro default__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) %}
  select 2 * {{ fail_calc }} as failures, 2 * {{ fail_calc }} {{ warn_if }} as should_warn, 2 * {{ fail_calc }} {{ error_if }} as should_error
  from ({{ main_sql }}) judged_here
{% endmacro %}
