// The project's access.yml into the records: at the start of the server and of a run, and when asked. Part of the composition
// root. A file that is broken or gone changes nothing: without its row filters and masks more would be seen, not less.

import type { Log } from './base/log.ts'
import type { AccessDiff, Govern, Principal } from './govern/index.ts'
import { accessRules, orThrow, readAccess } from './project/index.ts'

type Options = { dir: string; govern: Pick<Govern, 'access'>; by: Principal; dryRun?: boolean }

/** Undefined without a file. @throws Failures of the file; FORBIDDEN */
export async function applyAccess({ dir, govern, by, dryRun = false }: Options): Promise<AccessDiff | undefined> {
  const [file] = orThrow(await readAccess(dir))
  if (!file) return undefined
  return govern.access.apply(accessRules(file.value), { by, source: 'access.yml', dryRun })
}

/** As `applyAccess`, for a start that must not fail for it. */
export async function applyAccessAtStart(options: Options & { log: Log }): Promise<void> {
  const { log } = options
  try {
    const diff = await applyAccess(options)
    if (diff && diff.added.length + diff.removed.length > 0) log.info('rights changed as access.yml says', diff)
  } catch (error) {
    log.error('access.yml was not applied; what was applied before holds', { reason: (error as Error).message })
  }
}
