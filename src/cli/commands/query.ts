import { createInterface } from 'node:readline'
import { Failure, asFailure, formatFailure } from '../../base/failure.ts'
import { showDuration } from '../../base/units.ts'
import {
  collect,
  openSession,
  queryAll,
  splitStatements,
  type QueryResult,
  type Session,
  type SessionOptions,
} from '../../lake/index.ts'
import type { App } from '../app.ts'
import { oneArgument, type Command, type Context } from '../command.ts'
import { formatRows, formats, rowByRow, type Format } from '../output.ts'

const options = {
  format: {
    type: 'string',
    value: 'FORMAT',
    about: `One of ${formats.join(', ')}; default: table on a terminal, csv in a pipe.`,
  },
  'as-of': {
    type: 'string',
    value: 'TIME',
    about:
      'Every table as of a time (2024-03-31T12:00:00Z) or a snapshot id, or as of the provenance that --json shows of an answer.',
  },
  limit: {
    type: 'string',
    value: 'ROWS',
    about: 'Most rows printed; default 1000 in a table on a terminal, else limits.query_rows.',
  },
} as const

export const query: Command = {
  name: 'query',
  queries: true,
  summary: 'Run SQL and print its rows; several statements, separated by semicolons, are one transaction.',
  arguments: 'SQL',
  options: {
    ...options,
    run: { type: 'string', value: 'RUN', about: 'Read what a failed run built and did not publish.' },
  },
  examples: [
    'boathouse query "select region, sum(quantity) from raw.sales group by region"',
    'boathouse query "from marts.daily_revenue" --format csv --as-of 2024-03-31',
  ],
  async run(context) {
    const sql = oneArgument(context, 'SQL statement')
    const app = await context.open()
    const run = context.flags.text('run')
    if (run !== undefined) return print(context, await queryRun(app, context, run, sql), performance.now())
    const results = queryAll(app.lake, sql, asking(app, context))
    for (;;) {
      const started = performance.now()
      const { value: result } = await results.next()
      if (!result) return
      await print(context, result, started)
    }
  },
}

/** One SELECT through what a run wrote. @throws NOT_FOUND when nothing of it is left */
async function queryRun(app: App, context: Context, id: string, sql: string): Promise<QueryResult> {
  const { catalog } = await app.orchestrator.get(id)
  const changes = await app.lake.changesOf(id, { catalog, principal: app.principal })
  if (!changes)
    throw new Failure('NOT_FOUND', `nothing that the run ${id} wrote is kept apart`, {
      hint: 'What it published is in the tables. What a failed run wrote is kept until the next one succeeds, or a day has passed.',
    })
  const options = { ...asking(app, context), catalog, changes }
  await app.lake.bind(sql, options) // nothing but a SELECT
  return app.lake.query(sql, options)
}

/** Every statement of a script for itself, or as its BEGIN and COMMIT say. */
async function runOne(session: Session, context: Context, sql: string): Promise<void> {
  const started = performance.now()
  await print(context, await session.query(sql), started)
}

function asking(app: App, context: Context): SessionOptions {
  const format = formatOf(context)
  const asOf = context.flags.text('as-of')
  const rowsMax =
    context.flags.whole('limit', { min: 1, max: 100_000_000 }) ??
    (context.out.terminal && format === 'table' ? 1_000 : undefined)
  return {
    ...app.asking('cli'),
    signal: context.signal,
    cache: false,
    ...(asOf === undefined ? {} : { asOf }),
    ...(rowsMax === undefined ? {} : { rowsMax }),
  }
}

async function print(context: Context, result: QueryResult, started: number): Promise<void> {
  const format = formatOf(context)
  if (!context.out.json && result.columns.length > 0 && (format === 'csv' || format === 'json'))
    return stream(context, format, result)
  const { columns, rows } = await collect(result)
  if (columns.length === 0) {
    if (!context.out.json) context.out.note(context.out.style.dim(result.command))
    return
  }
  if (context.out.json)
    context.out.answer({ columns, rows, truncated: result.truncated(), provenance: result.provenance }, '')
  else await context.out.raw(`${formatRows(format, columns, rows)}\n`)
  if (format === 'table' && !context.out.json)
    context.out.note(
      context.out.style.dim(
        `${rows.length} ${rows.length === 1 ? 'row' : 'rows'}${result.truncated() ? ' (more were cut; see --limit)' : ''}, ${showDuration(performance.now() - started)}`,
      ),
    )
  else if (result.truncated()) context.out.note(`cut after ${rows.length} rows; see --limit`)
}

