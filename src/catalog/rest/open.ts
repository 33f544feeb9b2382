// The catalog of somebody else that the settings name, with the storage that it may hand out keys to.

import type { Clock } from '../../base/clock.ts'
import type { Config } from '../../config/index.ts'
import { defaultCredentials, type FileIO } from '../../io/index.ts'
import type { Catalog } from '../catalog.ts'
import { openRestCatalog } from './rest-catalog.ts'
import { vendedStorage } from './vended.ts'

type Options = {
  config: Pick<Config, 'catalog' | 'storage' | 'environments' | 'env'>
  /** Storage with our own keys, for what the catalog gives none. */
  io: FileIO
  clock: Clock
}

/** Undefined when the records keep the names of tables. `io` is what tables are to be read and written with. */
export async function openExternalCatalog(options: Options): Promise<{ catalog: Catalog; io: FileIO } | undefined> {
  const { config, clock } = options
  const { external } = config.catalog
  if (!external) return undefined
  const { sigv4Service: service, vendedCredentials, ...rest } = external
  const vended = vendedCredentials ? vendedStorage({ own: options.io, clock }) : undefined
  const region = config.storage.region ?? 'us-east-1'
  const catalog = await openRestCatalog({
    ...rest,
    ...(service !== undefined && {
      sigv4: { service, region, credentials: defaultCredentials({ env: config.env, clock }) },
    }),
    ...(vended && { vended }),
    catalogs: Object.values(config.environments).map(({ catalog: name }) => name),
    clock,
  })
  return { catalog, io: vended?.io ?? options.io }
}
