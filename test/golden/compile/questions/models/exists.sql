{% set there = load_relation(source('raw', 'payments')) %}{% set not_there = adapter.get_relation(target.database, 'raw', 'not_there') %}
select '{{ there is not none }}' as a, '{{ not_there is none }}' as b, '{{ there }}' as c{% if execute %}, '{{ there.type }}' as d{% endif %}
