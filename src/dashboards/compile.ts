// A dashboard's file → what the page draws (the definition) and what each panel asks (its question).
//
// Everything that can be known without the lake is known here: names, formats, layout. A panel that is wrong becomes a
// problem with its place in the file, keeps its cell in the layout, and takes nothing else down.

import { createHash } from 'node:crypto'
import { asFailure, Failure } from '../base/failure.ts'
import { didYouMean, suggest } from '../base/suggest.ts'
import type { Dashboard, DashboardProblem, Filter, Format, Grain, Measure, Panel } from '../contract/index.ts'
import {
  findPlaceholders,
  scanExpression,
  type ColumnSpec,
  type DashboardFile,
  type FilterSpec,
  type Located,
  type PanelSpec,
  type Path,
} from '../project/index.ts'
import {
  compile,
  compileRows,
  dimensionOf,
  groupOf,
  isTime,
  labelOf,
  metricOf,
  modelOf,
  openFormat,
  splitGrain,
  type Dimension,
  type Model,
  type Models,
  type QuestionInput,
  type RowsQuestionInput,
} from '../semantic/index.ts'
import type { OpenFilter } from './filters.ts'
import { inFile, toProblem } from './problem.ts'

/** What a panel needs to know; `path` is its place in the file. `rowsMax` rows are sent, and whether there were more. */
export type Ask = { panel: Panel; path: Path; filters: OpenFilter[]; rowsMax: number } & (
  | { kind: 'metrics'; question: QuestionInput; time: string | null; sparkline: Grain | null; cut: boolean }
  | { kind: 'rows'; question: RowsQuestionInput; time: string | null }
  | { kind: 'sql'; sql: string; columns: string[] }
)

export type CompiledDashboard = {
  definition: Dashboard
  file: Located<DashboardFile>
  models: Models
  filters: ReadonlyMap<string, OpenFilter>
  /** By panel id; panels of text ask nothing. */
  asks: ReadonlyMap<string, Ask>
}

/** Pure. Wrong panels and filters are in `definition.problems`, and nowhere else but in the layout. */
export function compileDashboard(file: Located<DashboardFile>, models: Models): CompiledDashboard {
  const problems: DashboardProblem[] = []
  const filters = openFilters(file, models, problems)
  const asks = new Map<string, Ask>()
  const panels: Panel[] = []
  const ids = new Set<string>()
  const layout = file.value.rows.map(({ height, panels: specs }, row) => {
    const spans = spansOf(specs)
    const cells = specs.map((spec, column) => {
      const path = ['rows', row, 'panels', column]
      const id = idOf(spec, ids)
      if (spec.id !== undefined && id !== spec.id)
        problems.push(
          toProblem(
            new Failure('DASHBOARD_INVALID', `the id "${spec.id}" is already taken`, {
              place: file.at([...path, 'id']),
            }),
            id,
          ),
        )
      ids.add(id)
      try {
        const { panel, ask } = openPanel(spec, { id, path, file, models, filters })
        panels.push(panel)
        if (ask) asks.set(id, ask)
      } catch (error) {
        const failure = asFailure(error)
        if (failure.code === 'INTERNAL') throw error
        problems.push(toProblem(failure.code === 'DASHBOARD_INVALID' ? failure : inFile(failure, file, path), id))
      }
      return { panel: id, span: spans[column]! }
    })
    return { height, cells }
  })
  const { name, title, description } = file.value
  const definition: Dashboard = {
    name,
    title,
    description: description ?? null,
    file: file.file,
    revision: '',
    filters: [...filters.values()].map(({ filter }) => filter),
    panels,
    layout,
    problems,
  }
  return withRevision({ definition, file, models, filters, asks })
}

/** The revision covers what is asked, too: a metric that changed its SQL changes the page. */
export function withRevision(compiled: CompiledDashboard): CompiledDashboard {
  const questions = [...compiled.asks.values()].map((ask) => {
    if (ask.kind === 'sql') return ask.sql
    return ask.kind === 'rows'
      ? compileRows(ask.question, compiled.models).sql
      : compile(ask.question, compiled.models).sql
  })
  const text = JSON.stringify([{ ...compiled.definition, revision: '' }, questions])
  return {
    ...compiled,
    definition: { ...compiled.definition, revision: createHash('sha256').update(text).digest('hex').slice(0, 16) },
  }
}

