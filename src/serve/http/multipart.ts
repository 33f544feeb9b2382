// multipart/form-data as a stream (RFC 7578 over RFC 2046): the parts of a body one after the other, each with its own
// stream of bytes. Nothing but the bytes up to the next possible delimiter is held.

import { Failure } from '../../base/failure.ts'

export type Part = { name: string; fileName: string | undefined; body: AsyncIterable<Buffer> }

const [headerBytesMax, partsMax] = [16 * 1024, 100]
const lineEnd = Buffer.from('\r\n')

/** The boundary of a content type; undefined when it is not multipart/form-data. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  const match = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))/i.exec(
    contentType ?? '',
  )
  return match?.[1] ?? match?.[2]
}

/** Each part in turn; what is not read of its body is skipped. @throws REQUEST_INVALID when the body is not well formed */
export async function* readParts(body: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Part> {
  const reader = new Reader(body)
  try {
    yield* partsOf(reader, boundary)
  } finally {
    await reader.end()
  }
}

async function* partsOf(reader: Reader, boundary: string): AsyncGenerator<Part> {
  // A delimiter begins with the line end before it; the first one may stand at the very start.
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  reader.unread(lineEnd)
  await skip(reader.until(delimiter))
  for (let count = 0; ; count++) {
    const rest = await reader.line(200)
    if (rest.startsWith('--')) return
    if (rest.trim() !== '') throw malformed('text behind a boundary')
    if (count === partsMax) throw malformed(`more than ${partsMax} parts`)
    const { name, fileName } = await readHeaders(reader)
    const content = reader.until(delimiter)
    yield { name, fileName, body: content }
    await skip(content)
  }
}

async function readHeaders(reader: Reader): Promise<{ name: string; fileName: string | undefined }> {
  let disposition: string | undefined
  for (let left = headerBytesMax; ;) {
    const line = await reader.line(left)
    if (line === '') break
    left -= line.length
    const match = /^content-disposition:\s*form-data\s*;(.*)$/is.exec(line)
    if (match) disposition = match[1]!
  }
  const name = disposition === undefined ? undefined : parameter(disposition, 'name')
  if (disposition === undefined || name === undefined) throw malformed('a part without a name')
  return { name, fileName: parameter(disposition, 'filename') }
}

/** Browsers write `"`, CR and LF in names as %22, %0D and %0A (HTML standard, "multipart/form-data encoding algorithm"). */
function parameter(disposition: string, name: string): string | undefined {
  const match = new RegExp(`(?:^|;)\\s*${name}=(?:"([^"]*)"|([^\\s;"]+))`, 'i').exec(disposition)
  return (match?.[1] ?? match?.[2])?.replace(/%(22|0D|0A)/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
}

async function skip(bytes: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of bytes);
}

const malformed = (what: string) =>
  new Failure('REQUEST_INVALID', `body: not a well formed multipart/form-data: ${what}`)

class Reader {
  readonly #source: AsyncIterator<Uint8Array>
  #held: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  unread(bytes: Buffer): void {
    this.#held = Buffer.concat([bytes, this.#held])
  }

  /** The source may hold timers and locks. */
  async end(): Promise<void> {
    await this.#source.return?.()
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#source.next()
    if (done) throw malformed('it ends too early')
    this.#held = this.#held.length === 0 ? Buffer.from(value) : Buffer.concat([this.#held, value])
  }

  /** The text up to the next line end, which is taken too. The last line may end with the body. */
  async line(bytesMax: number): Promise<string> {
    for (;;) {
      const at = this.#held.indexOf(lineEnd)
      if (at > bytesMax || (at < 0 && this.#held.length > bytesMax)) throw malformed('a line that is too long')
      if (at >= 0) return this.#take(at, lineEnd.length).toString('utf8')
      // After the closing boundary nothing need follow.
      if (this.#held.toString('latin1', 0, 2) === '--') return this.#take(this.#held.length, 0).toString('utf8')
      await this.#more()
    }
  }

  /** The bytes up to `delimiter`, which is taken too. One iterator for all who iterate. */
  async *until(delimiter: Buffer): AsyncGenerator<Buffer, undefined> {
    for (;;) {
      const at = this.#held.indexOf(delimiter)
      if (at >= 0) {
        const last = this.#take(at, delimiter.length)
        if (last.length > 0) yield last
        return undefined
      }
      // The end of what is held may be the beginning of the delimiter.
      const safe = this.#held.length - (delimiter.length - 1)
      if (safe > 0) yield this.#take(safe, 0)
      await this.#more()
    }
  }

  #take(length: number, skipped: number): Buffer {
    const taken = this.#held.subarray(0, length)
    this.#held = this.#held.subarray(length + skipped)
    return taken
  }
}
