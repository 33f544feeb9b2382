// What the server says in PostgreSQL's protocol, version 3.0: each function gives the bytes of one message.
//
// Source: PostgreSQL documentation, "Frontend/Backend Protocol", 55.7 "Message Formats".

import type { WireType } from '../../base/pg-types.ts'

function message(type: string, ...parts: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)))
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

const int16 = (value: number) => {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value & 0xffff)
  return bytes
}
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value | 0)
  return bytes
}
/** OIDs of ours use all 32 bits. */
const oid = int32

export const authenticationOk = message('R', int32(0))
export const askPassword = message('R', int32(3))
export const askSasl = message('R', int32(10), 'SCRAM-SHA-256', Buffer.alloc(1))
export const saslContinue = (text: string) => message('R', int32(11), Buffer.from(text))
export const saslFinal = (text: string) => message('R', int32(12), Buffer.from(text))

export const parameterStatus = (name: string, value: string) => message('S', name, value)
export const backendKeyData = (id: number, key: number) => message('K', int32(id), int32(key))
/** A client that asks for a later minor version of the protocol is told which one is spoken. */
export const negotiateVersion = (unknownOptions: readonly string[]) =>
  message('v', int32(3 << 16), int32(unknownOptions.length), ...unknownOptions)

/** `I`dle, in a `T`ransaction, in a transaction that `E`rred. */
export type Status = 'I' | 'T' | 'E'
export const readyForQuery = (status: Status) => message('Z', Buffer.from(status))

export const parseComplete = message('1')
export const bindComplete = message('2')
export const closeComplete = message('3')
export const noData = message('n')
export const portalSuspended = message('s')
export const emptyQuery = message('I')
export const copyDone = message('c')
export const commandComplete = (tag: string) => message('C', tag)
export const parameterDescription = (oids: readonly number[]) => message('t', int16(oids.length), ...oids.map(oid))

export type Field = { name: string; type: WireType; format: number }
export const rowDescription = (fields: readonly Field[]) =>
  message(
    'T',
    int16(fields.length),
    ...fields.flatMap(({ name, type, format }) => [
      name.replaceAll('\0', ''),
      int32(0), // no table
      int16(0),
      oid(type.oid),
      int16(type.size),
      int32(type.modifier),
      int16(format),
    ]),
  )

/** A row of texts. */
export const dataRow = (values: readonly (string | null)[]) =>
  message(
    'D',
    int16(values.length),
    ...values.flatMap((value) => {
      if (value === null) return [int32(-1)]
      const bytes = Buffer.from(value)
      return [int32(bytes.length), bytes]
    }),
  )

/** `format` 0 is text, 1 binary. */
export const copyOutResponse = (format: number, columns: number) =>
  message('H', Buffer.from([format]), int16(columns), ...Array.from({ length: columns }, () => int16(format)))
export const copyInResponse = (format: number, columns: number) =>
  message('G', Buffer.from([format]), int16(columns), ...Array.from({ length: columns }, () => int16(format)))
export const copyData = (bytes: Buffer) => message('d', bytes)

export type Report = {
  severity: 'FATAL' | 'ERROR' | 'WARNING' | 'NOTICE'
  sqlState: string
  message: string
  hint?: string
  detail?: string
  /** In characters, from 1. */
  position?: number
  /** Of a row that breaks a rule of its table. */
  schema?: string
  table?: string
  column?: string
  constraint?: string
  /** Where in PostgreSQL's own code it would be told: pgjdbc goes by that. */
  routine?: string
}
export const errorResponse = (report: Report) => message('E', ...fieldsOf(report))
export const noticeResponse = (report: Report) => message('N', ...fieldsOf(report))

function fieldsOf({
  severity,
  sqlState,
  message: text,
  hint,
  detail,
  position,
  routine,
  ...broken
}: Report): (Buffer | string)[] {
  const fields: [string, string | undefined][] = [
    ['S', severity],
    ['V', severity],
    ['C', sqlState],
    ['M', text],
    ['D', detail],
    ['H', hint],
    ['P', position === undefined ? undefined : String(position)],
    ['s', broken.schema],
    ['t', broken.table],
    ['c', broken.column],
    ['n', broken.constraint],
    ['R', routine],
  ]
  return [
    ...fields.flatMap(([code, value]) => (value === undefined ? [] : [`${code}${value.replaceAll('\0', '')}`])),
    Buffer.alloc(1),
  ]
}
