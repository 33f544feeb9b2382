// A file dropped on the page is written to the spool while it arrives, and handed on when it is whole. Whatever happens,
// its folder in the spool is gone afterwards; what a killed process left is removed at the next start.

import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Failure, Failures } from '../../base/failure.ts'
import { UploadForm } from '../../contract/index.ts'
import { refuseTooLarge, tooLarge } from './body.ts'
import type { HttpDeps, HttpLimits } from './deps.ts'
import { boundaryOf, readParts } from './multipart.ts'
import type { HttpContext, Some } from './route.ts'
import { audited } from './session.ts'

const folderPrefix = 'upload-'
const [fieldBytesMax, overheadBytes, leftoverMs] = [1_000, 64 * 1024, 24 * 3_600_000]
const setting = 'limits.upload_bytes (BOATHOUSE_LIMITS_UPLOAD_BYTES)'

type Keys = 'POST /api/tables/upload'
type Received = { path: string; fileName: string } & Pick<UploadForm, 'table' | 'mode'>

export function uploadRoutes(deps: HttpDeps, limits: HttpLimits): Some<Keys> {
  const { spoolDir, uploadBytesMax } = deps.settings
  return {
    async 'POST /api/tables/upload'({ context, ...asker }) {
      refuseTooLarge(context, uploadBytesMax + overheadBytes, 'a request with a file')
      await mkdir(spoolDir, { recursive: true })
      const dir = await mkdtemp(join(spoolDir, folderPrefix))
      try {
        const received = await receive(context, {
          dir,
          bytesMax: uploadBytesMax,
          idleMs: limits.uploadIdleMs,
          signal: asker.signal,
        })
        const action = `upload ${received.fileName} to ${received.table} (${received.mode})`
        return await audited(deps, { ...asker, action }, () => deps.uploads.add(received, asker))
      } finally {
        await rm(dir, { recursive: true, force: true })
      }
    },
  }
}

/** Removes what uploads of a killed process left behind. */
export async function clearSpool(spoolDir: string, nowMs: number): Promise<void> {
  const names = await readdir(spoolDir).catch(() => [])
  for (const name of names.filter((one) => one.startsWith(folderPrefix))) {
    const path = join(spoolDir, name)
    const info = await stat(path).catch(() => undefined)
    if (info && nowMs - info.mtimeMs > leftoverMs) await rm(path, { recursive: true, force: true })
  }
}

type ReceiveOptions = { dir: string; bytesMax: number; idleMs: number; signal: AbortSignal }

async function receive(context: HttpContext, options: ReceiveOptions): Promise<Received> {
  const boundary = boundaryOf(context.req.header('content-type'))
  const body = context.req.raw.body
  if (boundary === undefined || !body)
    throw new Failure('REQUEST_INVALID', 'body: send multipart/form-data with the fields file, table and mode')
  const fields: Record<string, string> = {}
  let file: { path: string; fileName: string } | undefined
  for await (const part of readParts(notIdle(body, options), boundary)) {
    if (part.fileName === undefined) fields[part.name] = await smallText(part.name, part.body)
    else if (part.name !== 'file' || file)
      throw new Failure('REQUEST_INVALID', `body.${part.name}: one file, in the field "file"`)
    else {
      const fileName = safeFileName(part.fileName)
      file = { fileName, path: join(options.dir, fileName) }
      await pipeline(
        Readable.from(limited(part.body, options.bytesMax)),
        createWriteStream(file.path, { flags: 'wx' }),
        { signal: options.signal },
      )
    }
  }
  const parsed = UploadForm.omit({ file: true }).safeParse(fields)
  const mistakes = (parsed.error?.issues ?? []).map(
    (issue) => new Failure('REQUEST_INVALID', `${['body', ...issue.path].join('.')}: ${issue.message}`),
  )
  if (!file) mistakes.unshift(new Failure('REQUEST_INVALID', 'body.file: missing'))
  if (!file || !parsed.success) throw new Failures(mistakes)
  return { ...file, ...parsed.data }
}

/** Ends with a failure when the client sends nothing for a while, or is gone. */
async function* notIdle(
  body: ReadableStream<Uint8Array>,
  { idleMs, signal }: ReceiveOptions,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  let given: Failure | undefined
  const giveUp = (failure: Failure) => {
    given = failure
    reader.cancel(failure).catch(() => {})
  }
  const onAbort = () => giveUp(signal.reason as Failure)
  signal.addEventListener('abort', onAbort, { once: true })
  const timer = setTimeout(
    () => giveUp(new Failure('REQUEST_INVALID', `body: nothing came for ${idleMs / 1_000} s`)),
    idleMs,
  )
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (given) throw given
      if (done) return
      timer.refresh()
      yield value
    }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    reader.cancel().catch(() => {})
  }
}

async function* limited(bytes: AsyncIterable<Buffer>, bytesMax: number): AsyncGenerator<Buffer> {
  let size = 0
  for await (const chunk of bytes) {
    size += chunk.length
    if (size > bytesMax) throw tooLarge('a file', bytesMax, setting)
    yield chunk
  }
}

async function smallText(name: string, bytes: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of bytes) {
    size += chunk.length
    if (size > fieldBytesMax) throw new Failure('REQUEST_INVALID', `body.${name.slice(0, 100)}: too long`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The last part of what the browser calls the file, made of letters, digits and ` ._-` only, never hidden, never empty. */
export function safeFileName(given: string): string {
  const last = given.normalize('NFC').split(/[/\\]/).at(-1)!
  const plain = last.replace(/[^\p{L}\p{N} ._-]/gu, '_').replace(/^[. ]+|[. ]+$/g, '')
  // By bytes: a file system counts those, and a name may be all letters of three bytes.
  let short = plain
  while (Buffer.byteLength(short) > 150) short = short.slice(1)
  return short.replace(/^[. ]+/, '') || 'upload'
}
