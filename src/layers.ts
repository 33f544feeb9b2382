// Which rooms exist, what each promises, and whom it may import. The map in `src/README.md` is printed from
// this table and `test/tidy.test.ts` holds the code to it. `main.ts`, the composition root, knows every room.

/** `parts`: folders of the room that may import more than the rest of it. */
type Layer = { does: string; uses: readonly string[]; parts?: Readonly<Record<string, readonly string[]>> }

const toGovern = ['base', 'config', 'records', 'io', 'iceberg', 'catalog', 'govern']
const toLake = [...toGovern, 'engine', 'lake']

export const layers: Record<string, Layer> = {
  base: { does: 'failures with codes, assertions, ids, units, clock, log; no I/O', uses: [] },
  contract: { does: 'what browser, CLI and server say to each other: zod schemas', uses: [] },
  config: { does: 'environment, .env and boathouse.yml into typed settings', uses: ['base'] },
  records: { does: "Boathouse's own relational store: SQLite or PostgreSQL, migrations", uses: ['base', 'config'] },
  io: { does: 'bytes by path: local disk, memory and crashing twins', uses: ['base'] },
  iceberg: { does: 'the table format: parse, plan a scan, build a commit; pure over io', uses: ['base', 'io'] },
  catalog: {
    does: 'names to metadata pointers; environments, publications',
    uses: ['base', 'config', 'io', 'iceberg', 'records'],
  },
  govern: { does: 'principals, roles, sessions, audit; decisions are pure', uses: ['base', 'records'] },
  engine: { does: 'SQL text on DuckDB host processes, typed column chunks back', uses: ['base', 'config'] },
  lake: { does: 'the one door: SQL in, rows and commits out', uses: [...toLake.slice(0, -1), 'contract'] },
  jinja: { does: 'template text in, text out; pure', uses: ['base'] },
  project: {
    does: "a user's files into a typed project, errors with file and line",
    uses: ['base', 'io', 'jinja', 'contract'],
  },
  semantic: { does: 'a question about metrics in, SQL out; pure', uses: ['base', 'contract', 'project'] },
  ingest: { does: 'sources to one Iceberg commit with its cursor', uses: [...toLake, 'project'] },
  transform: { does: 'dbt: graph, plan, explain or run', uses: [...toLake, 'jinja', 'project'] },
  dashboards: {
    does: 'a dashboard file and filters in, panel data out',
    uses: ['base', 'contract', 'lake', 'semantic', 'project'],
  },
  orchestrate: {
    does: 'asset graph, schedules, durable runs, queue, workers',
    uses: ['base', 'config', 'records', 'project'],
  },
  serve: {
    does: 'HTTP: a thin shell over the rooms',
    parts: { 'iceberg-rest': ['iceberg', 'io'] },
    uses: [
      'base',
      'config',
      'contract',
      'records',
      'catalog',
      'govern',
      'lake',
      'project',
      'semantic',
      'ingest',
      'transform',
      'dashboards',
      'orchestrate',
    ],
  },
  cli: {
    does: 'commands; thin',
    uses: [
      ...toLake,
      'contract',
      'jinja',
      'project',
      'semantic',
      'ingest',
      'transform',
      'dashboards',
      'orchestrate',
      'serve',
    ],
  },
}
