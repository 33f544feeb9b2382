// Strings to paste into other tools, with this project's own names in them. Nothing secret: where a password or a token
// belongs, a word in capitals stands.

import { join } from 'node:path'
import type { Config } from '../../../config/index.ts'
import type { Connect, Environment } from '../../../contract/index.ts'

type About = {
  config: Pick<Config, 'name' | 'dir' | 'stateDir' | 'records'> & { storage: Pick<Config['storage'], 'root'> }
  environment: Environment
  baseUrl: string
  /** A table to try it with, `namespace.name`. */
  table: string
  version: string
}

/** Pure. */
export function connectTexts({ config, environment, baseUrl, table, version }: About): Connect {
  const { catalog } = environment
  const { root } = config.storage
  const lake = root.startsWith('/') ? `file://${root}` : root
  const isPostgres = config.records.url !== undefined
  const uri = isPostgres
    ? postgresUri(config.records.url!, config.records.schema)
    : `sqlite:///${join(config.stateDir, 'catalog.db')}`
  const profile = config.name.replaceAll('-', '_')
  const sql = `select * from ${table} limit 10`
  return {
    facts: [
      { label: 'Address', value: baseUrl },
      { label: 'Environment', value: environment.name },
      { label: 'Iceberg catalog', value: catalog },
      { label: 'Tables', value: lake },
      {
        label: 'Names and pointers',
        value: isPostgres ? `PostgreSQL, schema ${config.records.schema}` : join(config.stateDir, 'catalog.db'),
      },
      { label: 'Version', value: version },
    ],
    texts: [
      {
        id: 'pyiceberg',
        title: 'PyIceberg',
        description: 'The tables are plain Apache Iceberg. This reads them without Boathouse running.',
        language: 'python',
        code: `# pip install "pyiceberg[${isPostgres ? 'sql-postgres' : 'sql-sqlite'},pyarrow,pandas]"
from pyiceberg.catalog.sql import SqlCatalog

catalog = SqlCatalog(
    "${catalog}",
    uri="${uri}",
    warehouse="${lake}",
    init_catalog_tables="false",
)
print(catalog.load_table("${table}").scan().to_pandas())
`,
        note: 'Read only, on the machine (or with the volumes) of the lake. What another program writes here is not part of a publication.',
      },
      {
        id: 'curl',
        title: 'curl',
        description: 'One statement by the HTTP API.',
        language: 'shell',
        code: `curl -s '${baseUrl}/api/query${environmentPart(environment)}' \\
  -H 'authorization: Bearer TOKEN' -H 'x-boathouse: 1' -H 'content-type: application/json' \\
  -d '${JSON.stringify({ sql })}'
`,
        note: 'TOKEN: an API token (bh_…) of yours. /api/openapi.json describes all routes.',
      },
      {
        id: 'powershell',
        title: 'PowerShell',
        description: 'The same from Windows.',
        language: 'powershell',
        code: `$headers = @{ authorization = 'Bearer TOKEN'; 'x-boathouse' = '1' }
Invoke-RestMethod '${baseUrl}/api/query${environmentPart(environment)}' -Method Post -Headers $headers -ContentType application/json -Body '${JSON.stringify({ sql })}'
`,
        note: null,
      },
      {
        id: 'terminal',
        title: 'Terminal',
        description: 'In the folder of the project.',
        language: 'shell',
        code: `boathouse query ${shellQuoted(sql)} --env ${environment.name}
boathouse query ${shellQuoted(`select * from ${table}`)} --format csv > ${table.split('.').at(-1)}.csv
`,
        note: null,
      },
      {
        id: 'dbt',
        title: 'dbt',
        description:
          'The folder is a plain dbt project. To run it by dbt itself, with dbt-duckdb, this is its profile.',
        language: 'yaml',
        code: `# ${'~'}/.dbt/profiles.yml, or profiles.yml in the project
${profile}:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: ${catalog}.duckdb
      schema: main
      threads: 4
`,
        note: 'Boathouse needs no profile: `boathouse build` builds and tests the same models into Iceberg tables.',
      },
    ],
  }
}

/** The environment of the server needs no name; another one does. The page shows the one it was asked for. */
const environmentPart = ({ name }: Environment): string => `?env=${encodeURIComponent(name)}`

const shellQuoted = (text: string) => `"${text.replaceAll(/(["\\$`])/g, '\\$1')}"`

function postgresUri(url: string, schema: string): string {
  const { username, host, pathname } = new URL(url)
  const user = username === '' ? '' : `${username}:PASSWORD@`
  return `postgresql+psycopg2://${user}${host}${pathname}?options=-csearch_path%3D${encodeURIComponent(schema)}`
}
