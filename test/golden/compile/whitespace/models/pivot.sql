{%- set methods = ['card', 'bank transfer', 'gift-card'] -%}
{#- a comment
over lines -#}

select
    order_id,
    {% for method in methods -%}
    sum(case when method = '{{ method }}' then amount else 0 end) as {{ method | replace(' ', '_') | replace('-', '_') }}_amount
    {%- if not loop.last %},{% endif %}
    {% endfor %}
from payments
{% raw %}{{ not jinja }}{% endraw %}
group by 1