/** What goes into a file may be more than the memory holds: rows go as they come. */
async function stream(
  { out }: Context,
  format: 'csv' | 'json',
  { columns, chunks, truncated }: QueryResult,
): Promise<void> {
  const { begin, next, end } = rowByRow(format, columns)
  await out.raw(begin)
  let count = 0
  for await (const { json, rowCount } of chunks) {
    if (rowCount === 0) continue
    await out.raw(next(JSON.parse(json) as unknown[][]))
    count += rowCount
  }
  await out.raw(`${end()}\n`)
  if (truncated()) out.note(`cut after ${count} rows; see --limit`)
}

function formatOf({ flags, out }: Context): Format {
  const text = flags.text('format')
  if (text === undefined) return out.terminal ? 'table' : 'csv'
  if (!(formats as readonly string[]).includes(text))
    throw new Failure('USAGE', `--format is one of ${formats.join(', ')}, found "${text}"`)
  return text as Format
}

export const sql: Command = {
  name: 'sql',
  queries: true,
  summary: 'A shell for SQL: statements end with a semicolon; .help lists its commands.',
  options,
  examples: ['boathouse sql', 'boathouse sql < report.sql'],
  async run(context) {
    const app = await context.open()
    if (!process.stdin.isTTY) {
      const chunks: Buffer[] = []
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
      const session = openSession(app.lake, asking(app, context))
      try {
        for (const { sql: statement } of splitStatements(Buffer.concat(chunks).toString('utf8')))
          await runOne(session, context, statement)
      } finally {
        // A script that ends inside a transaction has not committed it.
        await session.close()
      }
      return
    }
    const session = openSession(app.lake, asking(app, context))
    await shell(app, context, session).finally(() => session.close())
  },
}

async function shell(app: App, context: Context, session: Session): Promise<void> {
  const { out } = context
  const words = await completions(app)
  const reader = createInterface({
    input: process.stdin,
    output: process.stdout,
    completer: (line: string): [string[], string] => {
      const last = /[\w.]*$/.exec(line)![0]
      return [words.filter((word) => word.startsWith(last)), last]
    },
  })
  out.line(`${app.config.name}, environment ${app.environment.name}. Statements end with ; and .quit leaves.`)
  let text = ''
  const prompt = () => {
    const mark = { idle: '>', open: '*>', failed: '!>' }[session.state]
    reader.setPrompt(text === '' ? `${app.environment.name}${mark} ` : '   ...> ')
    reader.prompt()
  }
  prompt()
  for await (const line of reader) {
    if (text === '' && line.trim().startsWith('.')) {
      const word = line.trim()
      if (['.quit', '.exit'].includes(word)) break
      if (word === '.tables')
        out.line(
          (await app.tables.list(app.environment.catalog))
            .map(({ name }) => `${name.namespace}.${name.name}`)
            .join('\n'),
        )
      else out.line('.tables  the tables of this environment\n.quit    leave')
    } else {
      text += `${line}\n`
      if (/;\s*$/.test(text) || /^\s*$/.test(text)) {
        for (const { sql: statement } of safeSplit(text, out.note))
          await runOne(session, context, statement).catch((error: unknown) =>
            out.note(out.style.red(formatFailure(asFailure(error)))),
          )
        text = ''
      }
    }
    prompt()
  }
  reader.close()
}

function safeSplit(text: string, note: (text: string) => void) {
  try {
    return splitStatements(text)
  } catch (error) {
    note(formatFailure(asFailure(error)))
    return []
  }
}

async function completions(app: App): Promise<string[]> {
  const tables = await app.tables.list(app.environment.catalog)
  return [
    ...tables.map(({ name }) => `${name.namespace}.${name.name}`),
    'select',
    'from',
    'where',
    'group by',
    'order by',
    'limit',
  ]
}
