// The command line, many times in one process: a line of JSON says which command is run where, a line answers how it ended.
// The lake of a folder stays open until a command opens one of another folder: starting its hosts takes most of a command's time.

import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { runCli } from '../../../../src/cli/index.ts'
import { open } from '../../../../src/main.ts'

/** `now`: milliseconds, of a test that stops the clock. */
type Asked = { args: string[]; cwd: string; env: Record<string, string>; now?: number }

const answer = process.stdout.write.bind(process.stdout)
type App = Awaited<ReturnType<typeof open>>
const opened = new Map<string, App>()
let folder = ''

async function openOnce(...[config, environment, options]: Parameters<typeof open>): Promise<App> {
  if (config.dir !== folder) {
    await Promise.all([...opened.values()].map((app) => app.close()))
    opened.clear()
    folder = config.dir
  }
  const key = JSON.stringify([config, environment, options?.role])
  const app = opened.get(key) ?? (await open(config, environment, options))
  opened.set(key, app)
  return { ...app, close: async () => {} }
}

const RealDate = Date
let late = 0
class MovedDate extends RealDate {
  constructor(...given: [] | [number]) {
    super(given[0] ?? RealDate.now() + late)
  }
  static override now = () => RealDate.now() + late
}
globalThis.Date = MovedDate as DateConstructor

const script = join(import.meta.dirname, '../../../../src/boathouse.ts')

for await (const line of createInterface({ input: process.stdin })) {
  const { args, cwd, env, now } = JSON.parse(line) as Asked
  late = now === undefined ? 0 : now - RealDate.now()
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
    open: openOnce,
    startEngine: async () => {},
    self: { node: process.execPath, script },
  }).catch((error: unknown) => {
    said.err += String(error instanceof Error ? error.stack : error)
    return 70
  })
  answer(`${JSON.stringify({ code, ...said })}\n`)
}
await Promise.all([...opened.values()].map((app) => app.close()))
