// target/run: the statement that dbt sends to make a node. Here tables are written without it; people read it to see what
// became of a model, and other tools do.

import {
  columnConstraints,
  modelConstraints,
  nodeDict,
  withForeignTables,
  type DbtNode,
  type DbtProject,
} from '../../project/dbt/index.ts'
import { quoteName } from '../../lake/index.ts'

/** `sql`: the compiled SQL. What dbt makes of an incremental model depends on the table, so there it stands alone. */
export function ranSql(project: DbtProject, node: DbtNode, sql: string): string {
  if (node.kind === 'test') return testSql(node, sql)
  const { database, schema, alias, config } = node
  const target = [database, schema, `${alias}__dbt_tmp`].map(quoteName).join('.')
  switch (node.kind === 'model' ? config['materialized'] : undefined) {
    case 'view':
      return `create view ${target} as (\n    ${sql}\n  );\n`
    case 'table':
      return tableSql(withForeignTables(project, node), target, sql)
    case 'incremental':
      return node.contract ? tableSql(withForeignTables(project, node), target, sql) : sql
    default:
      return sql
  }
}

function tableSql(node: DbtNode, target: string, sql: string): string {
  if (!node.contract) return `create table\n      ${target}\n    as (\n      ${sql}\n    );\n`
  const dict = nodeDict(node)
  const parts = [...columnConstraints(dict.get('columns')), ...modelConstraints(dict.get('constraints'))]
  const names = node.columns.map(({ name, quote }) => (quote ? quoteName(name) : name)).join(', ')
  return `create table\n      ${target}\n  (\n    ${parts.join(',\n    ')}\n    )\n ;
    insert into ${target} (\n    ${names}\n    )\n (\n      select ${names}\n    from (\n        ${sql}\n    ) as model_subq\n    );\n`
}

function testSql({ config }: DbtNode, sql: string): string {
  const text = (key: string, usual: string) => String(config[key] ?? usual)
  const count = text('fail_calc', 'count(*)')
  const limit = config['limit'] === null || config['limit'] === undefined ? '' : `\n  limit ${text('limit', '')}`
  return `select
      ${count} as failures,
      ${count} ${text('warn_if', '!= 0')} as should_warn,
      ${count} ${text('error_if', '!= 0')} as should_error
    from (
      ${sql}${limit}
    ) dbt_internal_test
`
}
