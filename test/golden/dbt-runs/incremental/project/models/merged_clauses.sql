{{ config(unique_key='id', incremental_strategy='merge', merge_clauses={
  'when_matched': [
    {'action': 'delete', 'condition': "DBT_INTERNAL_SOURCE.region = 'S'"},
    {'action': 'update', 'mode': 'explicit', 'update': {'include': ['amount']}}
  ],
  'when_not_matched': [{'action': 'insert', 'mode': 'star'}]
}) }} select * from {{ source('raw', 'events') }}
