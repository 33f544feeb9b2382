import { Failure, Failures } from '../../base/failure.ts'
import { collect } from '../../lake/index.ts'
import { orThrow, readMetrics } from '../../project/index.ts'
import { compile, openModels, Question, type Models, type QuestionInput } from '../../semantic/index.ts'
import { noArguments, type Command, type Context } from '../command.ts'
import { formatRows, table } from '../output.ts'

export const metricsList: Command = {
  name: 'metrics ls',
  summary: 'The metrics of the project and what they can be asked by.',
  examples: ['boathouse metrics ls'],
  async run(context) {
    noArguments(context)
    const app = await context.open()
    const files = orThrow(await readMetrics(app.config.dir))
    const all = files.flatMap(({ value, file }) =>
      value.metrics.map((metric) => ({
        name: metric.name,
        label: metric.label ?? null,
        description: metric.description ?? null,
        model: value.model,
        by: value.dimensions.map(({ name }) => name),
        file,
      })),
    )
    context.out.answer(all, () =>
      all.length === 0
        ? 'There are no metrics yet; they are defined in metrics/*.yml.'
        : table(
            ['metric', 'model', 'description', 'by'],
            all.map((one) => [one.name, one.model, one.description, one.by.join(', ')]),
          ),
    )
  },
}

export const metricsQuery: Command = {
  name: 'metrics query',
  summary: 'Ask metrics by dimensions, for a range of days.',
  arguments: 'METRIC...',
  options: {
    by: {
      type: 'string',
      multiple: true,
      value: 'DIMENSION',
      about: 'Group by it; a time with its grain: order_date:month.',
    },
    where: {
      type: 'string',
      multiple: true,
      value: 'NAME=VALUE',
      about: 'Only rows with this value; several values with commas.',
    },
    from: { type: 'string', value: 'DAY', about: 'First day, for example 2024-02-01.' },
    to: { type: 'string', value: 'DAY', about: 'Last day, included.' },
    limit: { type: 'string', value: 'ROWS', about: 'Most rows.' },
    sql: { type: 'boolean', about: 'Print the SQL instead of running it.' },
  },
  examples: [
    'boathouse metrics query revenue orders --by region',
    'boathouse metrics query average_order_value --by order_date:month --where region=North,South',
  ],
  async run(context) {
    const app = await context.open()
    const { models, failures } = openModels(orThrow(await readMetrics(app.config.dir)))
    if (failures.length > 0) throw new Failures(failures)
    const { sql } = compile(questionOf(context), models as Models)
    if (context.flags.is('sql')) return context.out.answer({ sql }, sql)
    const { columns, rows } = await collect(await app.lake.query(sql, { ...app.asking('cli'), signal: context.signal }))
    context.out.answer({ columns, rows }, () => formatRows('table', columns, rows))
  },
}

function questionOf({ args, flags }: Context): Question {
  const words = (name: string) =>
    flags
      .list(name)
      .flatMap((text) => text.split(/\s+/))
      .filter(Boolean)
  const [from, to] = [flags.text('from') ?? null, flags.text('to') ?? null]
  const limit = flags.whole('limit', { min: 1, max: 1_000_000 })
  const input: QuestionInput = {
    metrics: args,
    by: words('by'),
    where: flags.list('where').map((text) => {
      const [dimension, values] = [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]
      if (!text.includes('=')) throw new Failure('USAGE', `--where takes NAME=VALUE, found "${text}"`)
      return { dimension, op: 'in' as const, values: values.split(',') }
    }),
    ...(from || to ? { time: { from, to } } : {}),
    ...(limit === undefined ? {} : { limit }),
  }
  const parsed = Question.safeParse(input)
  if (!parsed.success)
    throw new Failure(
      'USAGE',
      parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'question'}: ${message}`).join('; '),
    )
  return parsed.data
}
