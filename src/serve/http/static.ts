// The built web app, from memory. Only files that were found in its folder are ever answered, by their exact path, so
// no path can lead elsewhere. Names under /assets carry a hash of their content and never change; everything else is
// asked for again each time, and answered with 304 when it is the same.

import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Clock } from '../../base/clock.ts'
import { pagePolicy } from './headers.ts'
import type { HttpContext } from './route.ts'

type Encoding = 'br' | 'gzip'
type Asset = {
  path: string
  type: string
  etag: string
  bytes: Uint8Array<ArrayBuffer>
  encoded: Partial<Record<Encoding, Promise<Uint8Array<ArrayBuffer>>>>
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.jpg': 'image/jpeg',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
  '.map': 'application/json',
  '.wasm': 'application/wasm',
}
const compressible = /^(text\/|image\/svg|application\/(json|manifest|wasm))/
const [fileBytesMax, compressBytesMin, lookAgainMs] = [32 * 2 ** 20, 600, 1_000]

/** Answers for everything outside /api: files of the app, and its page for the app's own addresses. */
export function webApp(webDir: string, clock: Pick<Clock, 'now'>): (context: HttpContext) => Promise<Response> {
  let loaded: { assets: Promise<Map<string, Asset>>; stamp: string; checkedMs: number } | undefined

  /** A build that was made anew is noticed within a second. */
  async function assets(): Promise<Map<string, Asset>> {
    if (loaded && clock.now() - loaded.checkedMs < lookAgainMs) return await loaded.assets
    const stamp = await stat(join(webDir, 'index.html')).then(
      ({ mtimeMs, size }) => `${mtimeMs} ${size}`,
      () => 'missing',
    )
    if (loaded?.stamp === stamp) loaded.checkedMs = clock.now()
    else
      loaded = {
        assets: stamp === 'missing' ? Promise.resolve(new Map<string, Asset>()) : load(webDir),
        stamp,
        checkedMs: clock.now(),
      }
    return await loaded.assets
  }

  return async (context) => {
    const known = await assets()
    const path = decoded(context.req.path)
    const asset = path === undefined || path === '/index.html' ? undefined : known.get(path)
    if (asset) return await assetAnswer(asset, context)
    if (path !== undefined && extname(path) !== '' && path !== '/index.html') return missing()
    const page = known.get('/index.html')
    return page ? await assetAnswer(page, context) : notBuilt()
  }
}

async function load(webDir: string): Promise<Map<string, Asset>> {
  const assets = new Map<string, Asset>()
  const files = new Map<string, Uint8Array<ArrayBuffer>>()
  for (const entry of await readdir(webDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue // no symbolic links: they could lead out of the folder
    const file = join(entry.parentPath, entry.name)
    if ((await stat(file)).size <= fileBytesMax)
      files.set(`/${relative(webDir, file).split(sep).join('/')}`, new Uint8Array(await readFile(file)))
  }
  for (const [path, bytes] of files) {
    const type = types[extname(path).toLowerCase()]
    if (!type) continue
    // Weak: the compressed forms share it.
    const etag = `W/"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"`
    const [br, gz] = [files.get(`${path}.br`), files.get(`${path}.gz`)]
    const encoded = { ...(br ? { br: Promise.resolve(br) } : {}), ...(gz ? { gzip: Promise.resolve(gz) } : {}) }
    assets.set(path, { path, type, etag, bytes, encoded })
  }
  return assets
}

async function assetAnswer(asset: Asset, context: HttpContext): Promise<Response> {
  const headers: Record<string, string> = {
    'content-type': asset.type,
    etag: asset.etag,
    vary: 'accept-encoding',
    ...(asset.path === '/index.html' ? { 'content-security-policy': pagePolicy } : {}),
    'cache-control': asset.path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
  }
  if (context.req.header('if-none-match')?.includes(asset.etag)) return new Response(null, { status: 304, headers })
  const encoding =
    compressible.test(asset.type) && asset.bytes.length >= compressBytesMin
      ? acceptedEncoding(context.req.header('accept-encoding'))
      : undefined
  if (encoding === undefined) return new Response(asset.bytes, { headers })
  return new Response(await (asset.encoded[encoding] ??= compress(asset.bytes, encoding)), {
    headers: { ...headers, 'content-encoding': encoding },
  })
}

const [brotli, zip] = [promisify(brotliCompress), promisify(gzip)]

async function compress(bytes: Uint8Array, encoding: Encoding): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(
    encoding === 'br' ? await brotli(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 8 } }) : await zip(bytes),
  )
}

/** Pure. A weight of zero is a refusal. */
export function acceptedEncoding(header: string | undefined): Encoding | undefined {
  const accepted = (header ?? '')
    .split(',')
    .map((one) => one.trim().toLowerCase())
    .filter((one) => !/;\s*q=0(\.0*)?$/.test(one))
    .map((one) => one.split(';')[0]!.trim())
  return (['br', 'gzip'] as const).find((encoding) => accepted.includes(encoding))
}

const notBuilt = () =>
  new Response(
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>Boathouse</title>
<h1>Boathouse is running</h1>
<p>Its web app is not built yet. In the folder of Boathouse run <code>make build</code> (or <code>npm run build --workspace web</code>) and load this page again.</p>
<p>The API answers already: <a href="/api/openapi.json">/api/openapi.json</a>.</p></html>
`,
    {
      status: 503,
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'content-security-policy': pagePolicy,
      },
    },
  )

const missing = () =>
  new Response('Not found\n', {
    status: 404,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
  })

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}
