// Every change of the records' layout, in order, once for both stores. A migration that was released is never
// edited; the next change is a new entry.
//
// The statements are plain SQL in SQLite's words. For PostgreSQL three are replaced: `text` sorts by bytes as
// SQLite does, `integer` holds what SQLite's does, and the growing key is an identity column.

export type Migration = { version: number; name: string; catalog: readonly string[]; log: readonly string[] }

export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: 'first tables',
    catalog: [
      // Apache Iceberg, JdbcUtil.java: V0_CREATE_CATALOG_SQL with V1's iceberg_type, CREATE_NAMESPACE_PROPERTIES_TABLE_SQL.
      `create table iceberg_tables (
        catalog_name varchar(255) not null, table_namespace varchar(255) not null, table_name varchar(255) not null,
        metadata_location varchar(1000), previous_metadata_location varchar(1000), iceberg_type varchar(5),
        primary key (catalog_name, table_namespace, table_name))`,
      `create table iceberg_namespace_properties (
        catalog_name varchar(255) not null, namespace varchar(255) not null, property_key varchar(255) not null,
        property_value varchar(1000), primary key (catalog_name, namespace, property_key))`,

      `create table publications (
        id text primary key, catalog text not null, run_id text, published_at text not null, published_by text not null,
        rolled_back_at text, rolled_back_by text, undoes text)`,
      'create index publications_by_catalog on publications (catalog, id)',
      `create table publication_tables (
        publication_id text not null references publications (id) on delete cascade, namespace text not null, name text not null,
        kind text not null, action text not null, from_location text, to_location text, from_snapshot text, to_snapshot text,
        primary key (publication_id, namespace, name))`,

      `create table change_sets (
        id text primary key, catalog text not null, run_id text,
        status text not null check (status in ('open', 'published', 'discarded')), created_at text not null, updated_at text not null)`,
      'create index change_sets_by_run on change_sets (run_id)',
      `create table change_set_entries (
        change_set_id text not null references change_sets (id) on delete cascade, namespace text not null, name text not null,
        kind text not null, action text not null, base_location text, metadata_location text, updates_json text,
        written_files_json text, updated_at text not null, primary key (change_set_id, namespace, name))`,

      `create table users (
        id text primary key, name text not null unique, role text not null, password_hash text, disabled integer not null default 0,
        created_at text not null, updated_at text not null, last_login_at text)`,
      `create table sessions (
        token_hash text primary key, user_id text not null references users (id) on delete cascade, created_at text not null,
        expires_at text not null, last_seen_at text not null, user_agent text)`,
      'create index sessions_by_user on sessions (user_id)',
      `create table login_links (
        token_hash text primary key, user_id text not null references users (id) on delete cascade, created_at text not null,
        expires_at text not null, used_at text)`,
      `create table api_tokens (
        id text primary key, token_hash text not null unique, user_id text not null references users (id) on delete cascade,
        name text not null, created_at text not null, expires_at text, last_used_at text, revoked_at text)`,

      `create table runs (
        id text primary key, environment text not null, catalog text not null, kind text not null, selection text,
        status text not null check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
        "trigger" text not null, requested_by text not null, schedule text, retry_of text, created_at text not null, started_at text, finished_at text,
        heartbeat_at text, worker_id text, attempt integer not null default 0, takeovers integer not null default 0,
        cancel_requested integer not null default 0,
        writes integer not null default 1, plan_json text not null, failure_json text, publication_id text, change_set_id text)`,
      'create index runs_by_status on runs (status, id)',
      `create unique index runs_one_writer on runs (catalog) where status = 'running' and writes = 1`,
      `create table run_steps (
        run_id text not null references runs (id) on delete cascade, id text not null, position integer not null, kind text not null,
        asset text, status text not null check (status in ('pending', 'running', 'succeeded', 'failed', 'skipped', 'cancelled')),
        attempt integer not null default 0, always integer not null default 0, depends_on_json text not null, input_json text not null,
        output_json text, failure_json text, started_at text, finished_at text, primary key (run_id, id))`,

      `create table run_step_attempts (
        run_id text not null, step_id text not null, number integer not null, worker_id text not null,
        status text not null check (status in ('running', 'succeeded', 'failed', 'cancelled', 'lost')), started_at text not null,
        finished_at text, failure_json text, primary key (run_id, step_id, number),
        foreign key (run_id, step_id) references run_steps (run_id, id) on delete cascade)`,

      `create table schedules_state (
        name text not null, environment text not null, last_fired_at text, next_fire_at text, paused integer not null default 0,
        primary key (name, environment))`,
      `create table schedule_fires (
        name text not null, environment text not null, fire_at text not null, run_id text not null, fired_at text not null,
        primary key (name, environment, fire_at))`,
      `create table workers (
        id text primary key, host text not null, pid integer not null, process_key text not null, started_at text not null, heartbeat_at text not null)`,
      'create table settings (key text primary key, value text not null)',
    ],
    log: [
      `create table run_logs (
        seq growing key, run_id text not null, step_id text, at text not null, level text not null, event text not null,
        fields_json text not null)`,
      'create index run_logs_by_run on run_logs (run_id, seq)',
      'create index run_logs_by_time on run_logs (at)',
      `create table audit (
        id text primary key, at text not null, principal text not null, door text not null, action text not null, sql text,
        tables_json text, rows integer, ms integer, verdict text not null, request_id text, failure_code text)`,
      'create index audit_by_time on audit (at)',
      `create table query_log (
        id text primary key, at text not null, principal text not null, door text not null, catalog text not null, sql text not null,
        tables_json text, rows integer, ms integer not null, cached integer not null default 0, run_id text, request_id text,
        failure_code text)`,
      'create index query_log_by_time on query_log (at)',
    ],
  },
  {
    version: 2,
    name: 'requests that may come twice',
    catalog: [
      `create table idempotency_keys (
        id text primary key, request_hash text not null, started_at text not null, happened integer not null default 0,
        status integer, answer_json text)`,
      'create index idempotency_keys_by_time on idempotency_keys (started_at)',
    ],
    log: [],
  },
  {
    version: 3,
    name: 'forks of environments',
    catalog: [
      `create table forks (
        catalog text primary key, environment text not null unique, origin text not null, created_at text not null, created_by text not null)`,
      'create index forks_by_origin on forks (origin)',
      `create table fork_tables (
        catalog text not null references forks (catalog) on delete cascade, namespace text not null, name text not null,
        kind text not null, base_location text not null, own_location text not null, primary key (catalog, namespace, name))`,
    ],
    log: [],
  },
  {
    version: 4,
    name: 'rights',
    catalog: [
      'create table access_stamp (id integer primary key, stamp integer not null)',
      'insert into access_stamp (id, stamp) values (1, 0)',
      `create table access_roles (
        name text not null, source text not null, created_at text not null, created_by text not null, primary key (name, source))`,
      `create table access_groups (name text not null, source text not null, primary key (name, source))`,
      // The groups of users; the roles of users, groups and roles.
      `create table access_members (
        kind text not null, name text not null, of_kind text not null, of_name text not null, source text not null,
        granted_at text not null, granted_by text not null, primary key (kind, name, of_kind, of_name, source))`,
      `create table access_attributes (
        user_name text not null, key text not null, value text not null, source text not null, primary key (user_name, key))`,
      // columns_text: names in order, a comma before, between and after them; empty for all.
      `create table access_grants (
        id text primary key, privilege text not null, environment text not null, namespace text not null, table_name text not null,
        columns_text text not null, grantee_kind text not null, grantee text not null, source text not null, granted_at text not null,
        granted_by text not null,
        unique (privilege, environment, namespace, table_name, columns_text, grantee_kind, grantee, source))`,
      'create index access_grants_by_grantee on access_grants (grantee_kind, grantee)',
      `create table access_row_filters (
        id text primary key, position integer not null, environment text not null, namespace text not null, table_name text not null,
        to_json text, except_json text not null, condition text not null, source text not null)`,
      `create table access_column_masks (
        id text primary key, position integer not null, environment text not null, namespace text not null, table_name text not null,
        column_name text not null, except_json text not null, expression text not null, source text not null)`,
      // Whose rights a view reads with. The digest is of what the view says: another text has no owner.
      `create table view_owners (
        catalog text not null, namespace text not null, name text not null, uuid text not null, digest text not null,
        owner_id text not null, owner_name text not null, owner_role text not null, since text not null,
        primary key (catalog, namespace, name))`,
    ],
    log: [
      'alter table audit add column catalog text',
      'alter table audit add column snapshots_json text',
      'create index audit_by_principal on audit (principal, id)',
    ],
  },
  {
    version: 5,
    name: 'log-ins of SQL clients',
    catalog: [
      // secret_hash: the password hash or token hash that the verifier was made beside.
      `create table scram_verifiers (
        secret_hash text primary key, user_id text not null references users (id) on delete cascade, verifier text not null,
        created_at text not null)`,
      'create index scram_verifiers_by_user on scram_verifiers (user_id)',
    ],
    log: [],
  },
  {
    version: 6,
    name: 'limits of roles and users',
    catalog: [
      // most: milliseconds, rows, bytes or queries, as the name has it.
      `create table access_limits (
        id text primary key, grantee_kind text not null, grantee text not null, name text not null, most integer not null,
        source text not null)`,
    ],
    log: [],
  },
  {
    version: 7,
    name: 'nodes of dbt projects',
    catalog: [
      // The step that this row tells a part of, for those that no worker starts.
      'alter table run_steps add column part_of text',
      // What a model or test was made of when it last went well: fingerprint of its SQL, configs and inputs; and what it left.
      `create table node_states (
        catalog text not null, node text not null, fingerprint text not null, left_behind text, result_json text not null,
        run_id text, noted_at text not null, primary key (catalog, node))`,
    ],
    log: [],
  },
  {
    version: 8,
    name: 'owners of views by what they are',
    // They are looked up without a catalog, with every view that is read.
    catalog: ['create index view_owners_by_uuid on view_owners (uuid)'],
    log: [],
  },
  {
    version: 9,
    name: 'numbers of identity columns',
    catalog: [
      `create table identity_numbers (
        table_uuid text not null, field_id integer not null, next integer not null, primary key (table_uuid, field_id))`,
    ],
    log: [],
  },
  {
    version: 10,
    name: 'sequences',
    catalog: [
      `create table sequences (
        catalog text not null, namespace text not null, name text not null, state_json text not null,
        primary key (catalog, namespace, name))`,
    ],
    log: [],
  },
]

export function dialectSql(statement: string, kind: 'sqlite' | 'postgres'): string {
  if (kind === 'sqlite') return statement.replace('growing key', 'integer primary key autoincrement')
  return statement
    .replace('growing key', 'bigint generated always as identity primary key')
    .replace(/\btext\b/g, 'text collate "C"')
    .replace(/\binteger\b/g, 'bigint')
}
