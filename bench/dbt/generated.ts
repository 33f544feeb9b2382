// A project of many small models: layers of a hundred, each model reading two of the layer above, the first layer a seed.
// Every fifth layer are tables, the others views; every tenth model has two tests.

import { mkdirSync, writeFileSync } from 'node:fs'
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
