import { spawn } from 'node:child_process'
import { existsSync, openSync, writeFileSync } from 'node:fs'
import { mkdir, open as openFile, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { Failure, Failures, formatFailure, asFailure } from '../../base/failure.ts'
import { showBytes } from '../../base/units.ts'
import { newId } from '../../base/ids.ts'
import { openLog, type Config } from '../../config/index.ts'
import {
  findSupervisor,
  reportReady,
  stopSupervisor,
  supervise,
  watchParent,
  type ChildSpec,
} from '../../orchestrate/index.ts'
import { readProject } from '../../project/index.ts'
import type { App } from '../app.ts'
import { projectConfig } from '../cli.ts'
import { isLocal } from '../../io/index.ts'
import { noArguments, type Command, type Context } from '../command.ts'
import { counted } from '../output.ts'
import { sqlLine, sqlMissing, sqlStatus, type SqlEndpoint } from '../sql-endpoint.ts'
import { follow } from './run.ts'
import { loginUrl, served, servedAt } from './users.ts'

/** What `serve` tells whoever started it. */
type Ready = { url: string; sql: SqlEndpoint | null; link: string | null }

export const serve: Command = {
  name: 'serve',
  summary: 'Only the server: app, API. `up` starts it together with a worker.',
  options: { port: { type: 'string', value: 'PORT', about: 'Instead of http.port; 0 takes any free one.' } },
  examples: ['boathouse serve', 'boathouse serve --port 9000'],
  async run(context) {
    noArguments(context)
    const port = context.flags.text('port')
    if (port !== undefined) process.env.BOATHOUSE_HTTP_PORT = port
    const stop = stopSignal(context)
    const app = await context.open({ role: 'serve' })
    const { server, listening, sql, firstLink } = await app.startServer()
    app.log.info('serving', { url: listening.url })
    const link = firstLink === null ? null : loginUrl(app, firstLink, listening.url)
    if (!process.channel) {
      context.out.line(`Boathouse serves ${app.config.name} at ${listening.url}`)
      for (const line of sqlLines(sql, app.config, app.environment.name)) context.out.line(line)
      if (link) context.out.line(`Log in once with\n  ${link}`)
    }
    reportReady({ url: listening.url, sql, link } satisfies Ready)
    await stop
    app.log.info('stopping')
    await server.close()
  },
}

export const worker: Command = {
  name: 'worker',
  summary: 'Only a worker: executes runs and schedules. `up` starts it together with the server.',
  examples: ['boathouse worker'],
  async run(context) {
    noArguments(context)
    const stop = stopSignal(context)
    const app = await context.open({ role: 'worker' })
    const running = await app.startWorker(`worker-${newId()}`)
    reportReady({})
    await stop
    await running.stop()
  },
}

const sqlLines = (sql: SqlEndpoint | null, { pg }: Pick<Config, 'pg'>, environment: string): string[] =>
  sql ? [sqlLine(sql, environment)] : pg.enabled ? [sqlMissing] : []

/** Resolves when this process is asked to end: by a signal, or because its supervisor is gone. */
function stopSignal({ signal }: Context): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    watchParent(resolve)
  })
}

export const up: Command = {
  name: 'up',
  summary: 'Start server and worker and keep them alive; print where the app is.',
  options: {
    detach: { type: 'boolean', short: 'd', about: 'Return when the app answers; `down` stops it.' },
    load: { type: 'boolean', about: 'Run the pipeline first when the project has never run.' },
    port: { type: 'string', value: 'PORT', about: 'Instead of http.port; 0 takes any free one.' },
  },
  examples: ['boathouse up', 'boathouse up --detach --load && boathouse status'],
  run: (context) => (context.flags.is('detach') ? startDetached(context) : startAttached(context)),
}