function openFilters(
  file: Located<DashboardFile>,
  models: Models,
  problems: DashboardProblem[],
): Map<string, OpenFilter> {
  const filters = new Map<string, OpenFilter>()
  file.value.filters.forEach((spec, index) => {
    const path = ['filters', index]
    try {
      if (filters.has(spec.id))
        throw new Failure('DASHBOARD_INVALID', `the filter "${spec.id}" is already defined above`, {
          place: file.at([...path, 'id']),
        })
      filters.set(spec.id, openFilter(spec, file.value.model, models))
    } catch (error) {
      const failure = asFailure(error)
      if (failure.code === 'INTERNAL') throw error
      problems.push(toProblem(failure.code === 'DASHBOARD_INVALID' ? failure : inFile(failure, file, path), null))
    }
  })
  return filters
}

function openFilter(spec: FilterSpec, model: string | undefined, models: Models): OpenFilter {
  const owner = modelOf({ model, metrics: [], dimensions: [spec.dimension] }, models)
  const dimension = dimensionOf(spec.dimension, owner)
  if (spec.kind === 'date_range' && !isTime(dimension))
    throw new Failure(
      'METRIC_INVALID',
      `"${spec.dimension}" is a ${dimension.type}; a range of days needs a date or timestamp`,
      { name: spec.dimension },
    )
  const filter: Filter =
    spec.kind === 'select'
      ? {
          id: spec.id,
          kind: 'select',
          label: spec.label ?? dimension.label,
          dimension: dimension.name,
          multiple: spec.multiple,
          default: spec.default,
        }
      : {
          id: spec.id,
          kind: 'date_range',
          label: spec.label ?? dimension.label,
          dimension: dimension.name,
          default: spec.default,
        }
  return { filter, dimension, model: owner.name }
}

/** Panels without a width share what the others leave, the first ones getting what does not divide. */
function spansOf(specs: readonly PanelSpec[]): number[] {
  const open = specs.filter(({ width }) => width === undefined).length
  const rest = Math.max(open, 12 - specs.reduce((sum, { width }) => sum + (width ?? 0), 0))
  let given = 0
  return specs.map(({ width }) => width ?? Math.floor(rest / open) + (given++ < rest % open ? 1 : 0))
}

/** From the title, else from what is shown; unique, so that a link keeps meaning the same panel. */
function idOf(spec: PanelSpec, taken: ReadonlySet<string>): string {
  const words = spec.id ?? spec.title ?? ('metric' in spec ? spec.metric : undefined) ?? spec.kind
  const slug = words
    .normalize('NFKD')
    .replace(/[^\w-]+/g, '-')
    .replace(/^[^a-zA-Z]+|-+$/g, '')
    .slice(0, 80)
  const base = spec.id ?? (slug === '' ? spec.kind : slug.toLowerCase())
  let id = base
  for (let count = 2; taken.has(id); count++) id = `${base}-${count}`
  return id
}

type Scope = {
  id: string
  path: Path
  file: Located<DashboardFile>
  models: Models
  filters: ReadonlyMap<string, OpenFilter>
}
type Opened = { panel: Panel; ask: Ask | null }

function openPanel(spec: PanelSpec, scope: Scope): Opened {
  if (spec.kind === 'text')
    return {
      panel: {
        id: scope.id,
        kind: 'text',
        title: spec.title ?? '',
        description: null,
        filters: [],
        markdown: spec.markdown,
      },
      ask: null,
    }
  return spec.sql === undefined ? metricPanel(spec, scope) : sqlPanel(spec, spec.sql, scope)
}

type DataSpec = Exclude<PanelSpec, { kind: 'text' }>

