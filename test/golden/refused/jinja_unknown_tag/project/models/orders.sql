select 1
  {% wihle true %} as id
