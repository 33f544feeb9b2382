// The suite of every catalog, run against REST catalogs of others: Iceberg's own server (behind an OAuth log-in) and
// Nessie. Each test gets a namespace of the first level as its catalog.

import { randomUUID } from 'node:crypto'
import { describe } from 'vitest'
import { realClock } from '../../../src/base/clock.ts'
import { catalogSuite } from '../../../src/catalog/catalog-suite.ts'
import { openRestCatalog } from '../../../src/catalog/index.ts'
import { labServices } from './lab.ts'

const env = await labServices('seaweedfs', 'iceberg-rest', 'nessie')

describe.skipIf(!env)('REST catalogs of others (skipped without the lab of services)', () => {
  const common = { environmentAs: 'namespace', clock: realClock } as const

  catalogSuite("Iceberg's REST server", async () => ({
    name: `c_${randomUUID().slice(0, 8)}`,
    location: ({ catalog, namespace, name }) => `s3://lake/fixture/${catalog}/${namespace}/${encodeURIComponent(name)}`,
    catalog: await openRestCatalog({
      ...common,
      uri: env!['LAB_ICEBERG_REST_URI']!,
      credential: env!['LAB_ICEBERG_REST_CREDENTIAL'],
      scope: 'PRINCIPAL_ROLE:ALL',
    }),
  }))

  catalogSuite('Nessie', async () => ({
    name: `c_${randomUUID().slice(0, 8)}`,
    location: ({ catalog, namespace, name }) => `s3://lake/nessie/${catalog}/${namespace}/${encodeURIComponent(name)}`,
    catalog: await openRestCatalog({
      ...common,
      uri: env!['LAB_NESSIE_URI']!,
      warehouse: env!['LAB_NESSIE_WAREHOUSE'],
    }),
  }))
})
