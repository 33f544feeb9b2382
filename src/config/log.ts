// Opens the log: coloured lines on a terminal, one JSON object per line everywhere else. Lines go to standard
// error, so that what a command prints stays its answer.
//
// Secrets are hidden twice: fields named like one lose their value, and every text loses each configured secret,
// wherever it came from (the event, an error's message, an address, a stack). All that is written passes `clean`.

import { createRequire } from 'node:module'
import type { Logger } from 'pino'
import { Failure } from '../base/failure.ts'
import type { Log, LogFields } from '../base/log.ts'
import { isSecretName } from './secrets.ts'

// Loaded when a log is opened: a command that opens none does not wait for them.
const load = createRequire(import.meta.url)
const loadPino = () => load('pino') as typeof import('pino')
const loadPretty = () => load('pino-pretty') as typeof import('pino-pretty')

type LogStream = { write(text: string): unknown; isTTY?: boolean | undefined }
type LogConfig = { log: { level: string; format: 'auto' | 'pretty' | 'json' }; secrets: readonly string[] }

const hidden = '[hidden]'
const depthMax = 6

/** `stream` is standard error unless given; `fields` stand on every line. */
export function openLog(
  { log, secrets }: LogConfig,
  { stream = process.stderr, fields = {} }: { stream?: LogStream; fields?: LogFields } = {},
): Log {
  const redact = redactor(secrets)
  const pretty = log.format === 'pretty' || (log.format === 'auto' && stream.isTTY === true)
  const format = pretty
    ? loadPretty().prettyFactory({
        colorize: stream.isTTY === true,
        messageKey: 'event',
        ignore: 'pid,hostname',
        translateTime: 'SYS:HH:MM:ss.l',
      })
    : asIs
  const { pino } = loadPino()
  const options = {
    level: log.level,
    base: null,
    messageKey: 'event',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  const destination = { write: (line: string) => void stream.write(format(line) ?? line) }
  return wrap(pino(options, destination).child(clean(fields, redact)), redact)
}

/** Hides secrets in what is stored instead of written, such as the log of a run; fields come back as plain JSON. */
export function openCleaner(secrets: readonly string[]): { text: Redact; fields: (fields: LogFields) => LogFields } {
  const redact = redactor(secrets)
  return { text: redact, fields: (fields) => clean(fields, redact) }
}

const asIs = (text: string) => text

type Redact = (text: string) => string

function wrap(inner: Logger, redact: Redact): Log {
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (event: string, fields?: LogFields) =>
    inner[level](clean(fields, redact), redact(event))
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => wrap(inner.child(clean(fields, redact)), redact),
  }
}

/** Replaces secrets in a text, also where JSON or an address has escaped their characters. */
function redactor(secrets: readonly string[]): Redact {
  const spellings = secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeUri(secret)])
  if (spellings.length === 0) return asIs
  const escaped = [...new Set(spellings)].map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const pattern = new RegExp(escaped.sort((a, b) => b.length - a.length).join('|'), 'g')
  return (text) => text.replace(pattern, hidden)
}

/** A lone surrogate has no encoding. */
function encodeUri(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

const clean = (fields: LogFields = {}, redact: Redact): LogFields => cleanValue(fields, redact, 0) as LogFields

/** Fields as plain JSON: errors become records, bigints text, secrets hidden, what is too deep cut. */
function cleanValue(value: unknown, redact: Redact, depth: number): unknown {
  if (typeof value === 'string') return redact(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return value.toISOString()
  if (depth > depthMax) return '[…]'
  if (value instanceof Error) return cleanValue(errorFields(value), redact, depth)
  if (Array.isArray(value)) return value.map((item) => cleanValue(item, redact, depth + 1))
  const entries = Object.entries(value).map(([name, item]) => [
    redact(name),
    isSecretName(name) && item !== null && item !== undefined ? hidden : cleanValue(item, redact, depth + 1),
  ])
  return Object.fromEntries(entries) as LogFields
}

function errorFields(error: Error): LogFields {
  const cause = error.cause === undefined ? {} : { cause: error.cause }
  if (error instanceof Failure) {
    const { code, message, place } = error
    return {
      code,
      message,
      ...(place ? { place } : {}),
      ...(code === 'INTERNAL' ? { stack: error.stack } : {}),
      ...cause,
    }
  }
  return { name: error.name, message: error.message, stack: error.stack, ...cause }
}
