// `boathouse COMMAND …`: finds the command, opens the project for it, prints failures, gives the exit code.
// 0 done, 1 the work failed, 2 used wrongly.

import { resolve } from 'node:path'
import { Failure, Failures, asFailure, formatFailure } from '../base/failure.ts'
import { dbtFolderOf, dbtFolderText } from './dbt-folder.ts'
import { findProjectDir, isEnvironment, loadConfig, resolveEnvironment } from '../config/index.ts'
import type { App, OpenOptions } from './app.ts'
import { Flags, globalOptions, parseCommand, type Command, type Context, type Option } from './command.ts'
import { commandsOf } from './commands/by-word.ts'
import { ownVersion } from './version.ts'
import { openOutput, type Output } from './output.ts'
import type { Config, Environment } from '../config/index.ts'

export type CliDeps = {
  open(config: Config, environment: Environment | string, options: OpenOptions): Promise<App>
  /** Called for a command that is going to run queries, so that what runs them starts meanwhile. */
  startEngine(): Promise<void>
  self: { node: string; script: string }
}

/** Runs one command line; resolves to the exit code. */
export async function runCli(argv: readonly string[], deps: CliDeps): Promise<number> {
  const color = process.stdout.isTTY === true && !argv.includes('--no-color') && !process.env.NO_COLOR
  const out = openOutput({ json: argv.includes('--json'), color })
  // It stays: the news may come when all is done.
  if (!process.stdout.listeners('error').includes(readerLeft)) process.stdout.on('error', readerLeft)
  let opened: Promise<App> | undefined
  const control = new AbortController()
  const interrupt = () => {
    // The second Ctrl-C does not wait.
    if (control.signal.aborted) process.exit(130)
    control.abort(new Failure('RUN_CANCELLED', 'interrupted'))
  }
  try {
    const found = await findCommand(argv)
    if (!found && argv.includes('--version')) {
      const own = ownVersion()
      out.answer({ boathouse: own }, own)
      return 0
    }
    if (!found) return await help(argv, out)
    const { command, rest } = found
    if (!command.takesLine && (rest.includes('--help') || rest.includes('-h'))) {
      out.answer(commandHelp(command), () => commandHelp(command))
      return 0
    }
    const { args, flags } = command.takesLine ? { args: rest, flags: new Flags({}) } : parseCommand(command, rest)
    if (flags.text('env') === '')
      throw new Failure('USAGE', '--env is empty; it takes the name of an environment', {
        hint: 'Leave it out for the usual one, or say which.',
      })
    if (command.queries) await deps.startEngine()
    const dir = resolve(flags.text('project') ?? '.')
    process.on('SIGINT', interrupt)
    process.on('SIGTERM', interrupt)
    const context: Context = {
      args,
      flags,
      out,
      dir,
      self: deps.self,
      startEngine: deps.startEngine,
      signal: control.signal,
      env: process.env,
      open: (options = {}) => (opened ??= openProject(dir, flags.text('env'), options, deps)),
      openWith: (config, environment, options = {}) => (opened ??= deps.open(config, environment, options)),
    }
    return (await command.run(context)) ?? 0
  } catch (error) {
    return hasLeft(error) ? 0 : report(error, out)
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
    await opened?.then((app) => app.close()).catch(() => {})
  }
}

/** `boathouse … | head`: nobody reads on, and what was begun is ended all the same. */
function readerLeft(error: unknown): void {
  if (!hasLeft(error)) throw error
}

/** So it is of what waited for its bytes to be written. */
const hasLeft = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EPIPE' && 'syscall' in error && error.syscall === 'write'

/** The settings and environment of the project at or above `dir`. */
export function projectConfig(dir: string, env?: string): { config: Config; environment: Environment } {
  const config = projectSettings(dir)
  return { config, environment: resolveEnvironment(config, { flag: env }) }
}

function projectSettings(dir: string): Config {
  const found = findProjectDir(dir)
  const dbtFolder = found ? undefined : dbtFolderOf(dir)
  if (dbtFolder) return loadConfig({ dir: dbtFolder, instead: dbtFolderText(dbtFolder) })
  if (!found) throw new Failure('PROJECT_NOT_FOUND', `there is no boathouse.yml in ${dir} or above it`)
  return loadConfig({ dir: found })
}

async function openProject(dir: string, env: string | undefined, options: OpenOptions, deps: CliDeps): Promise<App> {
  const config = projectSettings(dir)
  // A name that the project's file does not have may be a fork, which only the records know.
  const environment = env && !isEnvironment(config, env) ? env : resolveEnvironment(config, { flag: env })
  return deps.open(config, environment, options)
}

function report(error: unknown, out: Output): number {
  const failure = asFailure(error)
  if (out.json) process.stdout.write(`${JSON.stringify({ failure: failureJson(failure) }, null, 2)}\n`)
  else
    process.stderr.write(
      `${out.style.red(formatFailure(failure).split('\n')[0]!)}\n${formatFailure(failure).split('\n').slice(1).join('\n')}\n`.replace(
        /\n\n$/,
        '\n',
      ),
    )
  if (failure.code === 'INTERNAL' && failure.cause instanceof Error)
    process.stderr.write(`${failure.cause.stack ?? ''}\n`)
  return failure.help.usage ? 2 : 1
}

const failureJson = (failure: Failure): object => ({
  code: failure.code,
  message: failure.message,
  place: failure.place ?? null,
  hint: failure.hint,
  ...(failure instanceof Failures ? { all: failure.all.map(failureJson) } : {}),
})

const allCommands = async () => (await import('./commands/index.ts')).commands

/** The longest command whose words begin the line; global options may stand before it. */
async function findCommand(argv: readonly string[]): Promise<{ command: Command; rest: string[] } | undefined> {
  const [words, before] = leadingWords(argv)
  if (words.length === 0) return undefined
  const commands = (await commandsOf(words[0]!)) ?? (await allCommands())
  for (let count = Math.min(3, words.length); count > 0; count--) {
    const command = commands.find(({ name }) => name === words.slice(0, count).join(' '))
    if (!command) continue
    const rest = [...argv.slice(0, before), ...argv.slice(before + count)]
    return { command, rest }
  }
  return undefined
}

/** Words before the first option that is not a global one with its value; and how many arguments stand before them. */
function leadingWords(argv: readonly string[]): [string[], number] {
  let at = 0
  while (at < argv.length && argv[at]!.startsWith('-')) {
    const name = argv[at]!.replace(/^--?/, '').split('=')[0]!
    const option = globalOptions[name] ?? Object.values(globalOptions).find(({ short }) => short === name)
    if (!option) break
    at += option.type === 'string' && !argv[at]!.includes('=') ? 2 : 1
  }
  const words: string[] = []
  for (const word of argv.slice(at)) {
    if (word.startsWith('-')) break
    words.push(word)
  }
  return [words, at]
}

async function help(argv: readonly string[], out: Output): Promise<number> {
  const commands = await allCommands()
  const [words] = leadingWords(argv)
  const asked = words[0] === 'help' ? words.slice(1) : words
  const group =
    asked.length > 0
      ? commands.filter(({ name }) => name === asked.join(' ') || name.startsWith(`${asked.join(' ')} `))
      : []
  if (words.length > 0 && words[0] !== 'help' && group.length === 0) {
    const all = [...new Set(commands.flatMap(({ name }) => [name, name.split(' ')[0]!]))]
    const near = all.filter((name) => name.startsWith(words[0]!.slice(0, 2)) || name.includes(words[0]!)).slice(0, 3)
    throw new Failure(
      'USAGE',
      `there is no command "${words[0]}"${near.length > 0 ? `; did you mean ${near.join(' or ')}?` : ''}`,
      { hint: '`boathouse --help` lists the commands.' },
    )
  }
  if (group.length === 1 && words[0] === 'help') {
    out.answer(commandHelp(group[0]!), () => commandHelp(group[0]!))
    return 0
  }
  const shown = (group.length > 0 ? group : commands).filter(({ hidden }) => !hidden)
  const widest = Math.max(...shown.map(({ name }) => name.length))
  const lines = shown.map(({ name, summary }) => `  ${name.padEnd(widest)}  ${summary}`)
  out.answer(
    shown.map(({ name, summary }) => ({ name, summary })),
    () =>
      [
        ...(group.length > 0
          ? []
          : ['Boathouse: a lakehouse for small data teams in one program.', '', 'boathouse COMMAND [options]', '']),
        ...lines,
        '',
        'Every command: --help (options and an example), --json, --env ENV, -C DIR.',
        'Exit codes: 0 done, 1 the work failed, 2 used wrongly.',
      ].join('\n'),
  )
  return words.length > 0 && words[0] !== 'help' && !argv.includes('--help') ? 2 : 0
}

export function commandHelp(command: Command): string {
  if (command.help) return command.help()
  const options = { ...command.options, ...globalOptions }
  const left = ([name, { short, value }]: [string, Option]) =>
    `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`
  const entries = Object.entries(options)
  const widest = Math.max(...entries.map((entry) => left(entry).length))
  return [
    `boathouse ${command.name}${command.arguments ? ` ${command.arguments}` : ''} [options]`,
    '',
    command.summary,
    '',
    ...entries.map((entry) => `  ${left(entry).padEnd(widest)}  ${entry[1].about}`),
    '',
    command.examples.length > 1 ? 'Examples:' : 'Example:',
    ...command.examples.map((example) => `  ${example}`),
  ].join('\n')
}
