// Strings to paste into other tools, with this project's own names in them. Nothing secret: where a password or a token
// belongs, a word in capitals stands.

import { join } from 'node:path'
import type { Config } from '../../../config/index.ts'
import type { Connect, Environment } from '../../../contract/index.ts'

type About = {
  config: Pick<Config, 'name' | 'dir' | 'stateDir' | 'records'> & {
    storage: Pick<Config['storage'], 'root'>
    pg: Pick<Config['pg'], 'enabled' | 'port'>
  }
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
  const [namespace, name] = table.split('.')
  const { hostname } = new URL(baseUrl)
  const pg = { host: hostname, port: config.pg.port ?? 5439, database: environment.name }
  return {
    facts: [
      { label: 'Address', value: baseUrl },
      { label: 'Environment', value: environment.name },
      ...(config.pg.enabled ? [{ label: 'PostgreSQL', value: `${pg.host}:${pg.port}` }] : []),
      { label: 'Iceberg REST', value: `${baseUrl}/iceberg` },
      { label: 'Iceberg catalog', value: catalog },
      { label: 'Tables', value: lake },
      {
        label: 'Names and pointers',
        value: isPostgres ? `PostgreSQL, schema ${config.records.schema}` : join(config.stateDir, 'catalog.db'),
      },
      { label: 'Version', value: version },
    ],
    texts: [
      ...(config.pg.enabled ? sqlClients(pg, table) : []),
      {
        id: 'iceberg-rest',
        title: 'PyIceberg',
        description: 'The tables are plain Apache Iceberg. Reads and writes them through the REST catalog.',
        language: 'python',
        code: `# pip install "pyiceberg[pyarrow,pandas]"
from pyiceberg.catalog import load_catalog

catalog = load_catalog("${environment.name}", type="rest", uri="${baseUrl}/iceberg", warehouse="${environment.name}", token="TOKEN")
print(catalog.load_table("${table}").scan().to_pandas())
`,
        note: 'TOKEN: an API token (bh_…) of yours. What is written is a publication and can be rolled back.',
      },
      {
        id: 'spark',
        title: 'Spark',
        description: 'The same catalog for Spark, with the runtime of Iceberg for it. Trino and DuckDB connect alike.',
        language: 'shell',
        code: `spark-sql --packages org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:1.10.1 \\
  --conf spark.sql.catalog.lake=org.apache.iceberg.spark.SparkCatalog \\
  --conf spark.sql.catalog.lake.type=rest \\
  --conf spark.sql.catalog.lake.uri=${baseUrl}/iceberg \\
  --conf spark.sql.catalog.lake.warehouse=${environment.name} \\
  --conf spark.sql.catalog.lake.token=TOKEN \\
  -e 'select * from lake.${namespace}.${name} limit 10'
`,
        note: null,
      },
      {
        id: 'pyiceberg',
        title: 'PyIceberg, from the files',
        description: 'Reads the tables without Boathouse running.',
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

function sqlClients(pg: { host: string; port: number; database: string }, table: string): Connect['texts'] {
  const { host, port, database } = pg
  const password = 'The password is that of the app, or an API token (bh_…) of yours.'
  return [
    {
      id: 'psql',
      title: 'psql',
      description: 'Boathouse speaks the protocol of PostgreSQL. The database is an environment.',
      language: 'shell',
      code: `psql -h ${host} -p ${port} -U USER -d ${database} -c "select * from ${table} limit 10"
`,
      note: password,
    },
    {
      id: 'bi',
      title: 'Metabase, Superset, Grafana, DBeaver',
      description: 'Add a PostgreSQL database with these fields, or by its address.',
      language: 'text',
      code: `Host      ${host}
Port      ${port}
Database  ${database}
User      USER

jdbc:postgresql://${host}:${port}/${database}
postgresql+psycopg://USER:PASSWORD@${host}:${port}/${database}
`,
      note: password,
    },
    {
      id: 'python',
      title: 'Python',
      description: 'With psycopg, or SQLAlchemy and pandas on top of it.',
      language: 'python',
      code: `# pip install "psycopg[binary]"
import psycopg

with psycopg.connect("host=${host} port=${port} dbname=${database} user=USER password=PASSWORD") as connection:
    for row in connection.execute("select * from ${table} limit 10"):
        print(row)
`,
      note: password,
    },
  ]
}

/** The environment of the server needs no name; another one does. The page shows the one it was asked for. */
const environmentPart = ({ name }: Environment): string => `?env=${encodeURIComponent(name)}`

const shellQuoted = (text: string) => `"${text.replaceAll(/(["\\$`])/g, '\\$1')}"`

function postgresUri(url: string, schema: string): string {
  const { username, host, pathname } = new URL(url)
  const user = username === '' ? '' : `${username}:PASSWORD@`
  return `postgresql+psycopg2://${user}${host}${pathname}?options=-csearch_path%3D${encodeURIComponent(schema)}`
}