async function startAttached(context: Context): Promise<number> {
  noArguments(context)
  const { flags, out, self, signal } = context
  const { config, environment } = projectConfig(context.dir, flags.text('env'))
  const running = findSupervisor(config.stateDir)
  if (running)
    throw new Failure('ALREADY_EXISTS', `Boathouse already runs for ${config.name} (process ${running.pid})`, {
      hint: 'Look at it with `boathouse status`, stop it with `boathouse down`.',
    })
  if (flags.is('load')) await loadOnce(context)
  // Only a person's --env names the environment; handing down what was chosen by branch would name it for them.
  const named = flags.text('env') === undefined ? [] : ['--env', environment.name]
  const child = (name: string, ...more: string[]): ChildSpec => ({
    name,
    command: self.node,
    args: ['--disable-warning=ExperimentalWarning', self.script, name, '-C', config.dir, ...named, ...more],
    env: { BOATHOUSE_LOG_FORMAT: process.env.BOATHOUSE_LOG_FORMAT ?? 'json' },
  })
  const port = flags.text('port')
  const supervisor = supervise({
    children: [child('serve', ...(port === undefined ? [] : ['--port', port])), child('worker')],
    stateDir: config.stateDir,
    log: openLog(config),
    onReady: (name, info) => {
      if (name !== 'serve') return
      const ready = info as Ready
      // For `status`, which has to know the ports that were really taken.
      writeFileSync(join(config.stateDir, 'run', 'serve.json'), JSON.stringify({ url: ready.url, sql: ready.sql }))
      out.line(`Boathouse serves ${config.name} (${environment.name}) at ${ready.url}`)
      for (const line of sqlLines(ready.sql, config, environment.name)) out.line(line)
      if (ready.link) out.line(`Log in once with\n  ${ready.link}`)
      reportReady(ready)
    },
    onLine: (name, line) => {
      const told = asUsed(line)
      if (told) out.note(`${name}: ${told}`)
    },
  })
  signal.addEventListener('abort', () => void supervisor.stop(), { once: true })
  const { exitCode } = await supervisor.done
  return exitCode
}

/** Lines that a person at the terminal should see: warnings and worse, and what a child said before it gave up. */
function asUsed(line: string): string | undefined {
  try {
    const { level, event, error } = JSON.parse(line) as { level?: string; event?: string; error?: { message?: string } }
    return level === 'warn' || level === 'error'
      ? `${level}: ${event}${error?.message ? `: ${error.message}` : ''}`
      : undefined
  } catch {
    return line
  }
}

async function loadOnce(context: Context): Promise<void> {
  const app = await context.open({ role: 'cli', quiet: true })
  const project = await readProject(app.config.dir)
  if (project.failures.length > 0) throw new Failures(project.failures)
  const runs = await app.orchestrator.list({ limit: 1 })
  if (runs.length > 0 || (await app.tables.list(app.environment.catalog)).length > 0) return
  context.out.line(`First start: running the pipeline of ${app.config.name}.`)
  const request = await app.pipeline.plan({ environment: app.environment, kind: 'run', by: app.principal.name })
  const queued = await app.orchestrator.enqueue({ ...request, trigger: { kind: 'manual', by: app.principal.name } })
  // Only `up` itself answers.
  const told: Context['out'] = {
    ...context.out,
    answer: (_, text) => context.out.line(typeof text === 'function' ? text() : text),
  }
  await follow(app, { ...context, out: told }, queued.id)
}

async function startDetached(context: Context): Promise<number> {
  noArguments(context)
  const { flags, out, self } = context
  const { config, environment } = projectConfig(context.dir, flags.text('env'))
  const running = findSupervisor(config.stateDir)
  if (running) {
    out.answer(
      { already: true, pid: running.pid },
      `Boathouse already runs for ${config.name} (process ${running.pid}). \`boathouse status\` says where.`,
    )
    return 0
  }
  if (flags.is('load')) await loadOnce(context)
  const logFile = join(config.stateDir, 'logs', 'up.log')
  await mkdir(join(config.stateDir, 'logs'), { recursive: true })
  const sink = openSync(logFile, 'w')
  const port = flags.text('port')
  const child = spawn(
    self.node,
    [
      '--disable-warning=ExperimentalWarning',
      self.script,
      'up',
      '-C',
      config.dir,
      ...(flags.text('env') === undefined ? [] : ['--env', environment.name]),
      ...(port === undefined ? [] : ['--port', port]),
    ],
    { detached: true, stdio: ['ignore', sink, sink, 'ipc'] },
  )
  const outcome = await new Promise<Ready | { exitCode: number | null }>((resolve) => {
    child.on('message', (message) => {
      const { ready } = message as { ready?: Ready }
      if (ready) resolve(ready)
    })
    child.once('exit', (exitCode) => resolve({ exitCode }))
    context.signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true })
  })
  if ('exitCode' in outcome) {
    const said = (await readFile(logFile, 'utf8')).trim().split('\n').slice(-8).join('\n')
    process.stderr.write(`${said}\n`)
    return outcome.exitCode === 2 ? 2 : 1
  }
  child.disconnect()
  child.unref()
  out.answer({ pid: child.pid, ...outcome }, () =>
    [
      `Boathouse serves ${config.name} (${environment.name}) at ${outcome.url}`,
      ...sqlLines(outcome.sql, config, environment.name),
      ...(outcome.link ? [`Log in once with\n  ${outcome.link}`] : []),
      'Stop it with `boathouse down`; `boathouse logs -f` shows what it does.',
    ].join('\n'),
  )
  return 0
}

