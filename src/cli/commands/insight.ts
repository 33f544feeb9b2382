// Commands that look at the dbt project without building it.

import { showPlace, type Failure } from '../../base/failure.ts'
import { columnsNamed, traceColumns, type ColumnId, type DbtProject, type Trace } from '../../transform/index.ts'
import type { Checked } from '../../transform/index.ts'
import { oneArgument, type Command } from '../command.ts'
import { counted, formatRows, table } from '../output.ts'
import { selectionOf, selectOptions } from './models.ts'
import { reading, readingOf } from './reading.ts'

export const check: Command = {
  name: 'check',
  summary: 'Find what is wrong in the models and tests before anything runs: columns, types, names, contracts.',
  arguments: '[PATTERN...]',
  options: { ...selectOptions, ...reading },
  examples: ['boathouse check', 'boathouse check +daily_revenue --json'],
  async run(context) {
    const { out, signal } = context
    const app = await context.open()
    const started = performance.now()
    const { project, ...checked } = await app.insight.check({
      environment: app.environment,
      reading: readingOf(context.flags),
      ...selectionOf(context),
      signal,
    })
    const { failures, warnings, partly, waiting, shapes } = checked
    const ms = Math.round(performance.now() - started)
    out.answer(
      {
        failures: failures.map(({ code, message, place, hint }) => ({ code, message, place: place ?? null, hint })),
        warnings,
        partly,
        waiting,
        checked: shapes.size,
        ms,
      },
      () => checkedText(project, checked, ms, out.style),
    )
    return failures.length > 0 ? 1 : 0
  },
}

function checkedText(
  project: DbtProject,
  { failures, warnings, partly, waiting, shapes }: Checked,
  ms: number,
  style: { red(text: string): string; yellow(text: string): string; dim(text: string): string },
): string {
  const line = ({ code, place, message }: Failure) => `${style.red(code)}: ${showPlace(place)}${message}`
  const tests = [...shapes.keys()].filter((id) => project.nodes.get(id)?.kind === 'test').length
  return [
    ...failures.map(line),
    ...warnings.map(({ message, place }) => `${style.yellow('warning')}: ${showPlace(place)}${message}`),
    ...partly.map(({ name, because, place }) =>
      style.dim(`not wholly checked: ${showPlace(place)}${name}: ${because}`),
    ),
    ...(waiting.length > 0
      ? [
          style.dim(
            `${counted(waiting.length, 'node')} behind a mistake ${waiting.length === 1 ? 'was' : 'were'} not looked at`,
          ),
        ]
      : []),
    `${counted(shapes.size - tests, 'model')} and ${counted(tests, 'test')} are right, ${counted(failures.length, 'mistake')} (${(ms / 1000).toFixed(1)} s)`,
  ].join('\n')
}

export const lineage: Command = {
  name: 'lineage',
  summary: 'What a model or one of its columns is made of, and which columns, tests and exposures depend on it.',
  arguments: 'MODEL[.COLUMN]',
  examples: ['boathouse lineage daily_revenue', 'boathouse lineage stg_sales.amount --json'],
  async run(context) {
    const { out, signal } = context
    const text = oneArgument(context, 'MODEL[.COLUMN]')
    const app = await context.open()
    const { project, graph, checked } = await app.insight.columns({ environment: app.environment, signal })
    const start = columnsNamed(project, graph, text)
    const trace = traceColumns(project, graph, start)
    const partly = checked.partly.filter(({ uniqueId }) => isNear(uniqueId, start.node, trace))
    out.answer({ ...start, ...trace, partly }, () => traceText(project, start, trace, partly))
  },
}

const isNear = (id: string, node: string, { upstream, downstream }: Trace): boolean =>
  id === node || [...upstream, ...downstream].some((one) => one.node === id)

function traceText(
  project: DbtProject,
  start: { node: string; columns: readonly string[] },
  { upstream, downstream, rowsOf, tests, exposures }: Trace,
  partly: Checked['partly'],
): string {
  const name = (id: string) => {
    const source = project.sources.get(id)
    return source ? `${source.source}.${source.name}` : (project.nodes.get(id)?.name ?? id.replace(/^table:/, ''))
  }
  const shown = ({ node, column }: ColumnId) => `${name(node)}.${column}`
  const section = (title: string, lines: string[]) => (lines.length === 0 ? [] : ['', title, ...lines])
  const rows = [...new Set(rowsOf.map((one) => `  ${name(one.in)} (${one.use} by ${shown(one)})`))]
  const models = new Set([...downstream.map(({ node }) => node), ...rowsOf.map((one) => one.in)])
  return [
    `${name(start.node)}: ${start.columns.join(', ')}`,
    ...section(
      'made of',
      upstream.length === 0
        ? []
        : [
            table(
              ['column', 'from', 'how'],
              upstream.map((one) => [shown(one.to), shown(one), one.how]),
            ),
          ],
    ),
    ...section(
      'goes into',
      downstream.length === 0
        ? []
        : [
            table(
              ['column', 'into', 'how'],
              downstream.map((one) => [shown(one.from), shown(one), one.how]),
            ),
          ],
    ),
    ...section('decides rows of', rows),
    ...section(
      'tests',
      tests.map((id) => `  ${name(id)}`),
    ),
    ...section(
      'exposures',
      exposures.map((id) => `  ${project.exposures.get(id)?.name ?? id}`),
    ),
    ...section(
      'not wholly known',
      partly.map(({ name: node, because }) => `  ${node}: ${because}`),
    ),
    '',
    `depends on it: ${counted(new Set(downstream.map(shown)).size, 'column')} of ${counted(models.size, 'model')}, ${counted(tests.length, 'test')}, ${counted(exposures.length, 'exposure')}`,
  ].join('\n')
}

export const preview: Command = {
  name: 'preview',
  queries: true,
  summary: 'The first rows of a model as it is written now, over the tables as they are published.',
  arguments: 'MODEL',
  options: {
    cte: {
      type: 'string',
      value: 'NAME',
      about: 'Of one of its named queries (WITH name AS …) instead of its result.',
    },
    limit: { type: 'string', value: 'ROWS', about: 'Most rows; default 20.' },
  },
  examples: ['boathouse preview daily_revenue', 'boathouse preview daily_revenue --cte per_day --limit 5'],
  async run(context) {
    const { flags, out, signal } = context
    const model = oneArgument(context, 'MODEL')
    const limit = flags.whole('limit', { min: 1, max: 100_000 }) ?? 20
    const app = await context.open()
    const { environment, principal } = app
    const found = await app.insight.preview({ environment, principal, model, cte: flags.text('cte'), limit, signal })
    const { columns, rows, truncated } = found
    out.answer(found, () => formatRows('table', columns, rows))
    if (!out.json && truncated) out.note(out.style.dim(`the first ${rows.length} rows; see --limit`))
  },
}
