// The rows of Boathouse's own tables, as both SQLite and PostgreSQL return them. Portable types only:
// ids and JSON are text, times are ISO-8601 UTC text with milliseconds (`2024-03-31T12:00:00.000Z`, so that
// text order is time order), truths are 0 or 1, counts and durations are whole numbers.

import type { Generated } from 'kysely'

/** `new Date(now).toISOString()`: 24 characters, ends in Z. */
type Time = string
type Truth = 0 | 1
type Json = string

/** Layout of Iceberg's JDBC catalog, schema version V1: other tools read and write these two tables. */
export type IcebergTablesRow = {
  catalog_name: string
  table_namespace: string
  table_name: string
  metadata_location: string | null
  previous_metadata_location: string | null
  /** `TABLE` or `VIEW`; null is a table written by a V0 client. */
  iceberg_type: string | null
}

export type IcebergNamespacePropertiesRow = {
  catalog_name: string
  namespace: string
  property_key: string
  property_value: string | null
}

/** An environment that was forked from another: the same tables by their pointers. */
export type ForksRow = {
  catalog: string
  /** Its short name. */
  environment: string
  /** The catalog that it was forked from. */
  origin: string
  created_at: Time
  created_by: string
}

/** What a fork took over, and where it writes what becomes different. */
export type ForkTablesRow = {
  catalog: string
  namespace: string
  name: string
  kind: 'table' | 'view'
  /** The metadata file that both sides had: promoting asks whether the origin still has it. */
  base_location: string
  own_location: string
}

export type PublicationsRow = {
  id: string
  catalog: string
  run_id: string | null
  published_at: Time
  published_by: string
  rolled_back_at: Time | null
  rolled_back_by: string | null
  /** The publication that this one undoes. */
  undoes: string | null
}

export type PublicationTablesRow = {
  publication_id: string
  namespace: string
  name: string
  kind: 'table' | 'view'
  action: string
  from_location: string | null
  to_location: string | null
  from_snapshot: string | null
  to_snapshot: string | null
}

export type ChangeSetsRow = {
  id: string
  catalog: string
  run_id: string | null
  status: 'open' | 'published' | 'discarded'
  created_at: Time
  updated_at: Time
}

export type ChangeSetEntriesRow = {
  change_set_id: string
  namespace: string
  name: string
  kind: 'table' | 'view'
  action: string
  base_location: string | null
  metadata_location: string | null
  updates_json: Json | null
  written_files_json: Json | null
  updated_at: Time
}

export type UsersRow = {
  id: string
  name: string
  role: string
  password_hash: string | null
  disabled: Truth
  created_at: Time
  updated_at: Time
  last_login_at: Time | null
}

export type SessionsRow = {
  token_hash: string
  user_id: string
  created_at: Time
  expires_at: Time
  last_seen_at: Time
  user_agent: string | null
}

export type LoginLinksRow = {
  token_hash: string
  user_id: string
  created_at: Time
  expires_at: Time
  used_at: Time | null
}

export type ApiTokensRow = {
  id: string
  token_hash: string
  user_id: string
  name: string
  created_at: Time
  expires_at: Time | null
  last_used_at: Time | null
  revoked_at: Time | null
}

export type ScramVerifiersRow = {
  secret_hash: string
  user_id: string
  verifier: string
  created_at: Time
}

export type RunStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'
export type StepStatus = 'pending' | 'running' | 'succeeded' | 'failed' | 'skipped' | 'cancelled'

export type RunsRow = {
  id: string
  environment: string
  catalog: string
  kind: string
  selection: string | null
  status: RunStatus
  /** `manual`, `schedule`, `upload`, `dev` or `retry`. */
  trigger: string
  requested_by: string
  /** The schedule that started it. */
  schedule: string | null
  /** The run that this one repeats. */
  retry_of: string | null
  created_at: Time
  started_at: Time | null
  finished_at: Time | null
  heartbeat_at: Time | null
  worker_id: string | null
  /** How often a worker took the run: 1 is the first. Together with `worker_id` it is the fencing token. */
  attempt: number
  /** How often a worker was lost while it had the run. */
  takeovers: number
  cancel_requested: Truth
  /** 1 when the run changes tables: at most one such run of a catalog is running (a partial unique index). */
  writes: Truth
  plan_json: Json
  failure_json: Json | null
  publication_id: string | null
  change_set_id: string | null
}

export type RunStepsRow = {
  run_id: string
  id: string
  position: number
  kind: string
  asset: string | null
  status: StepStatus
  attempt: number
  /** Runs even when something before it failed. */
  always: Truth
  depends_on_json: Json
  input_json: Json
  output_json: Json | null
  failure_json: Json | null
  started_at: Time | null
  finished_at: Time | null
  /** The step that this row tells a part of; such a row is no step that a worker starts. */
  part_of: string | null
}

/** What a node of a dbt project was made of when it last went well. */
type NodeStatesRow = {
  catalog: string
  node: string
  /** Of its SQL, its configs and the versions of what it read. */
  fingerprint: string
  /** The version of the table or view that it wrote; null for a test. */
  left_behind: string | null
  result_json: Json
  run_id: string | null
  noted_at: Time
}

/** One row per start of a step, kept: `lost` is one whose worker died. */
export type RunStepAttemptsRow = {
  run_id: string
  step_id: string
  number: number
  worker_id: string
  status: 'running' | 'succeeded' | 'failed' | 'cancelled' | 'lost'
  started_at: Time
  finished_at: Time | null
  failure_json: Json | null
}

