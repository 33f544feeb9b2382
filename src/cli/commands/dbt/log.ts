// What dbt prints and writes to logs/dbt.log: the same lines, so that scripts that read them go on working.
//
// Text has the time before it; JSON is one object a line, with the name and code of dbt's event. What a command answers
// (`ls`, `show`, `compile`) is a line as well, but one that --quiet leaves.

import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { styleText } from 'node:util'

export type Level = 'debug' | 'info' | 'warn' | 'error'
const ranks: Record<Level | 'none', number> = { debug: 0, info: 1, warn: 2, error: 3, none: 4 }

export type Colour = 'red' | 'green' | 'yellow'

export type DbtLogOptions = {
  format: 'text' | 'debug' | 'json'
  fileFormat: 'text' | 'debug' | 'json'
  level: Level | 'none'
  fileLevel: Level | 'none'
  quiet: boolean
  color: boolean
  width: number
  /** The file; undefined: none is written. */
  file: string | undefined
  fileBytesMax: number
  invocationId: string
  /** What DBT_ENV_CUSTOM_ENV_… say, for events as JSON. */
  extra: Readonly<Record<string, string>>
}

/** An event: dbt's name and code for it, and its fields. */
export type Event = { name: string; code: string; data?: Record<string, unknown> }
const note: Event = { name: 'Note', code: 'Z050' }

export class DbtLog {
  readonly #options: DbtLogOptions
  #file: number | undefined

  constructor(options: DbtLogOptions) {
    this.#options = options
  }

  get width(): number {
    return this.#options.width
  }
  get quiet(): boolean {
    return this.#options.quiet
  }
  get isJson(): boolean {
    return this.#options.format === 'json'
  }

  paint(colour: Colour, text: string): string {
    return this.#options.color ? styleText(colour, text, { validateStream: false }) : text
  }

  /** A line; `text` may have several. */
  say(level: Level, text: string, event: Event = note): void {
    const now = new Date()
    const { format, quiet, level: least } = this.#options
    if (ranks[level] >= ranks[least] && (!quiet || level === 'error'))
      process.stdout.write(`${this.#shown(format, level, text, event, now)}\n`)
    this.#toFile(level, text, event, now)
  }
  /** For the file alone: where programs read what is printed. */
  record(level: Level, text: string, event: Event): void {
    this.#toFile(level, text, event, new Date())
  }
  info(text: string, event?: Event): void {
    this.say('info', text, event)
  }
  /** An empty line, with its time. */
  gap(): void {
    this.say('info', '', { name: 'Formatting', code: 'Z017', data: { msg: '' } })
  }
  warn(text: string, event?: Event): void {
    this.say('warn', `[${this.paint('yellow', 'WARNING')}]: ${text}`, event)
  }
  error(text: string, event?: Event): void {
    this.say('error', `[${this.paint('red', 'ERROR')}]: ${text}`, event)
  }

  /** What the command was asked for: without time, and also when it shall be quiet. */
  answer(text: string, event: Event): void {
    if (this.#options.level !== 'none') {
      const shown = this.isJson ? this.#shown('json', 'info', text, event, new Date()) : text
      process.stdout.write(`${shown}\n`)
    }
    this.#toFile('info', text, event, new Date())
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  #shown(format: DbtLogOptions['format'], level: Level, text: string, event: Event, now: Date): string {
    if (format === 'json') return JSON.stringify(this.#entry(level, text, event, now))
    const time = clockOf(now)
    if (format === 'debug')
      return `${time}.${String(now.getMilliseconds()).padStart(3, '0')}000 [${level.padEnd(5)}] [MainThread]: ${text}`
    return `${time}  ${text}`
  }

  #entry(level: Level, text: string, { name, code, data = {} }: Event, now: Date): object {
    return {
      data,
      info: {
        category: '',
        code,
        extra: this.#options.extra,
        invocation_id: this.#options.invocationId,
        level,
        msg: uncoloured(text),
        name,
        pid: process.pid,
        thread: 'MainThread',
        ts: now.toISOString(),
      },
    }
  }

  #toFile(level: Level, text: string, event: Event, now: Date): void {
    const { file, fileFormat, fileLevel } = this.#options
    if (file === undefined || ranks[level] < ranks[fileLevel]) return
    try {
      this.#file ??= this.#open(file)
      writeSync(this.#file, `${uncoloured(this.#shown(fileFormat, level, text, event, now))}\n`)
    } catch {
      // A log that cannot be written (a read-only checkout) keeps nobody from working.
      this.#options.file = undefined
    }
  }

  #open(file: string): number {
    mkdirSync(dirname(file), { recursive: true })
    const { fileBytesMax, invocationId, fileFormat } = this.#options
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
    if (fileBytesMax > 0 && size > fileBytesMax) renameSync(file, `${file}.1`)
    const opened = openSync(file, 'a')
    if (fileFormat !== 'json')
      writeSync(opened, `\n\n${'='.repeat(30)} ${clockOf(new Date())} | ${invocationId} ${'='.repeat(30)}\n`)
    return opened
  }
}

// oxlint-disable-next-line no-control-regex
const uncoloured = (text: string): string => text.replace(/\u001b\[[0-9;]*m/g, '')

/** dbt shows UTC on the terminal. */
const clockOf = (time: Date): string => time.toISOString().slice(11, 19)

export const logFileIn = (folder: string): string => join(folder, 'dbt.log')

/** `1 of 5 OK created sql table model main.orders ..... [OK in 0.12s]` */
export function progressLine(
  { width }: Pick<DbtLog, 'width'>,
  text: string,
  status: string,
  { index, total, seconds, isCut = false }: { index: number; total: number; seconds?: number; isCut?: boolean },
): string {
  const left = `${index} of ${total} ${text} `.padEnd(width, '.')
  const cut = isCut && left.length > width - 3 ? `${left.slice(0, width - 3)}...` : left
  return `${cut} [${status}${seconds === undefined ? '' : ` in ${seconds.toFixed(2)}s`}]`
}
