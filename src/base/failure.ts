// One table of codes: the HTTP status, the retry loop, the exit code and the help page all read it.

type Entry = { status: number; retry: boolean; usage?: true; hint: string }

const table = {
  // used wrongly
  CONFIG_INVALID: {
    status: 500,
    retry: false,
    usage: true,
    hint: 'Correct the settings named above; `docs/reference/configuration.md` lists all of them.',
  },
  USAGE: {
    status: 400,
    retry: false,
    usage: true,
    hint: 'Run the command with --help for its options and an example.',
  },
  PROJECT_NOT_FOUND: {
    status: 404,
    retry: false,
    usage: true,
    hint: 'Go to a folder with a boathouse.yml, name one with -C DIR, or make one with `boathouse init DIR`.',
  },
  PROJECT_INVALID: { status: 422, retry: false, hint: 'Correct the file at the place shown.' },
  REQUEST_INVALID: {
    status: 400,
    retry: false,
    hint: 'Correct what the message names; of requests over HTTP, `/api/openapi.json` says what each takes.',
  },
  PORT_TAKEN: {
    status: 500,
    retry: false,
    usage: true,
    hint: 'Stop the process that holds the port or choose another port.',
  },
  PAYLOAD_TOO_LARGE: { status: 413, retry: false, hint: 'Send less, or raise the limit named above.' },
  // names and rights
  UNAUTHENTICATED: {
    status: 401,
    retry: false,
    hint: 'Log in; `boathouse user reset NAME` prints a one-time log-in link.',
  },
  FORBIDDEN: { status: 403, retry: false, hint: 'Ask an administrator for the grant named above.' },
  RATE_LIMITED: { status: 429, retry: true, hint: 'Wait a moment and try again.' },
  NOT_FOUND: {
    status: 404,
    retry: false,
    hint: 'Check the name; names are listed by `boathouse table ls` and in the app.',
  },
  TABLE_NOT_FOUND: { status: 404, retry: false, hint: 'Check the name; `boathouse table ls` lists tables.' },
  NAMESPACE_NOT_FOUND: { status: 404, retry: false, hint: 'Check the name, or create the namespace first.' },
  NAMESPACE_NOT_EMPTY: { status: 409, retry: false, hint: 'Drop or move what lies in it first.' },
  ALREADY_EXISTS: { status: 409, retry: false, hint: 'Choose another name, or replace the existing one on purpose.' },
  // SQL
  SQL_INVALID: { status: 422, retry: false, hint: 'Correct the statement at the position shown.' },
  SQL_REFUSED: {
    status: 403,
    retry: false,
    hint: 'Only tables of the lake and ordinary functions may be used here; no files, network or system functions.',
  },
  SQL_UNSUPPORTED: {
    status: 422,
    retry: false,
    hint: 'Write it with a supported statement; `docs/reference/sql.md` lists them.',
  },
  QUERY_FAILED: { status: 422, retry: false, hint: 'Look at the data the message names.' },
  QUERY_CANCELLED: { status: 499, retry: false, hint: 'It was cancelled; run it again when wanted.' },
  QUERY_TIMEOUT: { status: 504, retry: false, hint: 'Narrow the query, or raise `limits.query_timeout`.' },
  QUERY_TOO_LARGE: { status: 422, retry: false, hint: 'Aggregate or add a LIMIT, or raise the limit named above.' },
  ENGINE_LOST: { status: 503, retry: true, hint: 'The engine process ended and was replaced; run it again.' },
  ENGINE_BUSY: { status: 503, retry: true, hint: 'Too many queries are running; try again in a moment.' },
  // tables and storage
  COMMIT_CONFLICT: { status: 409, retry: true, hint: 'Another writer was faster. Run it again: nothing was changed.' },
  COMMIT_UNKNOWN: {
    status: 503,
    retry: false,
    hint: 'The commit may or may not have happened; look at the history of the table before repeating.',
  },
  TRANSACTION_ABORTED: {
    status: 409,
    retry: false,
    hint: 'A statement of the transaction failed. ROLLBACK, then begin again.',
  },
  TRANSACTION_STATE: { status: 409, retry: false, hint: 'BEGIN begins a transaction, COMMIT or ROLLBACK ends it.' },
  METADATA_INVALID: {
    status: 422,
    retry: false,
    hint: 'The table breaks the Iceberg specification. Look at which engine wrote it.',
  },
  UNSUPPORTED: { status: 422, retry: false, hint: 'This part of the format is not supported.' },
  STORAGE_FAILED: {
    status: 503,
    retry: true,
    hint: 'Check that the disk or store is reachable, writable and not full.',
  },
  CATALOG_FAILED: {
    status: 503,
    retry: true,
    hint: 'Check that the catalog server is reachable and that `catalog.uri` and its credentials are right.',
  },
  OWNER_MISMATCH: {
    status: 409,
    retry: false,
    hint: 'Point this project to the records store that owns the lake, or to a lake of its own.',
  },
  LAKE_MOVED: {
    status: 409,
    retry: false,
    hint: 'Move the folder back, or make the old place a link to this one. Of a copy the tables are those of the first: begin anew with `boathouse reset`.',
  },
  RECORDS_FAILED: {
    status: 503,
    retry: true,
    hint: 'Check that the records store (SQLite file or DATABASE_URL) is reachable.',
  },
  RECORDS_NEWER: {
    status: 500,
    retry: false,
    usage: true,
    hint: 'The records were written by a newer Boathouse: upgrade this one.',
  },
  // project work
  TEMPLATE_INVALID: { status: 422, retry: false, hint: 'Correct the template at the place shown.' },
  TEMPLATE_FAILED: { status: 422, retry: false, hint: 'Correct the template at the place shown.' },
  MODEL_INVALID: { status: 422, retry: false, hint: 'Correct the model at the place shown.' },
  GRAPH_CYCLE: { status: 422, retry: false, hint: 'Break the circle: one of these models must not read the next.' },
  TEST_FAILED: {
    status: 422,
    retry: false,
    hint: 'The published tables were left as they were. Look at the failing rows with the SQL shown.',
  },
  SOURCE_INVALID: { status: 422, retry: false, hint: 'Correct the source file or the data at the place shown.' },
  METRIC_INVALID: {
    status: 422,
    retry: false,
    hint: 'Correct the metric; `boathouse metrics ls` lists what can be asked.',
  },
  DASHBOARD_INVALID: { status: 422, retry: false, hint: 'Correct the dashboard file at the place shown.' },
  // runs
  RUN_FAILED: { status: 422, retry: false, hint: '`boathouse runs show RUN` has the log of each step.' },
  RUN_CANCELLED: { status: 409, retry: false, hint: 'It was cancelled; start it again when wanted.' },
  RUN_CONFLICT: {
    status: 409,
    retry: true,
    hint: 'Another run of the same environment is under way; wait for it or cancel it.',
  },
  DOCTOR_FAILED: { status: 422, retry: false, hint: 'Each failed check above says what to do.' },
  INTERNAL: { status: 500, retry: false, hint: 'A bug in Boathouse. The log line of this request has the details.' },
} as const satisfies Record<string, Entry>

