// Tables that SQL reads by their plain name (`from staging.orders`) instead of `ref`. dbt does not know such reads;
// here they put models in order where they can.

import type { DbtNode, DbtProject } from './types.ts'

const noise = /\{#[^]*?#\}|--[^\n]*|\/\*[^]*?\*\/|'(?:''|[^'])*'|\{\{[^]*?\}\}|\{%[^]*?%\}/g
const tableName = /\b(?:from|join)\s+((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+)){1,2})(?!\s*\()/gi

/** Two- and three-part names after FROM and JOIN, outside of Jinja, comments and texts. */
export function plainNames(sql: string): string[] {
  const text = sql.replace(noise, ' ')
  return [...new Set(Array.from(text.matchAll(tableName), ([, name]) => name!.replaceAll('"', '')))]
}

/** A model that reads another by its plain name is built after it, unless that would make a circle. */
export function addPlainNames({ nodes }: DbtProject): void {
  const byRelation = new Map<string, DbtNode>()
  for (const node of nodes.values()) {
    const isTable = node.kind === 'model' || node.kind === 'seed' || node.kind === 'snapshot'
    if (isTable && node.config['materialized'] !== 'ephemeral')
      byRelation.set(`${node.schema}.${node.alias}`.toLowerCase(), node)
  }
  const reaches = (from: string, to: string): boolean => {
    const seen = new Set([from])
    for (const each of seen) for (const next of nodes.get(each)?.dependsOn ?? []) seen.add(next)
    return seen.has(to)
  }
  for (const node of nodes.values()) {
    if (node.kind !== 'model' && node.test?.kind !== 'singular') continue
    for (const name of plainNames(node.rawSql)) {
      const [schema, table] = name.split('.').slice(-2)
      const to = byRelation.get(`${schema ?? ''}.${table ?? ''}`.toLowerCase())
      if (!to || to === node || node.dependsOn.includes(to.uniqueId)) continue
      if (!reaches(to.uniqueId, node.uniqueId)) node.dependsOn.push(to.uniqueId)
    }
  }
}
