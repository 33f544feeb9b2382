import { defineConfig } from 'vitest/config'

// One file after the other: each starts peers of its own. The limits are against what hangs, on the busiest machine too.
export default defineConfig({
  test: {
    include: ['test/conformance/**/*.test.ts'],
    testTimeout: 1_200_000,
    hookTimeout: 1_200_000,
    fileParallelism: false,
  },
})
