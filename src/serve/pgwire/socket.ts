// Bytes from and to one client. Reading goes on while a statement runs, so that a client that went away is noticed, but
// only up to a bound; writing waits for a slow reader, which is what holds the query back.

import type { Socket } from 'node:net'

/** The client is gone; nobody is told. */
export class Gone extends Error {}
/** What came is not the protocol. */
export class ProtocolViolation extends Error {}

export type Message = { type: string; body: Buffer }

const aheadBytesMax = 2 ** 20
const smallBytes = 32 * 1024

export class Wire {
  readonly socket: Socket
  /** Aborted when the client is gone. */
  readonly gone: AbortSignal
  readonly #gone = new AbortController()
  #parts: Buffer[] = []
  #size = 0
  #wake: (() => void) | undefined
  #out: Buffer[] = []
  #outSize = 0
  #detached = false
  readonly #listeners: (() => void)[] = []

  constructor(socket: Socket) {
    this.socket = socket
    this.gone = this.#gone.signal
    const on = (event: string, listener: () => void) => {
      socket.on(event, listener)
      this.#listeners.push(() => socket.off(event, listener))
    }
    const onData = (bytes: Buffer) => {
      this.#parts.push(bytes)
      this.#size += bytes.length
      if (this.#size > aheadBytesMax) socket.pause()
      this.#poke()
    }
    socket.on('data', onData)
    this.#listeners.push(() => socket.off('data', onData))
    const end = () => {
      this.#gone.abort(new Gone())
      this.#poke()
    }
    for (const event of ['end', 'close', 'error', 'timeout']) on(event, end)
    on('drain', () => this.#poke())
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 60_000)
  }

  #poke(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  async #happening(signal?: AbortSignal): Promise<void> {
    const poke = () => this.#poke()
    signal?.addEventListener('abort', poke, { once: true })
    await new Promise<void>((wake) => (this.#wake = wake))
    signal?.removeEventListener('abort', poke)
  }

  /** Exactly `count` bytes. @throws Gone */
  async read(count: number): Promise<Buffer> {
    while (this.#size < count) {
      if (this.gone.aborted) throw new Gone()
      if (this.socket.isPaused()) this.socket.resume()
      await this.#happening()
    }
    const all = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts)
    this.#parts = all.length > count ? [all.subarray(count)] : []
    this.#size -= count
    if (this.#size <= aheadBytesMax && this.socket.isPaused()) this.socket.resume()
    return all.subarray(0, count)
  }

  /** The first message, which has no type. */
  async readStartup(bytesMax: number): Promise<Buffer> {
    const length = (await this.read(4)).readInt32BE()
    // Who goes before they came in says so as everybody does: X, and a length of four.
    if (length === 0x58000000) throw new Gone()
    if (length < 8 || length > bytesMax) throw new ProtocolViolation(`a start-up message of ${length} bytes`)
    return this.read(length - 4)
  }

  /** @throws Gone, ProtocolViolation */
  async next(bytesMax: number): Promise<Message> {
    const head = await this.read(5)
    const type = String.fromCharCode(head[0]!)
    const length = head.readInt32BE(1)
    if (!/[A-Za-z]/.test(type)) throw new ProtocolViolation('a message of an unknown type')
    if (length < 4) throw new ProtocolViolation(`a message of ${length} bytes`)
    if (length > bytesMax) throw new ProtocolViolation(`a message of ${length} bytes; at most ${bytesMax} are taken`)
    return { type, body: await this.read(length - 4) }
  }

  /** Bytes that came and were not read. */
  get ahead(): number {
    return this.#size
  }

  /** Small messages are sent together, at the latest by `flush`. */
  send(...messages: Buffer[]): void {
    for (const message of messages) {
      this.#out.push(message)
      this.#outSize += message.length
    }
    if (this.#outSize > smallBytes) this.flush()
  }

  flush(): void {
    if (this.#outSize === 0) return
    const all = this.#out.length === 1 ? this.#out[0]! : Buffer.concat(this.#out)
    this.#out = []
    this.#outSize = 0
    if (!this.gone.aborted) this.socket.write(all)
  }

  /** Waits until the client has taken most of what was sent. @throws Gone, or the reason of `signal` */
  async drained(signal?: AbortSignal): Promise<void> {
    while (this.socket.writableNeedDrain) {
      if (this.gone.aborted) throw new Gone()
      signal?.throwIfAborted()
      await this.#happening(signal)
    }
    if (this.gone.aborted) throw new Gone()
  }

  /** Gives the socket to somebody else: TLS. */
  detach(): Socket {
    this.#detached = true
    for (const off of this.#listeners) off()
    return this.socket
  }

  /** Sends what is left and closes. */
  end(): void {
    if (this.#detached) return
    this.flush()
    this.socket.end()
    // A client that does not read its last message does not keep the socket.
    setTimeout(() => this.socket.destroy(), 2_000).unref()
  }
}
