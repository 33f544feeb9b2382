// A client that speaks PostgreSQL's protocol byte by byte: for what drivers hide, and for what they would never send.

import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

export type RawMessage = { type: string; body: Buffer }

export type RawClient = {
  socket: Socket
  send(...messages: Buffer[]): void
  /** The next message; undefined when the server has closed. */
  next(): Promise<RawMessage | undefined>
  /** Messages up to and with the first of this type. */
  until(type: string): Promise<RawMessage[]>
  close(): void
}

export const cstring = (text: string) => Buffer.from(`${text}\0`)
export const int16 = (value: number) => {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
export const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
export const message = (type: string, ...parts: Buffer[]) => {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}
export const query = (sql: string) => message('Q', cstring(sql))
export const parse = (name: string, sql: string, oids: readonly number[] = []) =>
  message('P', cstring(name), cstring(sql), int16(oids.length), ...oids.map(int32))
export const bind = (portal: string, name: string, format = 0) =>
  message('B', cstring(portal), cstring(name), int16(0), int16(0), int16(1), int16(format))
export const execute = (portal: string, rows = 0) => message('E', cstring(portal), int32(rows))
export const sync = message('S')

export function startup(parameters: Record<string, string>): Buffer {
  const body = Buffer.concat([
    int32(3 << 16),
    ...Object.entries(parameters).flatMap(([name, value]) => [cstring(name), cstring(value)]),
    Buffer.alloc(1),
  ])
  return Buffer.concat([int32(body.length + 4), body])
}

export async function openRaw(port: number, host = '127.0.0.1'): Promise<RawClient> {
  const socket = connect(port, host)
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  let bytes = Buffer.alloc(0)
  let isOver = false
  let wake: (() => void) | undefined
  const poke = () => {
    wake?.()
    wake = undefined
  }
  socket.on('data', (more) => {
    bytes = Buffer.concat([bytes, more as Buffer])
    poke()
  })
  for (const event of ['close', 'error', 'end'])
    socket.on(event, () => {
      isOver = true
      poke()
    })
  const client: RawClient = {
    socket,
    send: (...messages) => void socket.write(Buffer.concat(messages)),
    async next() {
      for (;;) {
        if (bytes.length >= 5 && bytes.length >= 1 + bytes.readInt32BE(1)) {
          const end = 1 + bytes.readInt32BE(1)
          const found = { type: String.fromCharCode(bytes[0]!), body: bytes.subarray(5, end) }
          bytes = bytes.subarray(end)
          return found
        }
        if (isOver) return undefined
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
    async until(type) {
      const found: RawMessage[] = []
      for (;;) {
        const one = await client.next()
        if (!one) return found
        found.push(one)
        if (one.type === type) return found
      }
    },
    close: () => socket.destroy(),
  }
  return client
}

/** Through SCRAM-SHA-256 up to the first ReadyForQuery; the messages that came on the way. */
export async function logIn(
  client: RawClient,
  { user, password, database = 'dev' }: { user: string; password: string; database?: string },
): Promise<RawMessage[]> {
  client.send(startup({ user, database }))
  const asked = await client.next()
  if (asked?.type !== 'R' || asked.body.readInt32BE() !== 10) return asked ? [asked] : []
  const bare = `n=,r=${randomBytes(12).toString('base64')}`
  const first = Buffer.from(`n,,${bare}`)
  client.send(message('p', cstring('SCRAM-SHA-256'), int32(first.length), first))
  const challenge = (await client.next())!
  if (challenge.type !== 'R') return [challenge]
  const text = challenge.body.subarray(4).toString()
  const [, nonce, salt, iterations] = /^r=(.*),s=(.*),i=(\d+)$/.exec(text)!
  const salted = pbkdf2Sync(password, Buffer.from(salt!, 'base64'), Number(iterations), 32, 'sha256')
  const hmac = (key: Buffer, value: string) => createHmac('sha256', key).update(value).digest()
  const clientKey = hmac(salted, 'Client Key')
  const without = `c=biws,r=${nonce}`
  const signed = hmac(createHash('sha256').update(clientKey).digest(), `${bare},${text},${without}`)
  const proof = Buffer.from(clientKey.map((byte, at) => byte ^ signed[at]!)).toString('base64')
  client.send(message('p', Buffer.from(`${without},p=${proof}`)))
  return client.until('Z')
}

/** The fields of an ErrorResponse by their letters. */
export function errorFields({ body }: RawMessage): Record<string, string> {
  const parts = body.toString().split('\0').filter(Boolean)
  return Object.fromEntries(parts.map((part) => [part[0]!, part.slice(1)]))
}
