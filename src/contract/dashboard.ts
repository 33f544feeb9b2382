// A dashboard as the browser sees it: what to draw (the definition, compiled from its file) and with which
// rows (the data, which depends on the filters). SQL is made by the server alone; the browser sends values.

import { z } from 'zod'
import { AsOf, Cached, Column, DateText, Failure, Problem, Provenance, Row, Timestamp } from './common.ts'

const Id = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[a-zA-Z][\w-]*$/)

export const Format = z
  .strictObject({
    kind: z.enum(['number', 'currency', 'percent', 'date', 'datetime', 'text']),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .optional()
      .describe('ISO 4217, with kind `currency`.'),
    decimals: z.int().min(0).max(12).optional().describe('Digits after the point; as stored when absent.'),
    compact: z.boolean().optional().describe('1.2M instead of 1,234,567; the exact value stays readable on hover.'),
    suffix: z.string().max(12).optional().describe('A unit behind the number, for example `kg`.'),
  })
  .describe('How a value is written. `percent` takes a fraction: 0.12 is 12 %.')
export type Format = z.infer<typeof Format>

export const Grain = z.enum(['hour', 'day', 'week', 'month', 'quarter', 'year'])
export type Grain = z.infer<typeof Grain>

export const Measure = z.strictObject({ column: z.string(), label: z.string(), format: Format })
export type Measure = z.infer<typeof Measure>

const panelFields = {
  id: Id,
  title: z.string(),
  description: z.string().nullable(),
  filters: z.array(Id).describe('The filters that change this panel.'),
}
export const KpiPanel = z.strictObject({
  ...panelFields,
  kind: z.literal('kpi'),
  value: Measure.describe('Which column of the first row is the number.'),
  comparison: z.enum(['none', 'previous_period']),
  better: z.enum(['up', 'down', 'neither']).describe('Which direction of change is good news.'),
  sparkline: z.boolean(),
})
export const LinePanel = z.strictObject({
  ...panelFields,
  kind: z.literal('line'),
  x: z.strictObject({
    column: z.string(),
    label: z.string(),
    kind: z.enum(['time', 'number']),
    grain: Grain.nullable(),
  }),
  y: z.array(Measure).min(1),
  series: z.string().nullable().describe('The column whose values become one line each; then `y` has one measure.'),
})
export const BarPanel = z.strictObject({
  ...panelFields,
  kind: z.literal('bar'),
  category: z.strictObject({ column: z.string(), label: z.string(), format: Format }),
  y: z.array(Measure).min(1),
  series: z.string().nullable().describe('The column whose values stack; then `y` has one measure.'),
  direction: z.enum(['horizontal', 'vertical']),
})
export const TablePanel = z.strictObject({
  ...panelFields,
  kind: z.literal('table'),
  columns: z.array(Measure.extend({ bar: z.boolean().describe('Draw the value as a bar behind the number.') })).min(1),
})
export const TextPanel = z.strictObject({
  ...panelFields,
  kind: z.literal('text'),
  markdown: z.string().describe('Headings, paragraphs, lists, emphasis, code and links; no HTML.'),
})
export const Panel = z.discriminatedUnion('kind', [KpiPanel, LinePanel, BarPanel, TablePanel, TextPanel])
export type KpiPanel = z.infer<typeof KpiPanel>
export type LinePanel = z.infer<typeof LinePanel>
export type BarPanel = z.infer<typeof BarPanel>
export type TablePanel = z.infer<typeof TablePanel>
export type TextPanel = z.infer<typeof TextPanel>
export type Panel = z.infer<typeof Panel>

export const DateRange = z
  .strictObject({ from: DateText.nullable(), to: DateText.nullable() })
  .describe('Both ends included; null is open.')
export type DateRange = z.infer<typeof DateRange>

export const Filter = z.discriminatedUnion('kind', [
  z.strictObject({
    id: Id,
    kind: z.literal('select'),
    label: z.string(),
    dimension: z.string(),
    multiple: z.boolean(),
    default: z.array(z.string()).describe('Empty is everything.'),
  }),
  z.strictObject({
    id: Id,
    kind: z.literal('date_range'),
    label: z.string(),
    dimension: z.string(),
    default: DateRange,
  }),
])
export type Filter = z.infer<typeof Filter>

