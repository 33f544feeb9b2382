// What is tried by requests that are no SQL. `to`: who may have it; everybody else must be refused, or told nothing of `seen`.
//
// {vault}: location of the table raw.vault; {metadata}: of its metadata file; {list}: of its manifest list; {first}: a snapshot of
// raw.people; {s}: a schema of whoever asks; {n}: a name that nobody used; {user}: the id of the administrator.

import type { Person, Secret } from './world.ts'

export type Attempt = {
  line: string
  body?: unknown
  /** What an administrator is told by it. */
  seen?: Secret
  /** Must not succeed for anybody else. Undefined: it may, and tells nothing. */
  to?: readonly Person[]
}

const dev = '/iceberg/v1/dev_analytics'
const raw = `${dev}/namespaces/raw`
const own = `${dev}/namespaces/{s}`
const none: readonly Person[] = []
const column = { id: 1, name: 'word', required: false, type: 'string' }
const schema = { type: 'struct', 'schema-id': 0, fields: [column] }
const viewOf = (sql: string, more = {}) => ({
  name: '{n}',
  schema,
  'view-version': {
    'version-id': 1,
    'timestamp-ms': 1,
    'schema-id': 0,
    summary: {},
    'default-namespace': ['raw'],
    representations: [{ type: 'sql', sql, dialect: 'duckdb' }],
  },
  properties: {},
  ...more,
})
const commit = (...updates: object[]) => ({ requirements: [], updates })
const setting = commit({ action: 'set-properties', updates: { k: '1' } })
const stolen = commit({
  action: 'add-snapshot',
  snapshot: {
    'snapshot-id': 77,
    'sequence-number': 99,
    'timestamp-ms': 4_102_444_800_000,
    'manifest-list': '{list}',
    summary: { operation: 'append' },
    'schema-id': 0,
  },
})