function metricPanel(spec: DataSpec, scope: Scope): Opened {
  const { models, file } = scope
  const metricNames =
    'metrics' in spec && spec.metrics
      ? spec.metrics
      : 'metric' in spec && spec.metric !== undefined
        ? [spec.metric]
        : []
  const by =
    spec.kind === 'kpi'
      ? []
      : spec.kind === 'table'
        ? (spec.by ?? [])
        : [spec.by!, ...(spec.series === undefined ? [] : [spec.series])]
  const wanted = [...by.map((text) => splitGrain(text).name), ...spec.where.map(({ dimension }) => dimension)]
  const model = modelOf(
    {
      model: spec.model ?? (metricNames.some((name) => name.includes('.')) ? undefined : file.value.model),
      metrics: metricNames,
      dimensions: wanted,
    },
    models,
  )
  const filters = filtersOf(spec, model, scope)
  const shared = { path: scope.path, filters, time: model.time?.name ?? null }
  const common = {
    id: scope.id,
    description: spec.description ?? null,
    filters: filters.map(({ filter }) => filter.id),
  }
  const metrics = metricNames.map((name) => ({ name, metric: metricOf(name, model) }))
  const y = metrics.map(({ name, metric }): Measure => ({ column: name, label: metric.label, format: metric.format }))
  const labels = y.map(({ label }) => label).join(', ')
  const question: QuestionInput = { model: model.name, metrics: metricNames, by, where: spec.where }
  const done = (
    panel: Panel,
    rest: { question: QuestionInput; rowsMax: number; sparkline?: Grain | null; cut?: boolean },
  ): Opened => {
    compile(rest.question, models) // whatever is still wrong is said now and not when somebody looks
    return { panel, ask: { kind: 'metrics', panel, ...shared, sparkline: null, cut: false, ...rest } }
  }
  switch (spec.kind) {
    case 'kpi': {
      const [{ metric }, value] = [metrics[0]!, y[0]!]
      const sparkline = spec.sparkline === true ? 'day' : spec.sparkline === false ? null : spec.sparkline
      if (sparkline) compile({ model: model.name, metrics: metricNames, by: [`${timeOf(model)}:${sparkline}`] }, models)
      const panel: Panel = {
        ...common,
        kind: 'kpi',
        title: spec.title ?? metric.label,
        comparison: spec.compare,
        sparkline: sparkline !== null,
        better: spec.better ?? metric.better,
        description: spec.description ?? metric.description,
        value: {
          ...value,
          ...(spec.format !== undefined && { format: openFormat(spec.format, value.format.currency) }),
        },
      }
      return done(panel, {
        question: { ...question, ...(spec.compare !== 'none' && { compare: spec.compare }) },
        rowsMax: 1,
        sparkline,
      })
    }
    case 'line': {
      onlyOneMeasure(spec, y)
      const { dimension, grain } = groupOf(spec.by!, model)
      if (!isTime(dimension) && dimension.type !== 'number')
        throw new Failure(
          'METRIC_INVALID',
          `a line needs a time or a number, and "${dimension.name}" is a ${dimension.type}; draw it as bars`,
          { name: spec.by },
        )
      const panel: Panel = {
        ...common,
        kind: 'line',
        title: spec.title ?? `${labels} by ${grain ?? dimension.label.toLowerCase()}`,
        y,
        series: spec.series ?? null,
        x: {
          column: spec.by!,
          label: dimension.label,
          kind: isTime(dimension) ? 'time' : 'number',
          grain: grain ?? (dimension.type === 'date' ? 'day' : null),
        },
      }
      return done(panel, { question, rowsMax: spec.limit })
    }
    case 'bar': {
      onlyOneMeasure(spec, y)
      const { dimension, grain } = groupOf(spec.by!, model)
      const panel: Panel = {
        ...common,
        kind: 'bar',
        title: spec.title ?? `${labels} by ${dimension.label.toLowerCase()}`,
        y,
        series: spec.series ?? null,
        direction: spec.direction,
        category: { column: spec.by!, label: dimension.label, format: groupFormat(dimension, grain) },
      }
      const sort = spec.sort ?? (isTime(dimension) ? [spec.by!] : [`-${metricNames[0]}`])
      return done(panel, {
        question: { ...question, orderBy: orderOf(sort), limit: spec.limit + 1 },
        rowsMax: spec.limit,
        cut: true,
      })
    }
    case 'table':
      return metrics.length > 0 ? groupsTable() : rowsTable(spec, model, scope, shared, common)
  }
  function groupsTable(): Opened {
    const table = spec as Extract<DataSpec, { kind: 'table' }>
    const groups = by.map((text): Measure => {
      const { dimension, grain } = groupOf(text, model)
      return { column: text, label: dimension.label, format: groupFormat(dimension, grain) }
    })
    const panel: Panel = {
      ...common,
      kind: 'table',
      title: table.title ?? labels,
      columns: [...groups, ...y].map((column) => shown(column, table.columns)),
    }
    return done(panel, {
      question: { ...question, orderBy: orderOf(table.sort ?? []), limit: table.limit + 1 },
      rowsMax: table.limit,
      cut: true,
    })
  }
}

