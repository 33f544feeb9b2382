{{ config(materialized='incremental', unique_key='id') }}
select id, code, amount, at_ from {{ ref('kinds_seed') }}
{% if is_incremental() %}where at_ > (select max(at_) from {{ this }}){% endif %}
