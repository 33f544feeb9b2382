import { defineConfig } from 'vitest/config'

// The tests whose length can be chosen, at full length with SOAK=1, one after the other on a machine that does nothing
// else. The results are kept in docs/reference/soak.md.
export default defineConfig({
  test: {
    include: [
      'test/e2e/kill.test.ts',
      'test/e2e/kill-dbt.test.ts',
      'test/e2e/kill-statements.test.ts',
      'test/e2e/load.test.ts',
      'test/simulation/operations.test.ts',
      'src/lake/scan/prune.test.ts',
      'src/lake/scan/scan.test.ts',
      'src/lake/scan/damaged.test.ts',
      'src/lake/random-queries.test.ts',
      'src/lake/random-statements.test.ts',
      'src/lake/random-types.test.ts',
      'src/lake/policy/positions.test.ts',
      'src/lake/write/enforced-keys.test.ts',
      'src/lake/transaction.test.ts',
      'src/lake/answers/metadata-answer.test.ts',
      'src/lake/answers/join-keys.test.ts',
      'src/iceberg/fuzz.test.ts',
      'src/iceberg/write-model.test.ts',
      'src/project/yaml-ordinary.test.ts',
      'src/serve/pgwire/fuzz.test.ts',
      'src/serve/pgwire/soak.test.ts',
      'test/attack/random.test.ts',
    ],
    testTimeout: 3_600_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    reporters: ['default', './tools/soak-reporter.ts'],
  },
})
