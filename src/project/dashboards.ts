// dashboards/*.yml: one file is one page. A page has filters, and rows of panels on a grid of twelve columns. A panel
// asks for metrics, or brings SQL of its own. Names are resolved by the room `dashboards`; here is the grammar.

import { z } from 'zod'
import { DateText, Grain } from '../contract/index.ts'
import { Condition } from './conditions.ts'
import { FormatText } from './metrics.ts'
import { readFolder, stemOf, uniqueNames, type Read } from './read.ts'

const Id = z
  .string()
  .max(100)
  .regex(/^[a-zA-Z][\w-]*$/, 'An id has letters, digits, _ and -, and starts with a letter')

const oneOrMore = <Item extends z.ZodType>(item: Item) =>
  z.union([item, z.array(item).min(1)]).transform((items) => [items].flat() as z.output<Item>[])

/** A column by its name, or with how it is shown. */
const ColumnSpec = z
  .union([
    z.string().min(1),
    z.strictObject({
      name: z.string().min(1),
      label: z.string().min(1).optional(),
      format: FormatText.optional(),
      bar: z.boolean().optional().describe('In tables: draw the value as a bar behind the number.'),
    }),
  ])
  .transform((column) => (typeof column === 'string' ? { name: column } : column))
export type ColumnSpec = z.output<typeof ColumnSpec>

const Sort = oneOrMore(
  z.string().regex(/^-?[^-\s].*$/, 'Write the name to sort by, with - before it for largest first'),
)
  .optional()
  .describe('Names to sort by, a `-` before a name for largest first, as in `-revenue`.')

const panelFields = {
  id: Id.optional().describe('Stands in links; made from the title when absent.'),
  title: z.string().min(1).optional(),
  description: z.string().optional(),
  width: z
    .int()
    .min(1)
    .max(12)
    .optional()
    .describe('Columns of twelve; panels without it share what is left of the row.'),
  model: z
    .string()
    .min(1)
    .optional()
    .describe('The model whose metrics and dimensions are meant; the one of the dashboard when absent.'),
  filters: z
    .array(Id)
    .optional()
    .describe('Filters of the dashboard that change this panel; all that can when absent.'),
  where: z.array(Condition).default([]).describe('Conditions that always hold for this panel.'),
}

const Sql = z
  .string()
  .min(1)
  .optional()
  .describe(
    'A SELECT instead of metrics. `{{ region }}` becomes the condition of the filter `region` on its dimension, `{{ region: o.region }}` on that column.',
  )

const Series = z
  .string()
  .min(1)
  .optional()
  .describe('A dimension whose values become one line or one stacked part each.')

/** Either metrics or SQL, and of either only what belongs to it. */
function oneWay(metricKeys: readonly string[], sqlKeys: readonly string[], required: readonly string[]) {
  return (panel: Record<string, unknown>, context: z.RefinementCtx): void => {
    const refuse = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message })
    const [mine, others] = panel['sql'] === undefined ? [required, sqlKeys] : [sqlKeys, metricKeys]
    for (const key of mine)
      if (key.split('|').every((name) => panel[name] === undefined))
        refuse(
          [],
          `the ${String(panel['kind'])} panel needs "${key.replaceAll('|', '" or "')}"${panel['sql'] === undefined && required.includes(key) ? ', or "sql"' : ''}`,
        )
    for (const key of others)
      if (panel[key] !== undefined)
        refuse(
          [key],
          panel['sql'] === undefined
            ? `"${key}" belongs to a panel with sql`
            : `"${key}" cannot stand beside sql: name the columns of the result`,
        )
    if (panel['metric'] !== undefined && panel['metrics'] !== undefined)
      refuse(['metrics'], 'write metric or metrics, not both')
  }
}

const metricsOf = { metric: z.string().min(1).optional(), metrics: z.array(z.string().min(1)).min(1).optional() }
const xy = {
  x: ColumnSpec.optional().describe('With sql: the column of the axis.'),
  y: oneOrMore(ColumnSpec).optional().describe('With sql: the columns of the values.'),
}

const Kpi = z
  .strictObject({
    kind: z.literal('kpi'),
    ...panelFields,
    metric: z.string().min(1).optional(),
    compare: z
      .enum(['none', 'previous_period'])
      .default('none')
      .describe('`previous_period`: as many days just before the chosen range.'),
    sparkline: z
      .union([z.boolean(), Grain])
      .default(false)
      .describe('A small line of the metric over time; true is by day.'),
    better: z.enum(['up', 'down', 'neither']).optional(),
    format: FormatText.optional(),
    sql: Sql,
    value: ColumnSpec.optional().describe('With sql: the column of the first row that is the number.'),
  })
  .superRefine((panel, context) => {
    oneWay(['metric'], ['value'], ['metric'])(panel, context)
    if (panel.sql === undefined) return
    if (panel.compare !== 'none')
      context.addIssue({ code: 'custom', path: ['compare'], message: 'a panel with sql has no previous period' })
    if (panel.sparkline)
      context.addIssue({ code: 'custom', path: ['sparkline'], message: 'a panel with sql has no sparkline' })
  })

