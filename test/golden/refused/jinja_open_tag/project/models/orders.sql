select 1
{% if true %}
as id
