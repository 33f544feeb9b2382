// The JSON schema of every kind of YAML file here, from which editors complete and check.

import { z } from 'zod'
import { AccessFile } from './access.ts'
import { DashboardFile } from './dashboards.ts'
import { MetricsFile } from './metrics.ts'
import { SchedulesFile } from './schedules.ts'
import { Source } from './sources.ts'

const kinds = {
  source: { schema: Source, title: 'A source: sources/*.yml' },
  metrics: { schema: MetricsFile, title: 'Metrics: metrics/*.yml' },
  dashboard: { schema: DashboardFile, title: 'A dashboard: dashboards/*.yml' },
  access: { schema: AccessFile, title: 'Rights: access.yml' },
  schedules: { schema: SchedulesFile, title: 'Schedules: schedules.yml' },
}

/** File name → text, for `docs/reference/schemas/`. */
export function printSchemas(): Record<string, string> {
  const entries = Object.entries(kinds).map(([kind, { schema, title }]): [string, string] => {
    const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
    return [`${kind}.schema.json`, `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`]
  })
  return Object.fromEntries(entries)
}
