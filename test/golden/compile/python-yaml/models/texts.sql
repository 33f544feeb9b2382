{% set yaml = fromyaml('b: 1\n10: 3\n"2": 4\nday: 2024-01-01\nat: 2024-01-01 10:00:00') -%}
{% set json = fromjson('{"b": 1, "10": {"9": 1, "8": "\\"7\\": 6"}, "2": 4, "x\\"1": 5}') -%}
select
  $${{ yaml }} {{ yaml[10] }} {{ yaml.day.year }}$$ as yaml,
  $${{ json }} {{ json.keys() | list }}$$ as json,
  $${{ toyaml({'b': 1, 10: 3, '2': 4}) }}$$ as again,
  '{{ fromyaml("day: 2024-02-31", "no day") }}' as wrong
