// What has to run again when files of a project are saved. Part of the composition root.

import { basename, extname } from 'node:path'
import { ownFolders, type Config } from './config/index.ts'
import { watchProject } from './project/index.ts'

/** Selectors for `run`; empty is everything; undefined when nothing has to run (a dashboard is read as it is). */
export function selectionFor(files: readonly string[]): string[] | undefined {
  const models: string[] = []
  for (const file of files) {
    const top = file.split('/')[0]!
    if (['dashboards', 'metrics', 'apps', 'notebooks'].includes(top) || /^(README|\.env|\.git)/.test(file)) continue
    if (/^(schedules\.yml|boathouse\.yml|smoke\.\w+)$/.test(file)) continue
    // A model is rebuilt with what reads it; everything else (data, sources, macros, properties) may touch all.
    if (top === 'models' && extname(file) === '.sql') models.push(`${basename(file, '.sql')}+`)
    else return []
  }
  return models.length > 0 ? models : undefined
}

/** Calls `onChange` for every batch of saved files that has to run, one at a time, until the signal aborts. */
export const watchForRuns = (
  config: Pick<Config, 'dir' | 'stateDir' | 'storage'>,
  signal: AbortSignal,
  onChange: (what: string, selection: string[]) => Promise<void>,
): Promise<void> =>
  watchProject(
    config.dir,
    async (files) => {
      const selection = selectionFor(files)
      if (selection) await onChange(files.join(', '), selection)
    },
    signal,
    { ignore: ownFolders(config) },
  )