export type SchedulesStateRow = {
  name: string
  environment: string
  last_fired_at: Time | null
  next_fire_at: Time | null
  paused: Truth
}

/** One row per instant that a schedule fired for: its key is what makes two workers fire once. */
export type ScheduleFiresRow = { name: string; environment: string; fire_at: Time; run_id: string; fired_at: Time }

export type WorkersRow = {
  id: string
  /** Names the machine and the process space in it, in which `pid` means something. */
  host: string
  pid: number
  /** Tells the process from a later one with the same pid. */
  process_key: string
  started_at: Time
  heartbeat_at: Time
}

/** A request that its sender numbered, so that sending it again has no further effect. */
export type IdempotencyKeysRow = {
  /** The sender's id and key. */
  id: string
  request_hash: string
  started_at: Time
  /** Set in the transaction that made the change. */
  happened: Truth
  /** Null while it is under way. */
  status: number | null
  answer_json: Json | null
}

/** One row: its number goes up with every change of what decides about rights. */
export type AccessStampRow = { id: number; stamp: number }

/** `source`, here and below: `access.yml`, `sql` or `cli`. */
export type AccessRolesRow = { name: string; source: string; created_at: Time; created_by: string }
export type AccessGroupsRow = { name: string; source: string }

/** `kind` and `name` are in `of_kind` and `of_name`: a user in a group, or whatever has a role. */
export type AccessMembersRow = {
  kind: 'user' | 'group' | 'role'
  name: string
  of_kind: 'group' | 'role'
  of_name: string
  source: string
  granted_at: Time
  granted_by: string
}

export type AccessAttributesRow = { user_name: string; key: string; value: string; source: string }

/** A part of the place that is `*` is not said. */
export type AccessGrantsRow = {
  id: string
  privilege: string
  environment: string
  namespace: string
  table_name: string
  /** A comma before, between and after names; empty for all columns. */
  columns_text: string
  grantee_kind: 'user' | 'group' | 'role'
  grantee: string
  source: string
  granted_at: Time
  granted_by: string
}

export type AccessRowFiltersRow = {
  id: string
  position: number
  environment: string
  namespace: string
  table_name: string
  to_json: Json | null
  except_json: Json
  condition: string
  source: string
}

export type AccessColumnMasksRow = {
  id: string
  position: number
  environment: string
  namespace: string
  table_name: string
  column_name: string
  except_json: Json
  expression: string
  source: string
}

/** `most`: milliseconds, rows, bytes or queries, as the name has it. */
export type AccessLimitsRow = {
  id: string
  grantee_kind: 'user' | 'group' | 'role'
  grantee: string
  name: string
  most: number
  source: string
}

export type ViewOwnersRow = {
  catalog: string
  namespace: string
  name: string
  uuid: string
  /** Of what the view says. */
  digest: string
  owner_id: string
  owner_name: string
  owner_role: string
  since: Time
}

/** The next number of a column that numbers its rows. */
export type IdentityNumbersRow = { table_uuid: string; field_id: number; next: bigint }

export type SequencesRow = { catalog: string; namespace: string; name: string; state_json: string }

export type SettingsRow = { key: string; value: string }

export type CatalogTables = {
  iceberg_tables: IcebergTablesRow
  iceberg_namespace_properties: IcebergNamespacePropertiesRow
  publications: PublicationsRow
  publication_tables: PublicationTablesRow
  change_sets: ChangeSetsRow
  change_set_entries: ChangeSetEntriesRow
  forks: ForksRow
  fork_tables: ForkTablesRow
  users: UsersRow
  sessions: SessionsRow
  login_links: LoginLinksRow
  api_tokens: ApiTokensRow
  scram_verifiers: ScramVerifiersRow
  runs: RunsRow
  run_steps: RunStepsRow
  run_step_attempts: RunStepAttemptsRow
  schedules_state: SchedulesStateRow
  schedule_fires: ScheduleFiresRow
  workers: WorkersRow
  idempotency_keys: IdempotencyKeysRow
  settings: SettingsRow
  access_stamp: AccessStampRow
  access_roles: AccessRolesRow
  access_groups: AccessGroupsRow
  access_members: AccessMembersRow
  access_attributes: AccessAttributesRow
  access_grants: AccessGrantsRow
  access_row_filters: AccessRowFiltersRow
  access_column_masks: AccessColumnMasksRow
  access_limits: AccessLimitsRow
  view_owners: ViewOwnersRow
  node_states: NodeStatesRow
  identity_numbers: IdentityNumbersRow
  sequences: SequencesRow
}

export type RunLogsRow = {
  /** Grows over the whole store: `where seq > last` is what is new. */
  seq: Generated<number>
  run_id: string
  step_id: string | null
  at: Time
  level: 'debug' | 'info' | 'warn' | 'error'
  event: string
  fields_json: Json
}

export type AuditRow = {
  id: string
  at: Time
  principal: string
  door: string
  action: string
  sql: string | null
  tables_json: Json | null
  rows: number | null
  ms: number | null
  verdict: 'allowed' | 'refused' | 'failed'
  request_id: string | null
  failure_code: string | null
  /** The environment's catalog. */
  catalog: string | null
  /** What was read: snapshot ids by table. */
  snapshots_json: Json | null
}

export type QueryLogRow = {
  id: string
  at: Time
  principal: string
  door: string
  catalog: string
  sql: string
  tables_json: Json | null
  rows: number | null
  ms: number
  cached: Truth
  run_id: string | null
  request_id: string | null
  failure_code: string | null
}

export type LogTables = { run_logs: RunLogsRow; audit: AuditRow; query_log: QueryLogRow }