export const down: Command = {
  name: 'down',
  summary: 'Stop what `up` started; a run that is under way goes on at the next start.',
  examples: ['boathouse down'],
  async run(context) {
    noArguments(context)
    const { config } = projectConfig(context.dir, context.flags.text('env'))
    const stopped = await stopSupervisor(config.stateDir)
    context.out.answer({ stopped }, stopped ? 'Stopped.' : 'Nothing was running.')
  },
}

export const status: Command = {
  name: 'status',
  summary: 'What runs, where the app is, and how the last run ended.',
  examples: ['boathouse status', 'boathouse status --json'],
  async run(context) {
    noArguments(context)
    const { config } = projectConfig(context.dir, context.flags.text('env'))
    const running = findSupervisor(config.stateDir)
    const app = await context.open({ role: 'cli', quiet: true })
    const health = running ? await healthOf(app) : null
    const listening = running ? served(app).sql : null
    const sql = listening && { ...listening, status: await sqlStatus(listening) }
    const workers = (await app.orchestrator.workers()).filter(({ alive }) => alive)
    const [last] = await app.orchestrator.list({ limit: 1 })
    const tables = await app.tables.list(app.environment.catalog)
    const cache = await app.lakehouse.cacheFigures()
    const answer = {
      project: config.name,
      environment: app.environment.name,
      running: running ? { pid: running.pid, since: running.startedAt, processes: running.children } : null,
      health,
      sql,
      workers: workers.length,
      tables: tables.length,
      cache: cache ?? null,
      lastRun: last ?? null,
    }
    context.out.answer(answer, () =>
      [
        `${config.name}, environment ${app.environment.name}`,
        running
          ? `running since ${running.startedAt} (process ${running.pid}: ${Object.entries(running.children)
              .map(([name, pid]) => `${name} ${pid}`)
              .join(', ')})`
          : 'not running; `boathouse up` starts it',
        ...(health ? [`${health.url}  ${health.status}`] : []),
        ...(sql
          ? [`${sqlLine(sql, app.environment.name)}  ${sql.status}`]
          : running && config.pg.enabled
            ? [sqlMissing]
            : []),
        `${counted(workers.length, 'worker')}, ${counted(tables.length, 'table')}`,
        ...(cache
          ? [
              `file cache: ${showBytes(cache.bytes)}, ${cache.hits} of ${cache.hits + cache.misses} files were there already`,
            ]
          : []),
        last
          ? `last run ${last.id}: ${last.status}${last.finishedAt ? ` at ${last.finishedAt}` : ''}${last.failure ? ` (${last.failure.code}: ${last.failure.message})` : ''}`
          : 'no run yet',
      ].join('\n'),
    )
    return running && health?.status !== 'ok' ? 1 : 0
  },
}

async function healthOf(app: App): Promise<{ url: string; status: string }> {
  const url = servedAt(app)
  try {
    const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(3_000) })
    return { url, status: ((await answer.json()) as { status: string }).status }
  } catch {
    return { url, status: 'does not answer' }
  }
}

export const logs: Command = {
  name: 'logs',
  summary: 'What server and worker wrote.',
  arguments: '[serve|worker]',
  options: {
    follow: { type: 'boolean', short: 'f', about: 'Go on with what is written from now on.' },
    lines: { type: 'string', short: 'n', value: 'N', about: 'How many of the last lines; default 50.' },
  },
  examples: ['boathouse logs', 'boathouse logs worker -f'],
  async run(context) {
    const { config } = projectConfig(context.dir, context.flags.text('env'))
    const names = context.args.length > 0 ? context.args : ['serve', 'worker']
    for (const name of names)
      if (!['serve', 'worker'].includes(name))
        throw new Failure('USAGE', `"${name}" writes no log; serve and worker do`)
    const count = context.flags.whole('lines', { min: 1, max: 100_000 }) ?? 50
    const files = names.map((name) => ({ name, path: join(config.stateDir, 'logs', `${name}.log`) }))
    const all: { name: string; line: string }[] = []
    const sizes = new Map<string, number>()
    for (const { name, path } of files) {
      const text = existsSync(path) ? await readFile(path, 'utf8') : ''
      sizes.set(path, Buffer.byteLength(text))
      all.push(
        ...text
          .split('\n')
          .filter(Boolean)
          .slice(-count)
          .map((line) => ({ name, line })),
      )
    }
    for (const { name, line } of all.toSorted((a, b) => timeOf(a.line).localeCompare(timeOf(b.line))).slice(-count))
      context.out.line(`${name.padEnd(6)} ${line}`)
    while (context.flags.is('follow') && !context.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 300))
      for (const { name, path } of files) await printNew(name, path, sizes, context)
    }
  },
}