function rowsTable(
  spec: Extract<DataSpec, { kind: 'table' }>,
  model: Model,
  { models }: Scope,
  shared: Pick<Ask, 'path' | 'filters'> & { time: string | null },
  common: Pick<Panel, 'id' | 'description' | 'filters'>,
): Opened {
  const specs = spec.columns!
  const question: RowsQuestionInput = {
    model: model.name,
    columns: specs.map(({ name }) => name),
    where: spec.where,
    orderBy: orderOf(spec.sort ?? []),
    limit: spec.limit + 1,
  }
  const { columns } = compileRows(question, models)
  const currency = [...model.metrics.values()].find(({ format }) => format.currency !== undefined)?.format.currency
  const panel: Panel = {
    ...common,
    kind: 'table',
    title: spec.title ?? labelOf(model.name),
    columns: columns.map(({ name, label, format }) => shown({ column: name, label, format }, specs, currency)),
  }
  return { panel, ask: { kind: 'rows', panel, ...shared, question, rowsMax: spec.limit } }
}

/** Columns of a panel's own SQL are what its author says they are; binding finds the ones that are not there. */
function sqlPanel(spec: DataSpec, sql: string, scope: Scope): Opened {
  const { file, path } = scope
  const filters = referenced(sql, scope)
  const common = {
    id: scope.id,
    description: spec.description ?? null,
    filters: filters.map(({ filter }) => filter.id),
  }
  if (spec.filters)
    throw new Failure('DASHBOARD_INVALID', 'a panel with sql says in it which filters it uses, as in {{ region }}', {
      place: file.at([...path, 'filters'], 'key'),
    })
  if (spec.where.length > 0)
    throw new Failure('DASHBOARD_INVALID', 'a panel with sql has its conditions in it', {
      place: file.at([...path, 'where'], 'key'),
    })
  const measure = (column: ColumnSpec): Measure => ({
    column: column.name,
    label: column.label ?? labelOf(column.name),
    format: openFormat(column.format ?? 'number'),
  })
  const title = spec.title ?? ''
  const done = (panel: Panel, columns: string[], rowsMax: number): Opened => ({
    panel,
    ask: { kind: 'sql', panel, path, filters, sql, columns, rowsMax },
  })
  switch (spec.kind) {
    case 'kpi': {
      const value = { ...measure(spec.value!), ...(spec.format !== undefined && { format: openFormat(spec.format) }) }
      const panel: Panel = {
        ...common,
        kind: 'kpi',
        title: title || value.label,
        value,
        comparison: 'none',
        sparkline: false,
        better: spec.better ?? 'up',
      }
      return done(panel, [value.column], 1)
    }
    case 'line': {
      const [x, y] = [spec.x!, spec.y!.map(measure)]
      onlyOneMeasure(spec, y)
      const kind = spec.x?.format === 'number' || spec.x?.format === 'integer' ? 'number' : 'time'
      const panel: Panel = {
        ...common,
        kind: 'line',
        title,
        y,
        series: spec.series ?? null,
        x: { column: x.name, label: x.label ?? labelOf(x.name), kind, grain: null },
      }
      return done(
        panel,
        [x.name, ...y.map(({ column }) => column), ...(spec.series === undefined ? [] : [spec.series])],
        spec.limit,
      )
    }
    case 'bar': {
      const [x, y] = [spec.x!, spec.y!.map(measure)]
      onlyOneMeasure(spec, y)
      const category = { column: x.name, label: x.label ?? labelOf(x.name), format: openFormat(x.format ?? 'text') }
      const panel: Panel = {
        ...common,
        kind: 'bar',
        title,
        y,
        series: spec.series ?? null,
        direction: spec.direction,
        category,
      }
      return done(
        panel,
        [x.name, ...y.map(({ column }) => column), ...(spec.series === undefined ? [] : [spec.series])],
        spec.limit,
      )
    }
    case 'table': {
      const columns = spec.columns!.map((column) => ({
        ...measure({ format: 'text', ...column }),
        bar: column.bar ?? false,
      }))
      return done(
        { ...common, kind: 'table', title, columns },
        columns.map(({ column }) => column),
        spec.limit,
      )
    }
  }
}

