// Opens the log: coloured lines on a terminal, one JSON object per line everywhere else. Lines go to standard
// error, so that what a command prints stays its answer.
//
// Secrets are hidden twice: fields named like one lose their value, and the finished line loses every configured
// secret, wherever it came from (an error's text, an address, a stack).

import { pino } from 'pino'
import { prettyFactory } from 'pino-pretty'
import { Failure } from '../base/failure.ts'
import type { Log, LogFields } from '../base/log.ts'
import { isSecretName } from './secrets.ts'

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
    ? prettyFactory({
        colorize: stream.isTTY === true,
        messageKey: 'event',
        ignore: 'pid,hostname',
        translateTime: 'SYS:HH:MM:ss.l',
      })
    : asIs
  const options = {
    level: log.level,
    base: null,
    messageKey: 'event',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  return wrap(
    pino(options, { write: (line: string) => void stream.write(redact(format(line) ?? line)) }).child(clean(fields)),
  )
}

const asIs = (line: string) => line

function wrap(inner: pino.Logger): Log {
  return {
    debug: (event, fields) => inner.debug(clean(fields), event),
    info: (event, fields) => inner.info(clean(fields), event),
    warn: (event, fields) => inner.warn(clean(fields), event),
    error: (event, fields) => inner.error(clean(fields), event),
    child: (fields) => wrap(inner.child(clean(fields))),
  }
}

/** Replaces secrets in a finished line, also where JSON has escaped their characters. */
function redactor(secrets: readonly string[]): (line: string) => string {
  const spellings = secrets.flatMap((secret) => [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
  ])
  if (spellings.length === 0) return asIs
  const escaped = [...new Set(spellings)].map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const pattern = new RegExp(escaped.sort((a, b) => b.length - a.length).join('|'), 'g')
  return (line) => line.replace(pattern, hidden)
}

function clean(fields: LogFields = {}): LogFields {
  return cleanValue(fields, 0) as LogFields
}

/** Fields as plain JSON: errors become records, bigints text, secrets hidden, what is too deep cut. */
function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return value.toISOString()
  if (depth > depthMax) return '[…]'
  if (value instanceof Error) return cleanValue(errorFields(value), depth)
  if (Array.isArray(value)) return value.map((item) => cleanValue(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      isSecretName(name) && item !== null && item !== undefined ? hidden : cleanValue(item, depth + 1),
    ]),
  )
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
