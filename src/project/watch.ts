// Tells when files of a project change. An editor's save is several events (write, rename, delete), so they are
// gathered until the disk has been quiet for a moment.

import { once } from 'node:events'
import { relative, resolve, sep } from 'node:path'

/** What Boathouse, dbt, Python and git write themselves, and would otherwise wake the watcher for. */
const ignored = new Set([
  '.boathouse',
  '.git',
  'node_modules',
  'target',
  'dbt_packages',
  'logs',
  '.venv',
  '__pycache__',
])

/** Copies that editors keep, and databases beside the project: what a run writes must not call for the next run. */
const notTyped = /~$|\.sw[px]$|\.new$|\.duckdb(\.wal)?$/

export type WatchOptions = {
  /** Folders that hold no files of a project, though they may lie in its folder: absolute paths. */
  ignore?: readonly string[]
  debounceMs?: number
  /** Looks again and again, for file systems without events. */ pollMs?: number
}

/**
 * Calls `onChange` with the files that were made, changed or removed, relative to `dir`, forward slashes, sorted.
 * Calls never overlap: what changes meanwhile comes with the next one. Resolves when it watches; ends with the signal.
 */
export async function watchProject(
  dir: string,
  onChange: (files: string[]) => void | Promise<void>,
  signal: AbortSignal,
  { ignore = [], debounceMs = 50, pollMs }: WatchOptions = {},
): Promise<void> {
  signal.throwIfAborted()
  const { watch } = await import('chokidar') // not part of the start of commands that watch nothing
  const toName = (path: string): string => relative(dir, path).split(sep).join('/')
  const others = new Set(ignore)
  const watcher = watch(dir, {
    ignoreInitial: true,
    // A folder that is left out is not looked into, so its own path is all that is asked about.
    ignored: (path) => ignored.has(toName(path).split('/')[0]!) || others.has(resolve(path)) || notTyped.test(path),
    ...(pollMs === undefined ? {} : { usePolling: true, interval: pollMs }),
  })
  const changed = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let busy = false
  const wake = (): void => {
    clearTimeout(timer)
    if (!busy) timer = setTimeout(() => void tell(), debounceMs)
  }
  const tell = async (): Promise<void> => {
    const files = [...changed].sort()
    changed.clear()
    busy = true
    try {
      await onChange(files)
    } finally {
      busy = false
      if (changed.size > 0 && !signal.aborted) wake()
    }
  }
  watcher.on('all', (event, path) => {
    if (event === 'addDir' || event === 'unlinkDir') return
    changed.add(toName(path))
    wake()
  })
  // Out of watches, a folder that went away: what is watched already goes on, and the process with it.
  watcher.on('error', () => {})
  signal.addEventListener(
    'abort',
    () => {
      clearTimeout(timer)
      void watcher.close()
    },
    { once: true },
  )
  await once(watcher, 'ready', { signal })
}

export type Part = 'config' | 'source' | 'model' | 'metric' | 'dashboard' | 'schedule' | 'other'

/** Which part of a project a file belongs to: `models/staging/stg_sales.sql` is a `model`. */
export function partOf(file: string): Part {
  if (file === 'boathouse.yml' || file === '.env') return 'config'
  if (file === 'schedules.yml') return 'schedule'
  if (/^(dbt_project|packages|dependencies|selectors)\.yml$/.test(file)) return 'model'
  const folder = file.split('/')[0]!
  if (folder === 'sources' || folder === 'metrics' || folder === 'dashboards')
    return /\.ya?ml$/.test(file)
      ? ({ sources: 'source', metrics: 'metric', dashboards: 'dashboard' } as const)[folder]
      : 'other'
  return ['models', 'macros', 'seeds', 'snapshots', 'tests', 'analyses'].includes(folder) ? 'model' : 'other'
}