/** The filters that a panel's SQL names. */
function referenced(sql: string, { file, path, filters }: Scope): OpenFilter[] {
  const used = findPlaceholders(sql).map(({ name, column, start }) => {
    const before = sql.slice(0, start).split('\n')
    const place = file.within([...path, 'sql'], { line: before.length, column: before.at(-1)!.length + 1 })
    const found = filters.get(name)
    if (!found)
      throw new Failure('DASHBOARD_INVALID', `there is no filter "${name}"${didYouMean(name, filters.keys())}`, {
        place,
        suggestions: suggest(name, filters.keys()),
      })
    const mistake = column === null ? null : scanExpression(column).mistake
    if (mistake) throw new Failure('DASHBOARD_INVALID', `the column of the filter "${name}" ${mistake.what}`, { place })
    return found
  })
  return [...new Set(used)]
}

/** Filters change a panel when its model has their dimension; a panel may name fewer. */
function filtersOf(spec: DataSpec, model: Model, { file, path, filters }: Scope): OpenFilter[] {
  const able = [...filters.values()].flatMap((open) => {
    const dimension = model.dimensions.get(open.filter.dimension)
    return dimension ? [{ ...open, dimension }] : []
  })
  return spec.filters === undefined
    ? able
    : spec.filters.map((id, index) => {
        const place = file.at([...path, 'filters', index])
        if (!filters.has(id))
          throw new Failure('DASHBOARD_INVALID', `there is no filter "${id}"${didYouMean(id, filters.keys())}`, {
            place,
            suggestions: suggest(id, filters.keys()),
          })
        const found = able.find(({ filter }) => filter.id === id)
        if (!found)
          throw new Failure(
            'DASHBOARD_INVALID',
            `the filter "${id}" is about "${filters.get(id)!.filter.dimension}", which the model "${model.name}" does not have`,
            { place },
          )
        return found
      })
}

const timeOf = (model: Model): string => {
  if (model.time) return model.time.name
  throw new Failure(
    'METRIC_INVALID',
    `a sparkline needs a time, and the model "${model.name}" has none; write "time:" in ${model.source.file}`,
    { name: true },
  )
}

/** Lines by series have one measure: two would give every series two lines of the same name. */
function onlyOneMeasure({ series }: { series?: string | undefined }, y: readonly Measure[]): void {
  if (series !== undefined && y.length > 1)
    throw new Failure('METRIC_INVALID', 'a panel with "series" shows one metric', { name: series })
}

const groupFormat = (dimension: Dimension, grain: Grain | null): Format =>
  grain === null || grain === 'hour' ? dimension.format : { kind: 'date' }

/** `-revenue` is revenue, largest first. */
const orderOf = (sort: readonly string[]) =>
  sort.map((text) =>
    text.startsWith('-')
      ? { name: text.slice(1), direction: 'desc' as const }
      : { name: text, direction: 'asc' as const },
  )

function shown(column: Measure, specs: readonly ColumnSpec[] = [], currency?: string): Measure & { bar: boolean } {
  const spec = specs.find(({ name }) => name === column.column)
  return {
    column: column.column,
    label: spec?.label ?? column.label,
    format: spec?.format === undefined ? column.format : openFormat(spec.format, column.format.currency ?? currency),
    bar: spec?.bar ?? false,
  }
}
