// A project of many small models: layers of a hundred, each model reading two of the layer above, the first layer a seed.
// Every fifth layer are tables, the others views; every tenth model has two tests.

import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const width = 100

export function writeGenerated(dir: string, models: number): void {
  const put = (file: string, text: string) => {
    mkdirSync(dirname(join(dir, file)), { recursive: true })
    writeFileSync(join(dir, file), text)
  }
  const nameOf = (layer: number, at: number) =>
    `m_${String(layer).padStart(2, '0')}_${String(at % width).padStart(3, '0')}`
  put(
    'dbt_project.yml',
    "name: gen\nversion: '1.0'\nprofile: gen\nmodels: {gen: {+materialized: view}}\nflags: {send_anonymous_usage_stats: false}\n",
  )
  put(
    'profiles.yml',
    'gen: {target: dev, outputs: {dev: {type: duckdb, path: target/db.duckdb, threads: 4, schema: main}}}\n',
  )
  const rows = Array.from({ length: 200 }, (_, at) => `${at},${at % 7},${(at * 37) % 1000}`)
  put('seeds/base.csv', `id,grp,amount\n${rows.join('\n')}\n`)
  const properties = ['models:']
  for (let model = 0; model < models; model++) {
    const [layer, at] = [Math.floor(model / width), model % width]
    const name = nameOf(layer, at)
    const table = layer % 5 === 4 ? "materialized='table', " : ''
    const [one, two] = [nameOf(layer - 1, at), nameOf(layer - 1, at + 1)]
    put(
      `models/layer_${layer}/${name}.sql`,
      layer === 0
        ? `select id, grp, amount + ${at} as amount\nfrom {{ ref('base') }}\n`
        : `{{ config(${table}tags=['l${layer}']) }}\nwith a as (select * from {{ ref('${one}') }}),\nb as (select * from {{ ref('${two}') }})\nselect a.id, a.grp, a.amount + b.amount as amount\nfrom a join b using (id)\n{% if var('only_big', false) %}where amount > 10{% endif %}\n`,
    )
    if (model % 10 === 0)
      properties.push(
        `  - {name: ${name}, description: model ${name}, columns: [{name: id, data_tests: [unique, not_null]}]}`,
      )
  }
  put('models/schema.yml', `${properties.join('\n')}\n`)
}

/**
 * The same with a hook that packages for observing runs have (elementary, dbt_artifacts): after the run it walks all nodes of
 * the graph, makes a row of each, and sends them as inserts of some kilobytes.
 */
export function writeObserved(dir: string, models: number): void {
  writeGenerated(dir, models)
  appendFileSync(join(dir, 'dbt_project.yml'), 'on-run-end: "{{ upload_graph() }}"\n')
  mkdirSync(join(dir, 'macros'))
  writeFileSync(join(dir, 'macros', 'upload.sql'), upload)
}

const upload = `{% macro upload_graph() %}
  {% if execute and flags.WHICH in ['run', 'build'] %}
    {% do run_query('create table if not exists ' ~ target.schema ~ '.observed_nodes (unique_id varchar, name varchar, alias varchar, resource_type varchar, package_name varchar, original_path varchar, tags varchar, meta varchar, config varchar, depends_on varchar, checksum varchar, code varchar, seen_at timestamp)') %}
    {% set rows = [] %}
    {% for node in graph.nodes.values() | list + graph.sources.values() | list %}
      {% do rows.append(flattened(node)) %}
    {% endfor %}
    {% do insert_rows(target.schema ~ '.observed_nodes', rows, 10000) %}
  {% endif %}
{% endmacro %}

{% macro flattened(node) %}
  {% set config = node.get('config', {}) %}
  {% set depends_on = node.get('depends_on', {}) %}
  {% set row = {
    'unique_id': node.get('unique_id'),
    'name': node.get('name'),
    'alias': node.get('alias'),
    'resource_type': node.get('resource_type'),
    'package_name': node.get('package_name'),
    'original_path': node.get('original_file_path'),
    'tags': tojson(node.get('tags', []) | unique | list),
    'meta': tojson(node.get('meta', {})),
    'config': tojson(config),
    'depends_on': tojson(depends_on.get('nodes', []) | sort),
    'checksum': local_md5(tojson(node.get('columns', {})) ~ node.get('raw_code', '')),
    'code': node.get('raw_code', ''),
    'seen_at': run_started_at.strftime('%Y-%m-%d %H:%M:%S'),
  } %}
  {{ return(row) }}
{% endmacro %}

{% macro insert_rows(relation, rows, bytes_max) %}
  {% set names = ['unique_id', 'name', 'alias', 'resource_type', 'package_name', 'original_path', 'tags', 'meta', 'config', 'depends_on', 'checksum', 'code', 'seen_at'] %}
  {% set head = 'insert into ' ~ relation ~ ' (' ~ names | join(', ') ~ ') values ' %}
  {% set pending = namespace(text='') %}
  {% for row in rows %}
    {% set values = [] %}
    {% for name in names %}
      {% do values.append(escaped(row.get(name))) %}
    {% endfor %}
    {% set one = '(' ~ values | join(', ') ~ ')' %}
    {% if pending.text | length + one | length > bytes_max %}
      {% do run_query(head ~ pending.text) %}
      {% set pending.text = '' %}
    {% endif %}
    {% set pending.text = one if pending.text == '' else pending.text ~ ', ' ~ one %}
  {% endfor %}
  {% if pending.text != '' %}
    {% do run_query(head ~ pending.text) %}
  {% endif %}
{% endmacro %}

{% macro escaped(value) %}
  {% if value is none %}
    {{ return('null') }}
  {% elif value is string %}
    {{ return("'" ~ value | replace("'", "''") ~ "'") }}
  {% else %}
    {{ return("'" ~ value | string | replace("'", "''") ~ "'") }}
  {% endif %}
{% endmacro %}
`