export const FilterValues = z
  .record(Id, z.union([z.array(z.string()), DateRange]))
  .describe(
    'By filter id: the chosen values of a select (empty is everything), or a range. A missing filter has its default.',
  )
export type FilterValues = z.infer<typeof FilterValues>

export const DashboardProblem = Problem.extend({
  panel: Id.nullable().describe('The panel that cannot be drawn because of it, if it is one.'),
})
export type DashboardProblem = z.infer<typeof DashboardProblem>

export const Dashboard = z.strictObject({
  name: z.string(),
  title: z.string(),
  description: z.string().nullable(),
  file: z.string().describe('Relative to the project folder.'),
  revision: z.string().describe('Changes whenever the compiled definition changes.'),
  filters: z.array(Filter),
  panels: z.array(Panel),
  layout: z
    .array(
      z.strictObject({
        height: z.enum(['auto', 'small', 'medium', 'large']),
        cells: z.array(z.strictObject({ panel: Id, span: z.int().min(1).max(12) })).min(1),
      }),
    )
    .describe('Rows of twelve columns. A panel that is in no row is not shown.'),
  problems: z.array(DashboardProblem),
})
export type Dashboard = z.infer<typeof Dashboard>

export const DashboardSummary = z.strictObject({
  name: z.string(),
  title: z.string(),
  description: z.string().nullable(),
  file: z.string(),
  panels: z.int().min(0),
  problems: z.int().min(0),
  committedAt: Timestamp.nullable().describe('When the newest of its tables changed.'),
})
export type DashboardSummary = z.infer<typeof DashboardSummary>
export const Dashboards = z.strictObject({ dashboards: z.array(DashboardSummary), problems: z.array(Problem) })
export type Dashboards = z.infer<typeof Dashboards>

export const DashboardQuestion = z.strictObject({
  filters: FilterValues,
  panels: z.array(Id).optional().describe('Only these; all when absent.'),
  asOf: AsOf.optional(),
})
export type DashboardQuestion = z.infer<typeof DashboardQuestion>

export const PanelRows = z.strictObject({
  columns: z.array(Column),
  rows: z.array(Row),
  truncated: z.boolean(),
  comparison: z
    .strictObject({
      value: z
        .unknown()
        .describe('The value of the previous period, written like the main value; null when there is none.'),
      from: DateText,
      to: DateText,
    })
    .nullable()
    .describe('For a KPI with a comparison, when the period has two ends.'),
  sparkline: z
    .strictObject({ grain: Grain, points: z.array(z.tuple([z.string(), z.unknown()])) })
    .nullable()
    .describe('For a KPI with a sparkline: time and value, oldest first.'),
  sql: z.string(),
  provenance: Provenance,
  cached: Cached,
  ms: z.number().min(0),
})
export type PanelRows = z.infer<typeof PanelRows>

export const PanelData = z.union([PanelRows, z.strictObject({ failure: Failure })])
export type PanelData = z.infer<typeof PanelData>

export const DashboardData = z.strictObject({
  revision: z.string(),
  freshness: z.strictObject({
    committedAt: Timestamp.nullable().describe('When the newest of the tables read was committed.'),
    asOf: z.string().nullable().describe('The moment asked for; null is now.'),
    tables: Provenance.shape.tables,
  }),
  panels: z.record(Id, PanelData),
  bounds: z
    .record(Id, DateRange)
    .optional()
    .describe('By date filter: the first and the last day that have data, whatever the filters say.'),
})
export type DashboardData = z.infer<typeof DashboardData>

export const DimensionValues = z.strictObject({
  values: z.array(z.strictObject({ value: z.string(), rows: z.int().min(0).nullable() })),
  complete: z.boolean().describe('False when there are more than were sent: search to narrow them.'),
})
export type DimensionValues = z.infer<typeof DimensionValues>
