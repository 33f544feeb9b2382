{% macro m() %}
  1
