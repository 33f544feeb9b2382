// Prints docs/reference/soak.md when the soak tests have run: what held, how long it took, and the figures that a test
// left in its `meta.figures`.

import { writeFile } from 'node:fs/promises'
import type { Reporter, TestModule } from 'vitest/node'
import { circumstances } from '../bench/measure.ts'

const page = new URL('../docs/reference/soak.md', import.meta.url)

export default class SoakReporter implements Reporter {
  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const figures = tests.flatMap((test) =>
      Object.entries((test.meta() as { figures?: Record<string, string | number> }).figures ?? {}),
    )
    const broken = modules.flatMap((module) =>
      module.errors().map(({ message }) => `| ${module.relativeModuleId} | failed: ${cell(message)} | |`),
    )
    const lines = [
      '# Soak',
      '',
      `Printed by \`make soak\`: ${circumstances()}.`,
      process.env.SOAK
        ? 'Full length.'
        : 'Reduced length (without SOAK=1): it shows that the tests run, not what they prove.',
      '',
      '| test | result | time |',
      '| --- | --- | ---: |',
      ...tests.map(
        (test) => `| ${cell(test.fullName)} | ${test.result().state} | ${minutes(test.diagnostic()?.duration ?? 0)} |`,
      ),
      ...broken,
      '',
      '| figure | |',
      '| --- | --- |',
      ...figures.map(([name, value]) => `| ${cell(name)} | ${cell(String(value))} |`),
      '',
    ]
    await writeFile(page, lines.join('\n'))
  }
}

const cell = (text: string) => text.replaceAll('\n', ' ').replaceAll('|', '\\|')

const minutes = (ms: number) => (ms < 60_000 ? `${(ms / 1000).toFixed(0)} s` : `${(ms / 60_000).toFixed(1)} min`)
