// The suite of every catalog, run against REST catalogs of others: Iceberg's own server (behind an OAuth log-in) and
// Nessie. Each test gets a namespace of the first level as its catalog.

import { randomUUID } from 'node:crypto'
import { describe } from 'vitest'
import { realClock } from '../../../src/base/clock.ts'
import { catalogSuite } from '../../../src/catalog/catalog-suite.ts'
import { openRestCatalog } from '../../../src/catalog/index.ts'
import { labServices } from './lab.ts'

const env = await labServices('seaweedfs', 'iceberg-rest', 'nessie')

// Jetty refuses an encoded percent sign in a path as ambiguous, before Iceberg's server sees it.
const noPercent = Object.fromEntries(['%', 'a%2Eb', '100%_'].map((name) => [`the name ${name} survives`, 'Jetty']))

describe.skipIf(!env)('REST catalogs of others (skipped without the lab of services)', () => {
  const common = { environmentAs: 'namespace', clock: realClock } as const

  catalogSuite(
    "Iceberg's REST server",
    async () => ({
      name: `c_${randomUUID().slice(0, 8)}`,
      location: ({ catalog, namespace, name }) =>
        `s3://lake/fixture/${catalog}/${namespace}/${encodeURIComponent(name)}`,
      catalog: await openRestCatalog({
        ...common,
        uri: env!['LAB_ICEBERG_REST_URI']!,
        credential: env!['LAB_ICEBERG_REST_CREDENTIAL'],
        scope: 'PRINCIPAL_ROLE:ALL',
      }),
    }),
    noPercent,
  )

  catalogSuite(
    'Nessie',
    async () => ({
      name: `c_${randomUUID().slice(0, 8)}`,
      location: ({ catalog, namespace, name }) =>
        `s3://lake/nessie/${catalog}/${namespace}/${encodeURIComponent(name)}`,
      catalog: await openRestCatalog({
        ...common,
        uri: env!['LAB_NESSIE_URI']!,
        warehouse: env!['LAB_NESSIE_WAREHOUSE'],
      }),
    }),
    {
      'tables are renamed, dropped and registered': 'Nessie writes the commit into the properties of what it registers',
    },
  )
})
