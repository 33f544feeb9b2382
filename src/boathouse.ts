// The program: hands the command line to `cli`, and the rooms to it only when a command needs them.

import { fileURLToPath } from 'node:url'
import { runCli } from './cli/index.ts'

process.exitCode = await runCli(process.argv.slice(2), {
  open: async (...options) => (await import('./main.ts')).open(...options),
  self: { node: process.execPath, script: fileURLToPath(import.meta.url) },
})
