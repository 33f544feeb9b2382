{% macro get_incremental_only_larger_sql(arg_dict) %}
  merge into {{ arg_dict.target_relation }} as t using {{ arg_dict.temp_relation }} as s on t.id = s.id
  when matched and s.amount > t.amount then update set amount = s.amount
  when not matched then insert ({{ get_quoted_csv(arg_dict.dest_columns | map(attribute='name')) }}) values ({% for c in arg_dict.dest_columns %}s.{{ c.quoted }}{{ ', ' if not loop.last }}{% endfor %})
{% endmacro %}
