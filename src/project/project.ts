// A project folder, read whole: everything in it that is not dbt's or the configuration's.

import type { Failure } from '../base/failure.ts'
import { readAccess } from './access.ts'
import { readDashboards, type DashboardFile } from './dashboards.ts'
import { readMetrics, type MetricsFile } from './metrics.ts'
import { readSchedules, type Schedule } from './schedules.ts'
import { readSources, type Source } from './sources.ts'
import type { Located } from './yaml.ts'

export type Project = {
  dir: string
  sources: Located<Source>[]
  metrics: Located<MetricsFile>[]
  dashboards: Located<DashboardFile>[]
  schedules: Located<Schedule>[]
  /** What is wrong in files that could not be read; the items above are those that could. */
  failures: Failure[]
}

export async function readProject(dir: string): Promise<Project> {
  const [sources, metrics, dashboards, schedules, access] = await Promise.all([
    readSources(dir),
    readMetrics(dir),
    readDashboards(dir),
    readSchedules(dir),
    readAccess(dir),
  ])
  return {
    dir,
    sources: sources.items,
    metrics: metrics.items,
    dashboards: dashboards.items,
    schedules: schedules.items,
    failures: [sources, metrics, dashboards, schedules, access].flatMap(({ failures }) => failures),
  }
}
