{% set named = [metric('revenue'), metric('metrics', 'average')] -%}
select
{%- for one in named %}
  '{{ one }} {{ one.metric_name }} {{ one.package_name }} {{ one.label }} {{ one.unique_id }}' as {{ one.metric_name }},
{%- endfor %}
{%- if execute %}
  '{{ metric('average').description }} {{ metric('average').node.name }} {{ metric('average').type_params.numerator.name }}' as parts,
  '{{ metric('doubled').derived_metric_dependency_depth() }}' as depths,
  '{{ metric('doubled').full_metric_dependency() | sort }}' as below,
  '{{ metric('doubled').base_metric_dependency() | sort }} {{ metric('doubled').derived_metric_dependency() | sort }}' as kinds
{%- else %}
  {% do metric('doubled') %} {{ metric('revenue').label is defined }}
{%- endif %}
