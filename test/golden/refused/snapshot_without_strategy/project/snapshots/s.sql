{% snapshot orders_snapshot %}
{{ config(unique_key='id') }}
select * from {{ ref('orders') }}
{% endsnapshot %}
