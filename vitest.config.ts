import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { configDefaults, defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** In a fresh clone nobody knows yet what takes long, and a small file may: one that begins last keeps all waiting. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) => /runs\.golden|\/e2e\/|random-statements|kill/.test(moduleId)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'web/src/**/*.test.{ts,tsx}'],
    // Peers in Python and containers run under `make conformance`.
    exclude: [...configDefaults.exclude, 'test/conformance/**'],
    testTimeout: 120_000,
    hookTimeout: 120_000, // long enough for a machine that does other work too: nothing here measures time
    expect: { poll: { timeout: 60_000 } },
    // What modules keep is by value and holds for every file, so a worker need not load them again for each: that was a
    // fifth of all work.
    isolate: false,
    // Engine hosts are started by the hundred; a fifth of what one costs was reading its modules.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/boathouse') },
    // Most tests here wait for other processes, and for the disk.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './tools/plain-reporter.ts'],
  },
})
