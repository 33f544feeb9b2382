// What a command prints. On a terminal: colours and tables; in a pipe: plain text; with --json: one value and nothing
// else on standard output. Progress goes to standard error, so that it never mixes with results.

import { styleText } from 'node:util'
import type { Column } from '../contract/index.ts'

export type Output = {
  json: boolean
  /** Standard output is a terminal. */
  terminal: boolean
  /** The answer: `value` with --json, `text` for people. */
  answer(value: unknown, text: string | (() => string)): void
  /** A line for people; silent with --json. */
  line(text?: string): void
  /** Goes to standard error: progress, notes. */
  note(text: string): void
  /** Bytes to standard output as they are. */
  raw(text: string): Promise<void>
  style: Style
}
export type Style = Record<'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue', (text: string) => string>

export function openOutput({ json, color }: { json: boolean; color: boolean }): Output {
  const paint = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    color ? styleText(format, text, { validateStream: false }) : text
  return {
    json,
    terminal: process.stdout.isTTY === true,
    answer(value, text) {
      process.stdout.write(
        json ? `${JSON.stringify(value, null, 2)}\n` : `${typeof text === 'function' ? text() : text}\n`,
      )
    },
    line(text = '') {
      if (!json) process.stdout.write(`${text}\n`)
    },
    note(text) {
      process.stderr.write(`${text}\n`)
    },
    raw: (text) =>
      new Promise((resolve, reject) => process.stdout.write(text, (error) => (error ? reject(error) : resolve()))),
    style: {
      bold: paint('bold'),
      dim: paint('dim'),
      red: paint('red'),
      green: paint('green'),
      yellow: paint('yellow'),
      blue: paint('blue'),
    },
  }
}

/** `3 seeds`, `1 data test`. */
export function counted(count: number, what: string): string {
  const plural = what.endsWith('y')
    ? `${what.slice(0, -1)}ies`
    : what.endsWith('sis')
      ? `${what.slice(0, -2)}es`
      : `${what}s`
  return `${count} ${count === 1 ? what : plural}`
}

const width = (text: string): number => [...new Intl.Segmenter().segment(text)].length
const show = (value: unknown): string =>
  value === null || value === undefined
    ? ''
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value).replaceAll('\n', '↵')

/** Rows under a header; numbers to the right. */
export function table(
  header: readonly string[],
  rows: readonly (readonly unknown[])[],
  { right = [] as number[], widthMax = 60 } = {},
): string {
  const cells = rows.map((row) => header.map((_, at) => cut(show(row[at]), widthMax)))
  const widths = header.map((name, at) => Math.max(width(name), ...cells.map((row) => width(row[at]!)), 0))
  const line = (row: readonly string[]) =>
    row
      .map((text, at) =>
        right.includes(at)
          ? ' '.repeat(widths[at]! - width(text)) + text
          : text + ' '.repeat(widths[at]! - width(text)),
      )
      .join('  ')
      .trimEnd()
  return [line(header), widths.map((count) => '─'.repeat(count)).join('  '), ...cells.map(line)].join('\n')
}
const cut = (text: string, max: number) => (width(text) > max ? `${[...text].slice(0, max - 1).join('')}…` : text)

const numeric = /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|U\w+INT|FLOAT|DOUBLE|DECIMAL)/

export type Format = 'table' | 'json' | 'csv' | 'md'
export const formats: readonly Format[] = ['table', 'json', 'csv', 'md']

export function formatRows(format: Format, columns: readonly Column[], rows: readonly (readonly unknown[])[]): string {
  const names = columns.map(({ name }) => name)
  switch (format) {
    case 'json':
    case 'csv': {
      const { begin, next, end } = rowByRow(format, columns)
      return `${begin}${next(rows)}${end()}`
    }
    case 'md': {
      const line = (row: readonly unknown[]) =>
        `| ${row.map((value) => show(value).replaceAll('|', '\\|')).join(' | ')} |`
      return [
        line(names),
        `|${columns.map(({ type }) => (numeric.test(type) ? ' ---: ' : ' --- ')).join('|')}|`,
        ...rows.map(line),
      ].join('\n')
    }
    case 'table': {
      const right = columns.flatMap(({ type }, at) => (numeric.test(type) ? [at] : []))
      return table(
        names,
        rows.map((row) => row.map((value) => (value === null ? '∅' : value))),
        { right },
      )
    }
  }
}

/** Formats that need not know all rows before they write the first: what comes before them, some of them, and what comes behind. */
export function rowByRow(format: 'csv' | 'json', columns: readonly Column[]) {
  const names = columns.map(({ name }) => name)
  const line = (row: readonly unknown[]) => row.map(csvCell).join(',')
  if (format === 'csv')
    return {
      begin: line(names),
      next: (rows: readonly (readonly unknown[])[]) => rows.map((row) => `\n${line(row)}`).join(''),
      end: () => '',
    }
  let isFirst = true
  const object = (row: readonly unknown[]) => {
    const text = JSON.stringify(Object.fromEntries(names.map((name, at) => [name, row[at]])), null, 2)
    const before = isFirst ? '\n' : ',\n'
    isFirst = false
    return before + text.replace(/^/gm, '  ')
  }
  return {
    begin: '[',
    next: (rows: readonly (readonly unknown[])[]) => rows.map(object).join(''),
    end: () => (isFirst ? ']' : '\n]'),
  }
}

function csvCell(value: unknown): string {
  const text =
    value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
  return /[",\r\n]/.test(text) || (value === '' && text === '') ? `"${text.replaceAll('"', '""')}"` : text
}
