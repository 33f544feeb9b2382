import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

// The Host header stays what the browser sent: the server compares it with the origin of the page.
const behind = { target: 'http://127.0.0.1:8620', changeOrigin: false }

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), precompress()],
  build: {
    target: ['chrome123', 'edge123', 'firefox121', 'safari17.5'], // the first with light-dark() and popovers
    assetsInlineLimit: 0, // no data: addresses, so that the content security policy can be 'self' alone
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': behind, '/healthz': behind } },
})

/** Writes `x.js.br` and `x.js.gz` beside each text file, so that the server sends them without compressing again. */
function precompress(): Plugin {
  const [brotli, zip] = [promisify(brotliCompress), promisify(gzip)]
  return {
    name: 'precompress',
    apply: 'build',
    async writeBundle({ dir }, bundle) {
      const texts = [...Object.keys(bundle), 'theme.js', 'favicon.svg'].filter((name) =>
        /\.(js|css|svg|html)$/.test(name),
      )
      await Promise.all(
        texts.map(async (name) => {
          const file = join(dir!, name)
          const bytes = await readFile(file)
          if (bytes.length < 600) return
          await writeFile(`${file}.br`, await brotli(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
          await writeFile(`${file}.gz`, await zip(bytes, { level: 9 }))
        }),
      )
    },
  }
}
