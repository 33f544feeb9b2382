{{ config(materialized='twice', post_hook=["{{ note('after ' ~ this.name) }}", {'sql': "{{ note('after all') }}", 'transaction': false}]) }} select id, price from {{ ref('plain') }}