export const pages: readonly Attempt[] = [
  { line: 'GET /api/catalog', seen: 'name' },
  { line: 'GET /api/catalog?env=feature', seen: 'name' },
  { line: 'GET /api/home', seen: 'name' },
  { line: 'GET /api/connect' },
  { line: 'GET /api/session' },
  { line: 'GET /api/dashboards' },
  { line: 'GET /api/dashboards/..%2f..%2fboathouse.yml', to: none },
  { line: 'GET /api/tables/raw/vault', to: ['rita'] },
  { line: 'GET /api/tables/raw/people' },
  { line: 'GET /api/tables/raw/vault/preview', seen: 'vault', to: ['rita'] },
  { line: 'GET /api/tables/raw/vault/preview?env=feature', seen: 'vault', to: ['rita'] },
  { line: 'GET /api/tables/raw/vault%24files/preview', seen: 'vault', to: ['rita'] },
  { line: 'GET /api/tables/raw/people%24files/preview', seen: 'row', to: none },
  { line: 'GET /api/tables/marts/vault_view', to: ['rita'] },
  { line: 'GET /api/tables/marts/vault_view/preview', seen: 'vault', to: ['rita'] },
  { line: 'GET /api/tables/raw/people/preview', seen: 'mask' },
  { line: 'GET /api/tables/raw/people/preview?limit=1000', seen: 'row' },
  { line: 'GET /api/tables/raw/people/preview?snapshot={first}', seen: 'row' },
  { line: 'GET /api/tables/raw/people/preview?env=feature', seen: 'mask' },
  { line: 'GET /api/tables/system/audit/preview?limit=1000', to: none },
  { line: 'GET /api/tables/system/queries/preview?limit=1000', to: none },
  { line: 'GET /api/dashboards/people', seen: 'field' },
  { line: 'POST /api/dashboards/people/data', body: { filters: {} }, seen: 'vault' },
  { line: 'POST /api/dashboards/people/data', body: { filters: {}, panels: ['people'] }, seen: 'mask' },
  { line: 'POST /api/dashboards/people/data', body: { filters: {}, panels: ['notes', 'emails'] }, seen: 'row' },
  { line: 'POST /api/dashboards/people/data', body: { filters: {}, panels: ['failing'] }, seen: 'mask' },
  { line: 'POST /api/dashboards/people/data', body: { filters: {}, panels: ['mistaken'] } },
  { line: 'POST /api/dashboards/people/data', body: { filters: {}, asOf: 'first' }, seen: 'row' },
  { line: 'POST /api/dashboards/people/data', body: { filters: { note: ["') OR true --"] } } },
  { line: 'GET /api/dashboards/people/filters/note/values?limit=1000', seen: 'row' },
  { line: 'GET /api/dashboards/people/filters/email/values?limit=1000', seen: 'mask' },
  { line: 'GET /api/dashboards/people/filters/note/values?search=CN&asOf=first', seen: 'row' },
  { line: 'GET /api/tables/raw/x%22%20UNION%20SELECT%20word%20FROM%20raw.vault--/preview', to: none },
  { line: 'GET /api/tables/raw%22.%22vault/x/preview', to: none },
  { line: 'GET /api/tables/raw/..%2Fraw%2Fvault/preview', to: none },
  { line: 'GET /api/tables/information_schema/tables/preview', seen: 'name' },
  { line: 'POST /api/query/stream', body: { sql: 'SELECT * FROM raw.vault' }, seen: 'vault', to: ['rita'] },
  { line: 'POST /api/query/stream', body: { sql: 'SELECT * FROM raw.people' }, seen: 'mask' },
  { line: 'POST /api/query/stream', body: { sql: 'SELECT CAST(email AS INT) FROM raw.people' }, seen: 'mask' },
  { line: 'POST /api/query', body: { sql: 'FROM raw.people', asOf: '{first}' }, seen: 'row' },
  { line: 'POST /api/query', body: { sql: 'FROM raw.people', asOf: 'first' }, seen: 'row' },
  { line: 'POST /api/query', body: { sql: 'FROM raw.people', asOf: '2999-01-01' }, seen: 'row' },
  {
    line: 'POST /api/query',
    body: { sql: 'FROM raw.people', asOf: '{"dev_analytics.raw.people": "{first}"}' },
    seen: 'row',
  },
  { line: 'POST /api/query?env=feature', body: { sql: 'FROM raw.vault' }, seen: 'vault', to: ['rita'] },
  { line: 'POST /api/query?env=prod', body: { sql: 'CREATE TABLE marts.{n} AS SELECT 1 AS x' }, to: none },
  { line: 'POST /api/query?env=nowhere', body: { sql: 'FROM raw.vault' }, to: none },
  { line: 'GET /api/publications', to: ['rita'] },
  { line: 'GET /api/runs', to: ['rita'] },
  { line: 'GET /api/runs/x', to: none },
  { line: 'GET /api/runs/x/log', to: none },
  { line: 'GET /api/schedules', to: ['rita'] },
  { line: 'POST /api/runs', body: {}, to: none },
  { line: 'POST /api/runs/x/cancel', to: none },
  { line: 'POST /api/publications/x/rollback', to: none },
  { line: 'POST /api/tables/upload', to: none },
  { line: 'GET /api/users', to: none },
  { line: 'POST /api/users', body: { name: '{n}', role: 'admin' }, to: none },
  { line: 'PATCH /api/users/{user}', body: { role: 'reader' }, to: none },
  { line: 'POST /api/users/{user}/reset', to: none },
  { line: 'GET /api/nothing', to: none },
  { line: 'GET /api/../.env' },
  { line: 'GET /%2e%2e/.env' },
  { line: 'GET /..%2f.env' },
  { line: 'GET /assets/..%2f..%2f.env' },
  { line: 'GET /assets/%2e%2e/%2e%2e/boathouse.yml' },
  { line: 'GET /metrics' },
  { line: 'GET /healthz' },
]

