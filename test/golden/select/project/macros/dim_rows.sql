{% test dim_rows(model) %}
select 1 as wrong from {{ model }} having count(*) = 0
{% endtest %}
