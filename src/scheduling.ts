// Schedules of the project as the worker sees them: read again at every look, so that a saved schedules.yml counts at
// once. Part of the composition root.

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from './base/log.ts'
import { resolveEnvironment, type Config } from './config/index.ts'
import type { Schedule, Schedules } from './orchestrate/index.ts'
import { planRun, type PipelineDeps } from './pipeline.ts'
import { SchedulesFile, parseYaml } from './project/index.ts'

export function schedulesOf(config: Config, pipeline: PipelineDeps, log: Log): Schedules {
  let readAtMs = -1
  let known: Schedule[] = []
  const file = join(config.dir, 'schedules.yml')

  return {
    list() {
      const changedAtMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
      if (changedAtMs === readAtMs) return known
      readAtMs = changedAtMs
      try {
        known = changedAtMs === 0 ? [] : readSchedulesFile(file, config)
      } catch (error) {
        // The schedules that were good stay in force; the mistake is shown wherever the project's problems are.
        log.warn('schedules.yml cannot be read; the schedules before it stay in force', { error })
      }
      return known
    },
    async request({ name, environment, select }) {
      // A schedule that names its environment means it, protected or not.
      return planRun(pipeline, {
        environment: resolveEnvironment(config, { flag: environment }),
        kind: 'run',
        select: [select ?? []].flat(),
        by: `schedule ${name}`,
      })
    },
  }
}

function readSchedulesFile(file: string, config: Config): Schedule[] {
  const { value } = parseYaml('schedules.yml', readFileSync(file, 'utf8'), SchedulesFile)
  return value.schedules.map(({ name, cron, timezone, environment, select, enabled }) => ({
    name,
    cron,
    enabled,
    select,
    timezone: timezone ?? config.timezone,
    environment: environment ?? config.environment.name,
  }))
}