export const catalog: readonly Attempt[] = [
  { line: `GET /iceberg/v1/config?warehouse=prod_analytics` },
  { line: `GET ${dev}/namespaces` },
  { line: `GET ${raw}/tables`, seen: 'name' },
  { line: `GET ${raw}/views` },
  { line: `GET ${dev}/namespaces/marts/views` },
  { line: `GET ${raw}/tables/vault`, to: ['rita'] },
  { line: `HEAD ${raw}/tables/vault`, to: ['rita'] },
  { line: `GET ${raw}/tables/VAULT`, to: none },
  { line: `GET ${raw}/tables/people`, to: none },
  { line: `GET ${raw}/tables/people?snapshots=all`, to: none },
  { line: `GET ${raw}/tables/people/credentials`, to: none },
  { line: `POST ${raw}/tables/people/plan`, body: {}, to: none },
  { line: `GET /iceberg/v1/feature_analytics/namespaces/raw/tables/people`, to: none },
  { line: `GET /iceberg/v1/feature_analytics/namespaces/raw/tables/vault`, to: ['rita'] },
  { line: `GET /iceberg/v1/namespaces/dev_analytics%1Fraw/tables/people`, to: none },
  { line: `GET /iceberg/v1/namespaces/dev_analytics%1Fraw/tables/vault`, to: ['rita'] },
  { line: `GET ${dev}/namespaces/raw%1Fpeople/tables/x`, to: none },
  { line: `GET ${dev}/namespaces/..%2Fraw/tables/people`, to: none },
  { line: `GET ${own}%2F..%2Fraw/tables/people`, to: none },
  { line: `GET ${dev}/namespaces/%2e%2e/tables/people`, to: none },
  { line: `GET ${raw}/views/vault_view`, to: none },
  { line: `GET ${dev}/namespaces/marts/views/vault_view`, to: ['rita'] },
  {
    line: `POST ${raw}/tables/people/sign`,
    body: { region: 'x', uri: 'https://s3.x/b/k', method: 'GET', headers: {} },
    to: none,
  },
  {
    line: `POST ${raw}/tables/vault/sign`,
    body: { region: 'x', uri: 'https://s3.x/b/../k', method: 'PUT', headers: {} },
    to: none,
  },
  { line: `POST ${raw}/tables`, body: { name: '{n}', schema }, to: none },
  { line: `POST ${own}/tables`, body: { name: '{n}', schema, location: '{vault}' }, to: none },
  { line: `POST ${own}/tables`, body: { name: '{n}', schema, location: '{vault}/../{n}' }, to: none },
  { line: `POST ${own}/tables`, body: { name: '{n}', schema, location: 'file:///tmp/{n}' }, to: none },
  {
    line: `POST ${own}/tables`,
    body: { name: '{n}', schema, properties: { 'write.data.path': '{vault}/data' } },
    to: none,
  },
  {
    line: `POST ${own}/tables`,
    body: { name: '{n}', schema, 'stage-create': true, properties: { 'write.metadata.path': '{vault}/metadata' } },
    to: none,
  },
  { line: `POST ${own}/register`, body: { name: '{n}', 'metadata-location': '{metadata}' }, to: none },
  { line: `POST ${own}/register-view`, body: { name: '{n}', 'metadata-location': '{metadata}' }, to: none },
  { line: `POST ${raw}/tables/vault`, body: setting, to: none },
  { line: `POST ${raw}/tables/people`, body: setting, to: none },
  { line: `POST ${raw}/tables/staff`, body: setting, to: none },
  { line: `POST ${own}/tables/mine`, body: stolen, to: none },
  { line: `POST ${own}/tables/mine`, body: commit({ action: 'set-location', location: '{vault}' }), to: none },
  {
    line: `POST ${own}/tables/mine`,
    body: commit({ action: 'set-properties', updates: { 'write.data.path': '{vault}/data' } }),
    to: none,
  },
  {
    line: `POST ${dev}/transactions/commit`,
    body: {
      'table-changes': [
        { identifier: { namespace: ['{s}'], name: 'mine' }, ...setting },
        { identifier: { namespace: ['raw'], name: 'vault' }, ...setting },
      ],
    },
    to: none,
  },
  {
    line: `POST ${dev}/transactions/commit`,
    body: { 'table-changes': [{ identifier: { namespace: ['{s}'], name: 'mine' }, ...stolen }] },
    to: none,
  },
  {
    line: `POST ${dev}/tables/rename`,
    body: { source: { namespace: ['raw'], name: 'vault' }, destination: { namespace: ['{s}'], name: '{n}' } },
    to: none,
  },
  {
    line: `POST ${dev}/tables/rename`,
    body: { source: { namespace: ['raw'], name: 'staff' }, destination: { namespace: ['{s}'], name: '{n}' } },
    to: none,
  },
  {
    line: `POST ${dev}/tables/rename`,
    body: { source: { namespace: ['{s}'], name: 'mine' }, destination: { namespace: ['raw'], name: '{n}' } },
    to: none,
  },
  {
    line: `POST ${dev}/views/rename`,
    body: { source: { namespace: ['marts'], name: 'vault_view' }, destination: { namespace: ['{s}'], name: '{n}' } },
    to: none,
  },
  { line: `DELETE ${raw}/tables/vault`, to: none },
  { line: `DELETE ${raw}/tables/people?purgeRequested=true`, to: none },
  { line: `POST ${raw}/tables/vault/unregister`, to: none },
  { line: `DELETE ${dev}/namespaces/marts/views/vault_view`, to: none },
  { line: `POST ${dev}/namespaces/marts/views`, body: viewOf('SELECT 1'), to: none },
  { line: `POST ${dev}/namespaces/marts/views/vault_view`, body: commit(), to: none },
  { line: `POST ${own}/views`, body: viewOf('SELECT word FROM raw.vault', { location: '{vault}' }), to: none },
  { line: `POST ${dev}/namespaces`, body: { namespace: ['{n}'] }, to: none },
  { line: `DELETE ${raw}`, to: none },
  { line: `POST ${raw}/properties`, body: { updates: { owner: 'rosa' } }, to: none },
  { line: `POST ${raw}/tables/vault/metrics`, body: { 'report-type': 'scan-report' }, to: ['rita'] },
]

export const foreignView = viewOf
