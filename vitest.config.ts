import { configDefaults, defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'web/src/**/*.test.{ts,tsx}'],
    // Peers in Python and containers run under `make conformance`.
    exclude: [...configDefaults.exclude, 'test/conformance/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', './tools/plain-reporter.ts'],
  },
})
