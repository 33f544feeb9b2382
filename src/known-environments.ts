// The environments that a running process knows. Those of the project's settings are there from the start. Forks come and go,
// mostly by commands of other processes, so the records are asked again while a server or worker runs. Everybody holds the
// same list, and finds in it what is there now.

import type { Log } from './base/log.ts'
import type { Fork } from './catalog/index.ts'
import type { Config } from './config/index.ts'

export type NamedEnvironment = Config['environments'][string] & { name: string }

export type KnownEnvironments = {
  /** The settings with the forks among their environments. */
  config: Config
  /** Always the same array. */
  list: readonly NamedEnvironment[]
  /** Asks again every few seconds, until the function that it gives is called. */
  follow(log: Log): () => void
}

const everyMs = 2_000

/** Forks are environments like those of the settings; a name in the settings comes first. */
export async function knownEnvironments(
  settings: Config,
  forks: () => Promise<readonly Fork[]>,
): Promise<KnownEnvironments> {
  const config: Config = { ...settings, environments: {} }
  const list: NamedEnvironment[] = []

  async function refresh() {
    const found = (await forks()).map(
      ({ environment, catalog }) => [environment, { catalog, protected: false }] as const,
    )
    const now: Config['environments'] = { ...Object.fromEntries(found), ...settings.environments }
    for (const name of Object.keys(config.environments)) if (!Object.hasOwn(now, name)) delete config.environments[name]
    Object.assign(config.environments, now)
    list.splice(0, list.length, ...Object.entries(now).map(([name, entry]) => ({ name, ...entry })))
  }

  await refresh()
  return {
    config,
    list,
    follow(log) {
      const failed = (error: unknown) => log.warn('the environments could not be looked up', { error })
      const timer = setInterval(() => void refresh().catch(failed), everyMs)
      timer.unref()
      return () => clearInterval(timer)
    },
  }
}
