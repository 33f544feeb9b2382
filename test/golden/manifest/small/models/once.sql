{{ config(tags='one', post_hook='select 1') }}
select 1 as id