const Line = z
  .strictObject({
    kind: z.literal('line'),
    ...panelFields,
    ...metricsOf,
    by: z.string().min(1).optional().describe('A time dimension with its grain, as in `order_date:day`, or a number.'),
    series: Series,
    limit: z.int().min(1).max(10_000).default(5_000),
    sql: Sql,
    ...xy,
  })
  .superRefine(oneWay(['metric', 'metrics', 'by'], ['x', 'y'], ['metric|metrics', 'by']))

const Bar = z
  .strictObject({
    kind: z.literal('bar'),
    ...panelFields,
    ...metricsOf,
    by: z.string().min(1).optional().describe('The dimension with one bar for each value.'),
    series: Series,
    sort: Sort,
    limit: z.int().min(1).max(1_000).default(50),
    direction: z.enum(['horizontal', 'vertical']).default('horizontal'),
    sql: Sql,
    ...xy,
  })
  .superRefine(oneWay(['metric', 'metrics', 'by', 'sort'], ['x', 'y'], ['metric|metrics', 'by']))

const Table = z
  .strictObject({
    kind: z.literal('table'),
    ...panelFields,
    metrics: z.array(z.string().min(1)).min(1).optional().describe('Metrics to show, one row for each group of `by`.'),
    by: oneOrMore(z.string().min(1)).optional(),
    columns: z
      .array(ColumnSpec)
      .min(1)
      .optional()
      .describe('Without metrics: columns or dimensions of the single rows. With sql: columns of the result.'),
    sort: Sort,
    limit: z.int().min(1).max(10_000).default(200).describe('Most rows shown.'),
    sql: Sql,
  })
  .superRefine((panel, context) => {
    oneWay(
      ['metrics', 'by', 'sort'],
      ['columns'],
      ['metrics|columns'],
    )(
      panel.sql === undefined ? { ...panel, columns: undefined, metrics: panel.metrics ?? panel.columns } : panel,
      context,
    )
    if (panel.by && !panel.metrics)
      context.addIssue({ code: 'custom', path: ['by'], message: '"by" groups metrics: name them in "metrics"' })
  })

const Text = z.strictObject({
  kind: z.literal('text'),
  id: panelFields.id,
  title: panelFields.title,
  width: panelFields.width,
  markdown: z.string().describe('Headings, paragraphs, lists, emphasis, code and links; no HTML.'),
})

export const PanelSpec = z.discriminatedUnion('kind', [Kpi, Line, Bar, Table, Text])
export type PanelSpec = z.output<typeof PanelSpec>

const filterFields = {
  id: Id.describe('Stands in the address of the page.'),
  dimension: z.string().min(1).describe('What is filtered.'),
  label: z.string().min(1).optional().describe('The label of the dimension when absent.'),
}
const FilterSpec = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('select'),
    ...filterFields,
    multiple: z.boolean().default(true),
    default: z
      .union([z.string(), z.array(z.string())])
      .default([])
      .transform((values) => [values].flat())
      .describe('Empty is everything.'),
  }),
  z.strictObject({
    kind: z.literal('date_range'),
    ...filterFields,
    default: z
      .strictObject({ from: DateText.nullable().default(null), to: DateText.nullable().default(null) })
      .prefault({})
      .describe('Days, both included; open where absent.'),
  }),
])
export type FilterSpec = z.output<typeof FilterSpec>

const RowSpec = z
  .strictObject({
    height: z.enum(['auto', 'small', 'medium', 'large']).default('auto'),
    panels: z.array(PanelSpec).min(1).max(12),
  })
  .superRefine(({ panels }, context) => {
    const taken = panels.reduce((sum, { width }) => sum + (width ?? 1), 0)
    if (taken > 12)
      context.addIssue({
        code: 'custom',
        path: ['panels'],
        message: `a row has 12 columns; these panels take ${taken}`,
      })
  })

export const DashboardFile = z.strictObject({
  title: z.string().min(1),
  description: z.string().optional(),
  model: z
    .string()
    .min(1)
    .optional()
    .describe('The model whose metrics and dimensions are meant; needed when names are ambiguous.'),
  filters: z.array(FilterSpec).default([]),
  rows: z.array(RowSpec).min(1).describe('From top to bottom.'),
})
/** `name` is the name of the file: the dashboard's address. */
export type DashboardFile = z.output<typeof DashboardFile> & { name: string }

/** All dashboards of a project by the names of their files, which are unique. */
export async function readDashboards(dir: string): Promise<Read<DashboardFile>> {
  const { items, failures } = await readFolder(dir, 'dashboards', DashboardFile, 'DASHBOARD_INVALID')
  const named = items.map((item) => ({ ...item, value: { ...item.value, name: stemOf(item.file) } }))
  return uniqueNames({ items: named, failures }, 'dashboard', 'DASHBOARD_INVALID')
}
