// A log line is an event with fields. This room only names the shape; `config` opens a real one.

export type LogFields = Record<string, unknown>

export interface Log {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  /** A log whose every line carries these fields too: `run_id`, `worker_id`, `request_id`, `asset`. */
  child(fields: LogFields): Log
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLog }
