// A command is data: help, completion, the reference page and the dispatcher are readers of it.

import { parseArgs } from 'node:util'
import { Failure } from '../base/failure.ts'
import type { Config, Environment } from '../config/index.ts'
import type { App, OpenOptions } from './app.ts'
import type { Output } from './output.ts'

export type Option = {
  type: 'string' | 'boolean'
  short?: string
  multiple?: true
  /** What stands for the value in help: `--select PATTERN`. */
  value?: string
  about: string
}

export type Command = {
  /** Words after `boathouse`: `table ls`. */
  name: string
  summary: string
  /** Positional arguments as help shows them: `SQL`, `[SOURCE...]`. */
  arguments?: string
  options?: Record<string, Option>
  /** At least one; printed by --help and run by nobody. */
  examples: readonly string[]
  /** Not shown in the list of commands. */
  hidden?: true
  /** It reads its arguments itself: `args` is the line as it is, `flags` are empty. */
  takesLine?: true
  /** Words and flags that completion offers, where `options` are not all of it. */
  completes?: readonly string[]
  /** It runs queries, whatever it is told. */
  queries?: true
  /** What --help prints, where options are not all of it. */
  help?(): string
  /** Exit code; undefined is 0. */
  run(context: Context): Promise<number | void>
}

export type Context = {
  args: string[]
  flags: Flags
  out: Output
  /** Aborted by Ctrl-C. */
  signal: AbortSignal
  /** The folder of -C, else the current one. */
  dir: string
  /** Opens the project; closed by the dispatcher. Called at most once. */
  open(options?: OpenOptions): Promise<App>
  /** The same with settings and an environment that the command has chosen itself. */
  openWith(config: Config, environment: Environment, options?: OpenOptions): Promise<App>
  /** Starts what runs queries, for a command that finds out itself that it is going to run some. */
  startEngine(): Promise<void>
  /** The command line of this program, for processes that it starts. */
  self: { node: string; script: string }
  /** Settings given on the command line. */
  env: NodeJS.ProcessEnv
}

export class Flags {
  readonly #values: Record<string, unknown>
  constructor(values: Record<string, unknown>) {
    this.#values = values
  }
  text(name: string): string | undefined {
    const value = this.#values[name]
    return typeof value === 'string' ? value : undefined
  }
  list(name: string): string[] {
    const value = this.#values[name]
    return Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : []
  }
  is(name: string): boolean {
    return this.#values[name] === true
  }
  /** USAGE when it is not a whole number in the range. */
  whole(name: string, { min, max }: { min: number; max: number }): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const value = Number(text)
    if (!Number.isInteger(value) || value < min || value > max)
      throw new Failure('USAGE', `--${name} takes a whole number from ${min} to ${max}, found "${text}"`)
    return value
  }
}

export const globalOptions: Record<string, Option> = {
  project: {
    type: 'string',
    short: 'C',
    value: 'DIR',
    about: 'The project; default: the current folder or one above it.',
  },
  env: { type: 'string', value: 'ENV', about: 'The environment: dev, staging, prod or one of your own.' },
  json: { type: 'boolean', about: 'Answers for machines, one JSON value.' },
  help: { type: 'boolean', short: 'h', about: 'This text.' },
  'no-color': { type: 'boolean', about: 'No colours, even on a terminal.' },
}

/** Splits a command line by the command's options. USAGE for what it does not know. */
export function parseCommand(command: Command, argv: readonly string[]): { args: string[]; flags: Flags } {
  const options = { ...globalOptions, ...command.options }
  try {
    const { values, positionals } = parseArgs({
      // SQL may begin with a comment, and no option begins so.
      args: argv.map((each) => (/^--\s/.test(each) ? ` ${each}` : each)),
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(options).map(([name, { type, short, multiple }]) => [
          name,
          { type, ...(short ? { short } : {}), ...(multiple ? { multiple } : {}) },
        ]),
      ),
    })
    return { args: positionals, flags: new Flags(values) }
  } catch (cause) {
    throw new Failure('USAGE', `boathouse ${command.name}: ${(cause as Error).message.split('. To specify')[0]}`, {
      cause,
    })
  }
}

/** The one positional argument. */
export function oneArgument(context: Context, what: string): string {
  const [first, ...rest] = context.args
  if (first === undefined) throw new Failure('USAGE', `${what} is missing`)
  if (rest.length > 0) throw new Failure('USAGE', `one ${what} is expected, found ${context.args.length}`)
  return first
}

export function noArguments(context: Context): void {
  if (context.args.length > 0) throw new Failure('USAGE', `no argument is expected, found "${context.args[0]}"`)
}
