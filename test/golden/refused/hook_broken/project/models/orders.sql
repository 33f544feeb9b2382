{{ config(post_hook="grant select on {{ this }") }} select 1 as id