export type FailureCode = keyof typeof table
export const failureTable: Record<FailureCode, Entry> = table

/** Where in a user's text something is wrong. Lines and columns count from 1; columns in UTF-16 units. */
export type Place = { file?: string; line?: number; column?: number }

type Context = { cause?: unknown; place?: Place | undefined; hint?: string; [key: string]: unknown }

/** Something outside this program went wrong, and a person or a retry can do something about it. */
export class Failure extends Error {
  readonly code: FailureCode
  readonly place: Place | undefined
  readonly hint: string
  readonly context: Record<string, unknown>
  constructor(code: FailureCode, message: string, { cause, place, hint, ...context }: Context = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'Failure'
    this.code = code
    this.place = place
    this.hint = hint ?? table[code].hint
    this.context = context
  }
  get help(): Entry {
    return table[this.code]
  }
  /** The same, told with more: of what, where, what to do. */
  with({ message = this.message, ...more }: Context & { message?: string }): Failure {
    const { cause, place, hint, context } = this
    return new Failure(this.code, message, { ...context, cause, place, hint, ...more })
  }
}

/** Several independent mistakes of one input, reported together. */
export class Failures extends Failure {
  readonly all: readonly Failure[]
  constructor(all: readonly Failure[]) {
    const first = all[0]
    if (!first) throw new Error('Failures needs at least one failure')
    super(first.code, all.map((failure) => `${showPlace(failure.place)}${failure.message}`).join('\n'), {
      hint: first.hint,
    })
    this.all = all
  }
}

export function showPlace(place: Place | undefined): string {
  if (!place?.file && !place?.line) return ''
  const parts = [place.file, place.line, place.line === undefined ? undefined : place.column]
  return `${parts.filter((part) => part !== undefined).join(':')}: `
}

/** Anything thrown as a Failure: unknown errors become INTERNAL and keep their cause. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof Error && error.name === 'AbortError')
    return new Failure('QUERY_CANCELLED', 'cancelled', { cause: error })
  return new Failure('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error })
}

/** `CODE: where: what happened` then `what to do`: what a person sees in a terminal or a log. */
export function formatFailure(failure: Failure): string {
  const all = failure instanceof Failures ? failure.all : [failure]
  const hints = [...new Set(all.map(({ hint }) => hint))]
  return [
    ...all.map((one) => `${one.code}: ${showPlace(one.place)}${one.message}`),
    ...hints.map((hint) => `  ${hint}`),
  ].join('\n')
}
