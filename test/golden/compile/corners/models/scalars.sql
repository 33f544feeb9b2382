{% for name in ['rate', 'sci', 'month', 'power', 'octal', 'time', 'rates', 'nested'] -%}
{{ name }}: {{ var(name) }} {{ var(name) is string }}
{% endfor %}{{ var('rate') * 2 }} {{ config.get('meta').f }} {{ tojson(config.get('meta')) }}
{{ fromyaml('{a: 1.0, b: 08, c: 1e3, d: 0o17, e: 1:30}') }}
{{ toyaml({'a': 1.0, 'y': '1', 'l': 'two\nlines', 'n': '08', 'on': 'yes'}) }}