const timeOf = (line: string): string => /"time":"([^"]+)"/.exec(line)?.[1] ?? ''

async function printNew(name: string, path: string, sizes: Map<string, number>, context: Context): Promise<void> {
  const size = (await stat(path).catch(() => undefined))?.size ?? 0
  let from = sizes.get(path) ?? 0
  if (size < from) from = 0 // rotated
  if (size === from) return
  await using file = await openFile(path, 'r')
  const buffer = Buffer.alloc(size - from)
  await file.read(buffer, 0, buffer.length, from)
  sizes.set(path, size)
  for (const line of buffer.toString('utf8').split('\n').filter(Boolean)) context.out.line(`${name.padEnd(6)} ${line}`)
}

export const reset: Command = {
  name: 'reset',
  summary: "Delete everything Boathouse made for this project: tables, runs, users. The project's files stay.",
  options: { yes: { type: 'boolean', about: 'Do not ask.' } },
  examples: ['boathouse reset', 'boathouse reset --yes && boathouse up --load'],
  async run(context) {
    noArguments(context)
    const { config } = projectConfig(context.dir, context.flags.text('env'))
    if (config.records.url)
      throw new Failure('UNSUPPORTED', 'reset is for the embedded records; this project keeps them in PostgreSQL', {
        hint: 'Drop the database and the lake yourself when you mean it.',
      })
    const running = findSupervisor(config.stateDir)
    if (running)
      throw new Failure('ALREADY_EXISTS', `Boathouse runs for this project (process ${running.pid})`, {
        hint: 'Stop it first with `boathouse down`.',
      })
    const outside = isLocal(config.storage.root) && !config.storage.root.startsWith(`${config.stateDir}/`)
    if (!context.flags.is('yes')) {
      if (!process.stdin.isTTY)
        throw new Failure('USAGE', 'reset deletes data and asks first', { hint: 'Say that you mean it with --yes.' })
      const reader = createInterface({ input: process.stdin, output: process.stderr })
      const typed = await reader.question(
        `This deletes ${config.stateDir}${outside ? ` and ${config.storage.root}` : ''}. Type ${config.name} to go on: `,
      )
      reader.close()
      if (typed.trim() !== config.name) throw new Failure('USAGE', 'nothing was deleted')
    }
    await rm(config.stateDir, { recursive: true, force: true })
    if (outside) await rm(config.storage.root, { recursive: true, force: true })
    context.out.answer({ deleted: config.stateDir }, `Deleted ${config.stateDir}.`)
  },
}

export const dev: Command = {
  name: 'dev',
  summary: 'As `up`, and whatever file is saved is run again in the dev environment: the open dashboard moves.',
  examples: ['boathouse dev'],
  async run(context) {
    noArguments(context)
    const { config, environment } = projectConfig(context.dir, context.flags.text('env'))
    if (environment.protected)
      throw new Failure('FORBIDDEN', `${environment.name} is protected; dev rebuilds on every save`, {
        hint: 'Choose another environment with --env.',
      })
    const running = startAttached(context)
    const app = await context.open({ role: 'cli', quiet: true })
    context.out.line(`Watching ${config.dir}.`)
    await app.watchProject(context.signal, async (what, selection) => {
      context.out.line(`${what} changed`)
      try {
        const request = await app.pipeline.plan({ environment, kind: 'run', select: selection, by: app.principal.name })
        const run = await app.orchestrator.enqueue({ ...request, trigger: { kind: 'dev', by: app.principal.name } })
        const done = await app.orchestrator.ended(run.id, context.signal)
        context.out.line(
          done.status === 'succeeded'
            ? `  rebuilt ${selection.join(' ') || 'everything'}`
            : `  ${done.status}${done.failure ? `: ${done.failure.code}: ${done.failure.message}` : ''}`,
        )
      } catch (error) {
        if (context.signal.aborted) return
        context.out.line(formatFailure(asFailure(error)))
      }
    })
    return running
  },
}
