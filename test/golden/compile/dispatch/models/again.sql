-- each look into a package, and each dispatch, gives another callable: two are never equal
{% set own, theirs = [money, money], [helpers.money, helpers.money] %}
select {{ own[0] == own[1] }}, {{ theirs[0] == theirs[0] }}, {{ theirs[0] == theirs[1] }}, {{ helpers.money in theirs }}, {{ dbt.type_string in [dbt.type_string] }},
  {{ adapter.dispatch('type_string', 'dbt') == adapter.dispatch('type_string', 'dbt') }}, {{ {helpers.money: 1}.get(helpers.money) }}, {{ theirs | unique | list | length }}, '{{ theirs[0]('amount') }}'
