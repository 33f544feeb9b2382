// The command line, many times in one process: a line of JSON says which command is run where, a line answers how it ended.

import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { runCli } from '../../../../src/cli/index.ts'

type Asked = { args: string[]; cwd: string; env: Record<string, string> }

const answer = process.stdout.write.bind(process.stdout)
const script = join(import.meta.dirname, '../../../../src/boathouse.ts')

for await (const line of createInterface({ input: process.stdin })) {
  const { args, cwd, env } = JSON.parse(line) as Asked
  const said = { out: '', err: '' }
  const keep = (to: 'out' | 'err') => (chunk: string | Uint8Array, encoding?: unknown, done?: unknown) => {
    said[to] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8')
    for (const call of [encoding, done]) if (typeof call === 'function') (call as () => void)()
    return true
  }
  process.stdout.write = keep('out')
  process.stderr.write = keep('err')
  for (const name of Object.keys(process.env)) if (!Object.hasOwn(env, name)) delete process.env[name]
  Object.assign(process.env, env)
  process.chdir(cwd)
  const code = await runCli(args, {
    open: async (...options) => (await import('../../../../src/main.ts')).open(...options),
    self: { node: process.execPath, script },
  }).catch((error: unknown) => {
    said.err += String(error instanceof Error ? error.stack : error)
    return 70
  })
  answer(`${JSON.stringify({ code, ...said })}\n`)
}
