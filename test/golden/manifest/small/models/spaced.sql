{{ config (materialized="table", meta={"a": [1, "x"]}) }}
select 1 as id {% if true %}{% endif %}
