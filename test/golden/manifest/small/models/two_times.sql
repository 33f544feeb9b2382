{{ config(tags='one', pre_hook=['select 1']) }}{{ config(tags='two', pre_hook='select 2') }}
select 1 as id {% if true %}{% endif %}
